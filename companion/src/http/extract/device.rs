//! Extractor of the client's device, by which users recognise their sessions.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::domain::caller::Caller;
use crate::domain::session::device::Device;

/// Device of the client.
pub(in crate::http) struct ClientDevice(pub(in crate::http) Device);

impl<S: Send + Sync> FromRequestParts<S> for ClientDevice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
        let request = parts.extensions.get::<Caller>().and_then(|caller| caller.request.as_ref());
        Ok(Self(Device::new(user_agent, request.and_then(|request| request.client))))
    }
}
