//! Use cases of the signing keys. They have no rows: each event is a log line, on standard error if a command did it.

mod generate;
mod reload;
mod rotate;

pub use self::generate::generate;
pub use self::reload::reload;
pub use self::rotate::rotate;
