//! Pages of long lists. A cursor names the last item of a page by the key that the list is ordered by, so a page is found
//! by an index however far back it is, and items that are added meanwhile move none to another page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// Number of items of a page without a wish.
const DEFAULT_SIZE: u8 = 50;

/// Number of items of a page: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u8);

/// Page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// Items, in the order of the list.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` if this is the last one.
    pub next: Option<C>,
}

/// Number that is not the size of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the size of a page is a number from 1 to {}", PageSize::MAX.0)]
pub struct InvalidPageSize;

/// Text that is not a cursor of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

impl PageSize {
    /// Maximum. Chosen: more than a person reads, and a response of some 30 KiB.
    pub const MAX: Self = Self(100);

    /// Reads a size in decimal digits.
    ///
    /// # Errors
    /// [`InvalidPageSize`] if it is no number from 1 to 100.
    pub fn parse(text: &str) -> Result<Self, InvalidPageSize> {
        match text.parse() {
            Ok(size) if (1..=Self::MAX.0).contains(&size) => Ok(Self(size)),
            _ => Err(InvalidPageSize),
        }
    }

    /// Returns the number of rows to read: one more than the page has, which tells if there is another page.
    #[must_use]
    pub fn rows(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(DEFAULT_SIZE)
    }
}

impl<T, C> Page<T, C> {
    /// Makes the page of [`PageSize::rows`] rows or fewer, each with the cursor of what follows it.
    #[must_use]
    pub fn of_rows(rows: Vec<(C, T)>, size: PageSize) -> Self {
        let is_last = rows.len() <= usize::from(size.0);
        let (mut cursors, items): (Vec<C>, Vec<T>) = rows.into_iter().take(size.0.into()).unzip();
        Self { items, next: cursors.pop().filter(|_| !is_last) }
    }
}

/// Writes a cursor: an ID, and the rest of the key. It is opaque to clients.
#[must_use]
pub(in crate::domain) fn encode(id: i64, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{id}.{key}"))
}

/// Reads a cursor of [`encode`]. It comes from a client, and can be any text without NUL, which Postgres cannot hold.
pub(in crate::domain) fn decode(cursor: &str) -> Result<(i64, String), InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
    let (id, key) = text.split_once('.').ok_or(InvalidCursor)?;
    match id.parse() {
        Ok(id) if !key.contains('\0') => Ok((id, key.to_owned())),
        _ => Err(InvalidCursor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_a_number_from_1_to_100() {
        for (text, size) in [
            ("1", Some(1)),
            ("100", Some(100)),
            ("0", None),
            ("101", None),
            ("256", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(PageSize::parse(text).ok().map(|size| size.0), size, "{text:?}");
        }
    }

    #[test]
    fn page_has_a_cursor_if_there_is_another_one() {
        let page = |rows: u8| {
            let page = Page::of_rows((0..rows).map(|row| (row, ())).collect(), PageSize(2));
            (page.items.len(), page.next)
        };
        assert_eq!([page(0), page(1), page(2), page(3)], [(0, None), (1, None), (2, None), (2, Some(1))]);
    }

    #[test]
    fn cursor_is_read_as_written_and_another_text_is_none() {
        for (id, key) in [(1, ""), (i64::MAX, "ö.b@c"), (-1, "1.2")] {
            assert_eq!(decode(&encode(id, key)), Ok((id, key.to_owned())));
        }
        for text in ["", "1.a", "e30", &URL_SAFE_NO_PAD.encode("x.a"), &encode(1, "\0")] {
            assert_eq!(decode(text), Err(InvalidCursor), "{text:?}");
        }
    }
}
