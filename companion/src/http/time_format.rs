//! How times are written in answers.

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// As JavaScript's `toISOString` writes it, which front ends expect.
pub(super) fn write(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(UtcOffset::UTC).format(&form).unwrap_or_default()
}
