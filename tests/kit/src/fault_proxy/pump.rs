//! Connection through the proxy: forwards messages, and injects the fault at one of them.

use std::future::pending;
use std::io;

use postgres_protocol::message::backend::Header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::plan::{FaultKind, Message, Plan, Side};

/// First message of a client that wants TLS (`SSLRequest` among the message formats of its manual).
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Forwards in both directions until one side or a fault closes the connection. Then the other side's is closed too.
pub(super) async fn join(mut client: TcpStream, mut server: TcpStream, plan: &Plan) {
    if start(&mut client, &mut server).await.is_err() {
        return;
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        _ = pump(Side::Client, from_client, to_server, plan) => {}
        _ = pump(Side::Server, from_server, to_client, plan) => {}
    }
}

/// Forwards the first message, which has no tag. TLS is declined, as by a server without it: encrypted messages cannot be
/// read.
async fn start(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
    let mut head = [0; 8];
    client.read_exact(&mut head).await?;
    if head == TLS_REQUEST {
        client.write_all(b"N").await?;
        client.read_exact(&mut head).await?;
    }
    // Nagle's algorithm would delay a message until the one before is acknowledged.
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
            match plan.record(Message { from: side, tag }) {
                None => to.write_all(&message).await?,
                Some(FaultKind::Cut) => return Ok(()),
                Some(FaultKind::CutAfter) => return to.write_all(&message).await,
                Some(FaultKind::Blackhole) => pending().await,
                Some(FaultKind::Hold) => {
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

/// Takes the next message from the bytes that were read, if it is complete. Both sides have the same head: a tag and a
/// length.
fn take_message(unread: &mut Vec<u8>) -> io::Result<Option<(u8, Vec<u8>)>> {
    let Some(header) = Header::parse(unread)? else { return Ok(None) };
    let length = usize::try_from(header.len()).unwrap_or_default() + 1;
    Ok((unread.len() >= length).then(|| (header.tag(), unread.drain(..length).collect())))
}
