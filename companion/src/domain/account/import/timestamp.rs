//! Times of other systems.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads a time by RFC 3339, or as Postgres prints it: a blank instead of `T`, and `+00` instead of `+00:00`. A time
/// without an offset is in UTC.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let offset_at = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at_checked(offset_at)?;
    let offset = match offset.len() {
        0 => "Z".to_owned(),
        3 => format!("{offset}:00"),
        _ => offset.to_owned(),
    };
    OffsetDateTime::parse(&format!("{date}T{clock}{offset}"), &Rfc3339).ok()
}
