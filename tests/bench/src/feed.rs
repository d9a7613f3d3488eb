//! Edge feed of a measurement: the companion's, but with revocations of its own making, as many as the path says. It has a
//! thread for each connection, since it must respond while the load does not run.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};
use edgeward_wire::edge_feed::MAX_PAGE;
use edgeward_wire::{EdgeFeed, JwkSet, KeysAt, Revoked, RevokedSession, VERSION};

use super::now;

/// Tag of the only key set.
const KEYS: &str = "keys";
/// Time for which a revocation is kept, in seconds. Chosen: longer than a measurement.
const KEPT_S: u64 = 3600;

/// Returns the path of the feed that has so many revocations.
pub(super) fn path(revocations: usize) -> String {
    format!("/{revocations}")
}

/// Content of the feed.
struct Source {
    keys: JwkSet,
    /// Sessions, in no order: those that end do not end in the order in which they began.
    sessions: Vec<u64>,
}

/// Starts the feed, with at most so many revocations. Returns its port.
pub(super) fn start(keys: JwkSet, revocations: usize) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let mut sessions: Vec<u64> = (1..=u64::try_from(revocations)?).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut sessions);
    let source = Arc::new(Source { keys, sessions });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let source = Arc::clone(&source);
            // Envoy closes a connection whose request is not understood, and logs it.
            thread::spawn(move || source.serve(stream));
        }
    });
    Ok(port)
}

impl Source {
    /// Responds to requests without bodies, one after the other.
    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line)? > 0 {
            let target = line.split(' ').nth(1).context("no target")?.to_owned();
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line)?;
            }
            line.clear();
            let body = serde_json::to_vec(&self.respond(&target)?)?;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
        }
        Ok(())
    }

    /// Returns the response to `/<revocations>?after=<the number that the filter has>&keys=<its tag>&…`.
    fn respond(&self, target: &str) -> Result<EdgeFeed> {
        let (path, query) = target.split_once('?').context("no query")?;
        let all: usize = path.trim_start_matches('/').parse()?;
        let value =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
        let from: usize = match value("after=") {
            "" => 0,
            cursor => cursor.parse()?,
        };
        let to = (from + MAX_PAGE).min(all);
        let at = now();
        let until = u32::try_from(at + KEPT_S)?;
        let page = self.sessions.get(from..to).context("no such page")?;
        Ok(EdgeFeed {
            at,
            version: Some(VERSION.into()),
            keys: KeysAt { etag: KEYS.to_owned(), set: (value("keys=") != KEYS).then(|| self.keys.clone()) },
            revoked: Revoked {
                sessions: page.iter().map(|session| RevokedSession(*session, until)).collect(),
                users: Vec::new(),
            },
            cursor: to.to_string(),
            more: to < all,
            bans: None,
        })
    }
}
