//! The page of the inbox, and the same as JSON below `/mails`.

use std::io::{BufRead as _, BufReader, Result, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{Inbox, Mail};

pub(super) fn serve(inbox: &Inbox, mut stream: TcpStream) -> Result<()> {
    let mut request = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut request)?;
    let (kind, body) = match request.split(' ').nth(1) {
        Some("/mails") => ("application/json", json(&inbox.mails())),
        _ => ("text/html; charset=utf-8", page(&inbox.mails())),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\n\r\n{body}"
    )
}

fn json(mails: &[Mail]) -> String {
    let mails = mails.iter().map(|Mail { to, id, subject, text, html }| {
        json!({"to": to, "id": id, "subject": subject, "text": text, "html": html})
    });
    mails.collect::<serde_json::Value>().to_string()
}

/// Writes the mails, the newest first. What they contain is text, but for links.
fn page(mails: &[Mail]) -> String {
    let mail = |mail: &Mail| {
        let lines: String = mail.text.lines().map(line).collect();
        format!(
            "<article><h2>{}</h2><p>To {}</p><pre>{lines}</pre></article>",
            escape(&mail.subject),
            escape(&mail.to)
        )
    };
    let mails: String = mails.iter().rev().map(mail).collect();
    let mails = if mails.is_empty() { "<p>No mail yet.</p>".to_owned() } else { mails };
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content='light dark'>\
         <title>Inbox</title><style>body{{font:1rem/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}}\
         article{{border-top:1px solid;padding:.5rem 0}}pre{{white-space:pre-wrap;overflow-wrap:anywhere}}</style>\
         <h1>Inbox</h1><p>Every mail of the local stack, the newest first.</p>{mails}</html>"
    )
}

fn line(line: &str) -> String {
    let text = escape(line);
    if line.starts_with("http://") || line.starts_with("https://") {
        format!("<a href=\"{text}\">{text}</a>\n")
    } else {
        format!("{text}\n")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_links_and_no_other_html_of_a_mail() {
        let mail = Mail {
            to: "a@example.com".to_owned(),
            id: String::new(),
            subject: "<script>".to_owned(),
            text: "<b>hello</b>\nhttp://127.0.0.1/?a=\"&b\n".to_owned(),
            html: String::new(),
        };
        let page = page(&[mail]);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
        assert!(page.contains("<a href=\"http://127.0.0.1/?a=&quot;&amp;b\">"), "{page}");
        assert!(page.contains("&lt;b&gt;hello"), "{page}");
    }
}
