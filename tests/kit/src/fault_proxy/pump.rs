//! One connection through the proxy: messages in, the same messages out, but for one that comes to harm.

use std::future::pending;
use std::io;

use postgres_protocol::message::backend::Header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::plan::{Harm, Message, Plan, Side};

/// First message of a client that wants TLS (`SSLRequest` among the message formats of its manual).
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Joins both until one of them ends it or harm is done. Then both connections are closed.
pub(super) async fn join(mut client: TcpStream, mut server: TcpStream, plan: &Plan) {
    if start(&mut client, &mut server).await.is_err() {
        return;
    }
    let ((client_says, client_hears), (server_says, server_hears)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        _ = pump(Side::Client, client_says, server_hears, plan) => {}
        _ = pump(Side::Server, server_says, client_hears, plan) => {}
    }
}

/// The first message has no tag. TLS is declined, as a server without it does: nothing could be read within.
async fn start(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
    let mut head = [0; 8];
    client.read_exact(&mut head).await?;
    if head == TLS_REQUEST {
        client.write_all(b"N").await?;
        client.read_exact(&mut head).await?;
    }
    // Messages go on one by one, and none waits for the one before to be acknowledged.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let [a, b, c, d, ..] = head;
    let rest =
        usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default().saturating_sub(head.len());
    let mut start = head.to_vec();
    start.resize(head.len() + rest, 0);
    client.read_exact(&mut start[head.len()..]).await?;
    server.write_all(&start).await
}

async fn pump(side: Side, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, plan: &Plan) -> io::Result<()> {
    let mut unread = Vec::new();
    loop {
        while let Some((tag, message)) = take_message(&mut unread)? {
            match plan.judge(Message { from: side, tag }) {
                None => to.write_all(&message).await?,
                Some(Harm::Cut) => return Ok(()),
                Some(Harm::CutBehind) => return to.write_all(&message).await,
                Some(Harm::Silence) => pending().await,
                Some(Harm::Hold) => {
                    plan.released().await;
                    to.write_all(&message).await?;
                }
            }
        }
        if from.read_buf(&mut unread).await? == 0 {
            return Ok(());
        }
    }
}

/// A whole message, once it is there. Both sides have the same head: a tag and a length.
fn take_message(unread: &mut Vec<u8>) -> io::Result<Option<(u8, Vec<u8>)>> {
    let Some(header) = Header::parse(unread)? else { return Ok(None) };
    let length = usize::try_from(header.len()).unwrap_or_default() + 1;
    Ok((unread.len() >= length).then(|| (header.tag(), unread.drain(..length).collect())))
}
