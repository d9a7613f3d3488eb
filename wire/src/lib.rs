//! What crosses between the filter and the companion, defined once.
//!
//! Only shapes live here: what is signed, what is published, what is polled, how the cookie that carries it is read,
//! and how origins are written. How a half judges or makes them is that half's own business.

mod access_token;
pub mod cookie;
mod edge_feed;
mod edge_refresh;
mod jwk;
mod origin;

pub use access_token::{ACCESS_TOKEN_TYP, AccessClaims};
pub use edge_feed::{EdgeFeed, KeysAt, MAX_CURSOR_BYTES, MAX_PAGE, Revoked, RevokedSession, RevokedUser};
pub use edge_refresh::EdgeRefresh;
pub use jwk::{Jwk, JwkSet, PrivateMembers};
pub use origin::{InvalidOrigin, Origin};
