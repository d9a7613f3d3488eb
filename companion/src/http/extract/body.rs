//! Bodies of requests: their type, their size, and the time that they take to arrive.

use std::time::Duration;

use axum::RequestExt;
use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use tokio::time::timeout;

use crate::http::error::ApiError;

/// Maximum length of a body, in bytes. Chosen: many times the length of any valid body.
const MAX_BYTES: usize = 64 * 1024;
/// Maximum time from the header section of a request to the end of its body. Chosen: that of the header section. A
/// client that sends slowly is no failure of the service, and gets its response before the deadline of requests.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    /// JSON. Requiring its type also rejects forms of other sites: browsers send it only after a CORS preflight.
    Json,
    /// HTML form.
    Form,
}

impl Kind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    fn wrong_type(self) -> ApiError {
        match self {
            Self::Json => ApiError::ContentTypeNotJson,
            Self::Form => ApiError::ContentTypeNotForm,
        }
    }

    fn unreadable(self) -> ApiError {
        match self {
            Self::Json => ApiError::BodyNotObject,
            Self::Form => ApiError::BodyNotForm,
        }
    }
}

/// Reads the body of a request.
///
/// # Errors
/// [`ApiError::ContentTypeNotJson`] or [`ApiError::ContentTypeNotForm`], [`ApiError::ContentEncoded`],
/// [`ApiError::BodyTooLarge`], [`ApiError::BodyTooSlow`]; [`ApiError::BodyNotObject`] or [`ApiError::BodyNotForm`] if it
/// ends early.
pub(in crate::http) async fn read(mut request: Request, kind: Kind) -> Result<Bytes, ApiError> {
    if !is_of_kind(request.headers(), kind) {
        return Err(kind.wrong_type());
    }
    if is_encoded(request.headers()) {
        return Err(ApiError::ContentEncoded);
    }
    // A client that waits for `100 Continue` (RFC 9110 §10.1.1) sends nothing of it.
    if request.body().size_hint().lower() > MAX_BYTES as u64 {
        return Err(ApiError::BodyTooLarge);
    }
    DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
    let read = timeout(MAX_TIME, request.extract()).await.map_err(|_| ApiError::BodyTooSlow)?;
    read.map_err(|rejection: BytesRejection| {
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::BodyTooLarge
        } else {
            kind.unreadable()
        }
    })
}

/// Returns `true` if the only type is that one.
fn is_of_kind(headers: &HeaderMap, kind: Kind) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(kind.media_type())
}

/// Returns `true` if the body has a content coding (RFC 9110 §8.4). None is decoded: a few bytes could become any number.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(request: axum::http::request::Builder, body: Body) -> Result<Bytes, u16> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body).unwrap();
        let read = super::read(request, Kind::Json).await;
        read.map_err(|error| error.into_response().status().as_u16())
    }

    #[tokio::test(start_paused = true)]
    async fn body_that_arrives_too_slowly_is_rejected() {
        for (pause, expected) in
            [(100, Ok(Bytes::from_static(b"{}"))), (6_000, Err(408)), (600_000, Err(408))]
        {
            let chunks = futures_util::stream::unfold(b"{}".iter(), move |mut rest| async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                rest.next().map(|byte| (Ok::<_, std::convert::Infallible>(vec![*byte]), rest))
            });
            let started = tokio::time::Instant::now();
            assert_eq!(read(Request::post("/"), Body::from_stream(chunks)).await, expected, "{pause}");
            assert!(started.elapsed() <= MAX_TIME, "{pause}: {:?}", started.elapsed());
        }
    }
}
