//! Types, grammars and limits that the filter and the companion share: whatever both must agree on is defined here,
//! once.
//!
//! - [`access_token`], with the grammars of its claims in [`role`] and [`user_id`]
//! - [`authentication`]: methods of a proof, and the page that asks for a fresh one
//! - [`jwk`]: public keys, and their limits
//! - [`cookie`]: the cookies that carry tokens, and the reading of `Cookie` headers
//! - [`clock`]: differences between clocks that are tolerated
//! - [`edge_feed`] and [`edge_refresh`]: what the filter asks the companion for
//! - [`error_code`]: codes of error responses
//! - [`return_to`]: the way back from the login page
//! - [`origin`]: web origins
//! - [`network`]: networks of addresses
//! - [`version`]: which filter works with which companion
//!
//! No decision is taken here, and nothing reads a clock or a network. The crate is compiled into the plugin, so it
//! has few dependencies, and what runs on every request allocates nothing.

pub mod access_token;
pub mod authentication;
pub mod clock;
pub mod cookie;
pub mod edge_feed;
pub mod edge_refresh;
pub mod error_code;
pub mod jwk;
pub mod network;
pub mod origin;
pub mod return_to;
pub mod role;
pub mod user_id;
pub mod version;

pub use access_token::{ACCESS_TOKEN_TYP, AccessClaims};
pub use edge_feed::{
    Ban, BanScope, BansAt, EdgeFeed, FeedQuery, KeysAt, MAX_BANS, MAX_CURSOR_BYTES, MAX_PAGE, Revoked,
    RevokedSession, RevokedUser,
};
pub use edge_refresh::{EdgeRefresh, EdgeSession};
pub use jwk::{Jwk, JwkSet, PrivateMembers};
pub use network::{InvalidNetwork, Network};
pub use origin::{InvalidOrigin, Origin};
pub use version::{FILTER_PRODUCT, VERSION};
