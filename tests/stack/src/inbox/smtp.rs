//! The protocol (RFC 5321), as far as a client of ours speaks it.

use std::io::{BufRead as _, BufReader, Result, Write as _};
use std::net::TcpStream;

use super::{Fault, Inbox, Step};

/// Maximum length of a mail, in bytes.
const MAX_BYTES: usize = 1 << 20;

pub(super) fn serve(inbox: &Inbox, mut stream: TcpStream) -> Result<()> {
    let fault = inbox.next_fault();
    let mut lines = BufReader::new(stream.try_clone()?);
    // `true` if the connection ends at a step.
    let ends = |step, lines: &mut BufReader<TcpStream>| {
        if fault == Some(Fault::Hang(step)) {
            inbox.state().hung += 1;
            std::io::copy(lines, &mut std::io::sink())?;
        }
        Ok::<_, std::io::Error>(matches!(fault, Some(Fault::Close(at) | Fault::Hang(at)) if at == step))
    };
    if ends(Step::Greeting, &mut lines)? {
        return Ok(());
    }
    let mut recipients = Vec::new();
    stream.write_all(b"220 inbox ready\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_ascii_uppercase();
        let reply: &[u8] = match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" | "HELO" => b"250-inbox\r\n250 8BITMIME\r\n",
            "MAIL" if let Some(Fault::Refuse(reply)) = fault => reply.as_bytes(),
            "RCPT" if fault == Some(Fault::RejectRecipient) => b"550 5.1.1 no such mailbox\r\n",
            "RCPT" if fault == Some(Fault::Busy) => b"451 4.7.1 try again later\r\n",
            "RCPT" => {
                recipients.push(between_brackets(&line));
                b"250 recipient taken\r\n"
            }
            "DATA" => {
                if ends(Step::Content, &mut lines)? {
                    return Ok(());
                }
                stream.write_all(b"354 go ahead\r\n")?;
                let content = read_content(&mut lines)?;
                for to in recipients.drain(..) {
                    inbox.take(to, &content);
                }
                if ends(Step::Reply, &mut lines)? {
                    return Ok(());
                }
                b"250 mail taken\r\n"
            }
            "MAIL" | "RSET" | "NOOP" => b"250 done\r\n",
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"502 5.5.1 unknown command\r\n",
        };
        stream.write_all(reply)?;
    }
}

/// Reads up to the line with a dot alone, and removes the dots before others (RFC 5321 §4.5.2).
fn read_content(lines: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 || line == b".\r\n" || content.len() > MAX_BYTES {
            return Ok(content);
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn between_brackets(line: &str) -> String {
    let rest = line.split_once('<').map(|(_, rest)| rest).unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}
