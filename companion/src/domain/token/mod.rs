//! Access and refresh tokens, the keys that sign them, and their serialization.

pub mod access_token;
pub mod jws;
pub mod key_set;
mod pem;
pub mod refresh_token;
pub mod rsa_key;
