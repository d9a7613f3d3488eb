//! Times as text. They are written in UTC, by RFC 3339.

use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::formatting::Formattable;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// Text that is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a time is written as 2030-01-31T15:00:00Z, or as the day 2030-01-31, which begins at midnight UTC")]
pub struct InvalidTime;

/// Reads a time (RFC 3339), or a day (the `full-date` there), which is its first moment in UTC.
///
/// # Errors
/// [`InvalidTime`] if it is neither.
pub fn parse_time(text: &str) -> Result<OffsetDateTime, InvalidTime> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    day.map(|day| day.midnight().assume_utc())
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .map_err(|_| InvalidTime)
}

/// Reads a time by RFC 3339, or as Postgres prints it: a blank instead of `T`, and `+00` instead of `+00:00`. A time
/// without an offset is in UTC.
#[must_use]
pub fn parse_foreign_time(text: &str) -> Option<OffsetDateTime> {
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

/// Writes a time to the second, for people.
#[must_use]
pub fn format_seconds(time: OffsetDateTime) -> String {
    format(time, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
}

/// Writes a time to the minute, for a text.
#[must_use]
pub fn format_minutes(time: OffsetDateTime) -> String {
    format(time, format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))
}

/// Writes a time to the millisecond, as JavaScript's `toISOString` does.
#[must_use]
pub fn format_millis(time: OffsetDateTime) -> String {
    format(time, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
}

/// Writes a time with all of its digits, for another system.
#[must_use]
pub fn format_exactly(time: OffsetDateTime) -> String {
    format(time, &Rfc3339)
}

fn format(time: OffsetDateTime, form: &(impl Formattable + ?Sized)) -> String {
    // Postgres and the clock have no year that a format rejects.
    time.to_offset(UtcOffset::UTC).format(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn time_is_a_moment_or_the_beginning_of_a_day() {
        for (text, time) in [
            ("2030-01-31", Ok(datetime!(2030-01-31 00:00 UTC))),
            ("2030-01-31T15:00:00Z", Ok(datetime!(2030-01-31 15:00 UTC))),
            ("2030-01-31T15:00:00.5+01:00", Ok(datetime!(2030-01-31 14:00:00.5 UTC))),
            ("2030-02-30", Err(InvalidTime)),
            ("2030-01-31T15:00:00", Err(InvalidTime)),
            ("yesterday", Err(InvalidTime)),
            ("", Err(InvalidTime)),
        ] {
            assert_eq!(parse_time(text), time, "{text:?}");
        }
    }

    #[test]
    fn time_of_another_system_is_one_of_a_standard_or_of_postgres() {
        let expected = datetime!(2026-01-31 12:00 UTC);
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00.000000+00:00",
            "2026-01-31 12:00:00+00",
            "2026-01-31 13:00:00.0+01",
            "2026-01-31 06:30:00-05:30",
            "2026-01-31T12:00:00",
        ] {
            assert_eq!(parse_foreign_time(text), Some(expected), "{text}");
        }
        for text in ["2026-01-31", "12:00", "2026-02-30T12:00:00Z", "1769860800", "now"] {
            assert_eq!(parse_foreign_time(text), None, "{text}");
        }
    }

    #[test]
    fn time_is_written_in_utc() {
        let time = datetime!(2030-01-31 00:00:00.123456 +01:00);
        assert_eq!(format_seconds(time), "2030-01-30T23:00:00Z");
        assert_eq!(format_minutes(time), "2030-01-30 23:00 UTC");
        assert_eq!(format_millis(time), "2030-01-30T23:00:00.123Z");
    }
}
