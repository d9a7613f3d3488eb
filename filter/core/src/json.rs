//! JSON as a tree that keeps every member in its order. Repeated members stay too, so that callers can reject them: RFC
//! 8259 §4 leaves their meaning open.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// JSON value. Strings without escapes borrow from the parsed text.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Number without fraction and exponent, from -2^63 to 2^64 - 1.
    Integer(i128),
    /// Any other number.
    Fraction,
    /// String.
    String(Cow<'a, str>),
    /// Array.
    Array(Vec<Json<'a>>),
    /// Members of an object, as written.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Parses exactly one value (RFC 8259). The caller limits the text's length.
    ///
    /// # Errors
    /// [`serde_json::Error`] if the text is not UTF-8 or not JSON, has more than 128 levels, or has anything but white
    /// space after the value.
    pub fn parse(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Returns the kind of the value, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Fraction => "a number that is no integer",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// `true` if any object in the value has a member twice.
    #[must_use]
    pub fn has_repeated_member(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::has_repeated_member),
            Self::Object(members) => {
                repeated_names(members).next().is_some()
                    || members.iter().any(|(_, value)| value.has_repeated_member())
            }
            _ => false,
        }
    }
}

/// Returns the names of repeated members, each as often as it is repeated. It takes quadratic time.
pub fn repeated_names<'j>(members: &'j [(Cow<'_, str>, Json<'_>)]) -> impl Iterator<Item = &'j str> {
    members.iter().enumerate().filter_map(move |(at, (name, _))| {
        members.iter().take(at).any(|(earlier, _)| earlier == name).then_some(name.as_ref())
    })
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

/// Visitor that accepts any value.
struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Json::Fraction)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Vec::new();
        while let Some((Name(name), value)) = members.next_entry()? {
            object.push((name, value));
        }
        Ok(Json::Object(object))
    }
}

/// Member's name, borrowed if it has no escapes. A plain `Cow` would always be copied.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&Json<'_>>) {
        assert_eq!(Json::parse(text.as_bytes()).ok().as_ref(), expected, "{text:?}");
    }

    #[test]
    fn numbers_are_integers_only_when_written_as_integers() {
        for (text, expected) in [
            ("0", Json::Integer(0)),
            ("-1", Json::Integer(-1)),
            ("18446744073709551615", Json::Integer(u64::MAX.into())),
            ("18446744073709551616", Json::Fraction),
            ("1.0", Json::Fraction),
            ("1e3", Json::Fraction),
        ] {
            check(text, Some(&expected));
        }
    }

    // holds: invariant 3, promise 6
    #[test]
    fn text_that_is_not_one_json_value_is_an_error() {
        for text in ["", "{} {}", "{\"a\":1,}", "/**/1", "\u{feff}1", "\"\\ud800\"", "01", "1e999", "nul"] {
            check(text, None);
        }
        assert!(Json::parse("[".repeat(200).as_bytes()).is_err());
        assert!(Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn repeated_member_is_found_at_any_depth_and_in_any_spelling() {
        for (text, expected) in [
            (r#"{"a":1,"b":1}"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"\u0061":1}"#, true),
            (r#"[{"b":{"a":1,"a":2}}]"#, true),
            (r#"[{"a":1},{"a":1}]"#, false),
        ] {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().has_repeated_member(), expected, "{text}");
        }
    }
}
