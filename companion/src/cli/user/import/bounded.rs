//! Input of which no row can fill the memory: an unclosed quote makes the rest of a file one field.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Maximum length of a row, in bytes. Chosen: many times what the fields of a user can have.
pub(super) const MAX_ROW_BYTES: usize = 64 * 1024;

/// Number of bytes that may be read before the next row begins.
#[derive(Clone)]
pub(super) struct Budget(Rc<Cell<usize>>);

/// Reader that fails when its budget is used up.
pub(super) struct Bounded<R> {
    input: R,
    budget: Budget,
}

impl Budget {
    /// Makes a budget of one row.
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(MAX_ROW_BYTES)))
    }

    /// Allows one more row.
    pub(super) fn renew(&self) {
        self.0.set(MAX_ROW_BYTES);
    }
}

impl<R> Bounded<R> {
    pub(super) fn new(input: R, budget: Budget) -> Self {
        Self { input, budget }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.0.get();
        let Some(buffer) = buffer.get_mut(..left.min(buffer.len())).filter(|buffer| !buffer.is_empty())
        else {
            let message = format!("a row has more than {MAX_ROW_BYTES} bytes: a quote may not be closed");
            return Err(io::Error::other(message));
        };
        let read = self.input.read(buffer)?;
        self.budget.0.set(left.saturating_sub(read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_ends_before_it_fills_the_memory() {
        let budget = Budget::new();
        let mut input = Bounded::new(io::repeat(b'x'), budget.clone());
        let mut row = vec![0; MAX_ROW_BYTES];
        input.read_exact(&mut row).unwrap();
        assert!(input.read(&mut row).is_err());
        budget.renew();
        input.read_exact(&mut row).unwrap();
    }
}
