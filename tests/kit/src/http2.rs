//! HTTP/2 client that sends header blocks as they are given, valid or not.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const LIMIT: Duration = Duration::from_secs(10);

/// Types of frames (RFC 9113 §6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
const GOAWAY: u8 = 7;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// ID of the only stream of a connection.
const STREAM: u32 = 1;

/// Name and value of a header field, as sent in the block.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// Status and body of a response; `None` if the stream or the connection was closed instead (RFC 9113 §8.1.1).
pub type Response = Option<(u16, Vec<u8>)>;

/// Sends one request over a new connection: a head, and with trailers a body of one byte before them.
pub fn exchange(port: u16, head: &[Field<'_>], trailers: Option<&[Field<'_>]>) -> io::Result<Response> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    match trailers {
        None => bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &block(head))),
        Some(trailers) => {
            bytes.extend(frame(HEADERS, END_HEADERS, STREAM, &block(head)));
            bytes.extend(frame(DATA, 0, STREAM, b"x"));
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &block(trailers)));
        }
    }
    stream.write_all(&bytes)?;
    read_response(&mut stream)
}

fn read_response(stream: &mut TcpStream) -> io::Result<Response> {
    let (mut status, mut body) = (0, Vec::new());
    loop {
        let (kind, flags, id, payload) = match read_frame(stream) {
            Ok(frame) => frame,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            Err(_) => return Ok(None),
        };
        match (kind, id) {
            (SETTINGS, _) if flags & ACK == 0 => {
                // If the peer is gone, the next read fails.
                let _gone = stream.write_all(&frame(SETTINGS, ACK, 0, &[]));
            }
            (GOAWAY, _) | (RST_STREAM, STREAM) => return Ok(None),
            (HEADERS, STREAM) if status == 0 => status = read_status(&payload),
            (DATA, STREAM) => body.extend(payload),
            _ => {}
        }
        if id == STREAM && flags & END_STREAM != 0 && matches!(kind, DATA | HEADERS) {
            return Ok(Some((status, body)));
        }
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn read_frame(stream: &mut TcpStream) -> io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let [a, b, c, kind, flags, stream_id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut payload)?;
    Ok((kind, flags, u32::from_be_bytes(stream_id), payload))
}

/// Encodes a header block with literal names and values (RFC 7541 §6.2.2).
pub(crate) fn block(fields: &[Field<'_>]) -> Vec<u8> {
    let literal = |(name, value): &Field<'_>| [&[0], &text(name)[..], &text(value)].concat();
    fields.iter().flat_map(literal).collect()
}

/// Encodes a string without Huffman code (RFC 7541 §5.2). Its length takes as many bytes as it needs (§5.1).
fn text(bytes: &[u8]) -> Vec<u8> {
    const PREFIX: usize = 127;
    let mut coded = Vec::new();
    if bytes.len() < PREFIX {
        coded.push(u8::try_from(bytes.len()).unwrap());
    } else {
        coded.push(127);
        let mut rest = bytes.len() - PREFIX;
        while rest >= 128 {
            coded.push(u8::try_from(rest % 128 + 128).unwrap());
            rest /= 128;
        }
        coded.push(u8::try_from(rest).unwrap());
    }
    [coded, bytes.to_vec()].concat()
}

/// Reads the status at the start of a block: one of the static table (RFC 7541, appendix A), or a literal.
pub(crate) fn read_status(block: &[u8]) -> u16 {
    // The size of the dynamic table may come first (§6.3).
    let start = block.iter().position(|byte| byte & 0xe0 != 0x20).unwrap_or_default();
    match block[start..] {
        [first @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(first - 0x88)],
        [0x08 | 0x18 | 0x48, 3, ref digits @ ..] => {
            std::str::from_utf8(&digits[..3]).unwrap().parse().unwrap()
        }
        [0x08 | 0x18 | 0x48, length, ref coded @ ..] => {
            let coded = &coded[..usize::from(length & 0x7f)];
            (100..600).find(|status| huffman(*status) == coded).unwrap()
        }
        _ => panic!("a block that does not start with a status: {block:x?}"),
    }
}

/// Returns the Huffman code of a number (RFC 7541, appendix B), padded with ones.
fn huffman(number: u16) -> Vec<u8> {
    let bits: String = number
        .to_string()
        .bytes()
        .map(|digit| match digit {
            b'0'..=b'2' => format!("{:05b}", digit - b'0'),
            _ => format!("{:06b}", digit - b'3' + 0b01_1001),
        })
        .collect();
    bits.as_bytes()
        .chunks(8)
        .map(|byte| (0..8).fold(0, |value, at| value * 2 + u8::from(byte.get(at) != Some(&b'0'))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_in_every_encoding() {
        for (block, expected) in [
            (&[0x88][..], 200),
            (&[0x20, 0x8e], 500),
            (b"\x48\x03401", 401),
            // RFC 7541, C.6.1 and C.6.2.
            (&[0x48, 0x82, 0x64, 0x02], 302),
            (&[0x48, 0x83, 0x64, 0x0e, 0xff], 307),
        ] {
            assert_eq!(read_status(block), expected, "{block:x?}");
        }
    }

    #[test]
    fn length_of_a_long_string_takes_several_bytes() {
        assert_eq!(text(b"ab"), b"\x02ab");
        assert_eq!(text(&[b'x'; 127])[..2], [127, 0]);
        // RFC 7541, C.1.2, with a prefix of seven bits.
        assert_eq!(text(&[b'x'; 1337])[..3], [127, 186, 9]);
    }
}
