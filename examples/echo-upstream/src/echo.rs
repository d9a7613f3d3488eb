//! Request as it reached the upstream.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::Serialize;

/// Values of header fields by name.
pub(crate) type Fields = BTreeMap<String, Vec<String>>;

/// Request as it reached the upstream.
#[derive(Serialize)]
pub(crate) struct Echo {
    pub(crate) method: String,
    /// Path with its query.
    pub(crate) path: String,
    pub(crate) headers: Fields,
    /// Length of the body.
    pub(crate) body_bytes: u64,
    pub(crate) trailers: Fields,
}

impl Echo {
    /// Reads a request with a body of any size, which is not stored.
    ///
    /// # Errors
    /// If the body breaks off.
    pub(crate) async fn read(parts: &Parts, body: Body) -> Result<Self, axum::Error> {
        let (body_bytes, trailers) = drain(body).await?;
        Ok(Self {
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: readable(&parts.headers),
            body_bytes,
            trailers: readable(&trailers),
        })
    }
}

async fn drain(mut body: Body) -> Result<(u64, HeaderMap), axum::Error> {
    let (mut bytes, mut trailers) = (0, HeaderMap::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame?.into_data() {
            Ok(data) => bytes += data.len() as u64,
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok((bytes, trailers))
}

fn readable(headers: &HeaderMap) -> Fields {
    let mut by_name = Fields::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        by_name.entry(name.to_string()).or_default().push(value);
    }
    by_name
}
