//! Access, refresh, device and one-time tokens, the keys that sign them, and the serialization of both.

pub mod access_token;
pub mod device_token;
pub mod form_token;
pub mod invalid_key;
pub mod jws;
pub mod key_encryption;
pub mod key_set;
pub mod one_time;
mod pem;
pub mod refresh_token;
pub mod rotation;
pub mod rsa_key;
pub mod sealed_key;
pub mod stored_key;
