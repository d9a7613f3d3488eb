//! Use cases of sessions.

mod announce;
mod authenticate;
mod complete_log_in;
mod confirm;
mod confirm_with_passkey;
mod disown;
mod end;
mod gate;
mod list;
mod log_in;
mod log_in_with_passkey;
mod log_out;
mod log_out_everywhere;
mod prove;
mod refresh;
mod start;

pub use self::authenticate::{RequestTokens, SignedIn, authenticate};
pub use self::complete_log_in::{
    Completion, FactorProof, ask_to_complete, complete_log_in, ways_to_complete,
};
pub use self::confirm::{Confirmation, confirm};
pub use self::confirm_with_passkey::{ask_to_confirm, confirm_with_passkey};
pub use self::disown::disown;
pub use self::end::{end, end_of, end_others};
pub use self::gate::PendingLogin;
pub use self::list::{list, list_of};
pub use self::log_in::{Credentials, SignIn, log_in};
pub use self::log_in_with_passkey::{ask_to_log_in, log_in_with_passkey};
pub use self::log_out::{PresentedTokens, log_out};
pub use self::log_out_everywhere::log_out_everywhere;
pub use self::refresh::refresh;

pub(super) use self::disown::lock_out;
pub(super) use self::end::{end_each, end_sessions};
pub(super) use self::prove::prove;
pub(super) use self::start::start;
