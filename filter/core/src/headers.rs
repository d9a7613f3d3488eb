//! Headers as a proxy-wasm host passes them: a count, the two lengths of each header, then each name and value with a
//! NUL behind it; numbers are little-endian and have 32 bits. Read in place, and written; what they mean is not known
//! here.

/// A header's name and value.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// Headers in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    lengths: &'a [[u8; 8]],
    texts: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Reads what a host has passed; None where it is no such thing. No bytes at all are no headers.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let Some((count, rest)) = bytes.split_first_chunk() else {
            return bytes.is_empty().then(Self::default);
        };
        let (lengths, _) = rest.as_chunks();
        let lengths = lengths.get(..usize::try_from(u32::from_le_bytes(*count)).ok()?)?;
        let texts = rest.get(8 * lengths.len()..)?;
        let said: u64 = lengths
            .iter()
            .copied()
            .map(split)
            .map(|(name, value)| u64::from(name) + u64::from(value) + 2)
            .sum();
        (said == texts.len() as u64).then_some(Self { lengths, texts })
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = Header<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        Iter(self)
    }
}

/// The headers that have yet to come.
#[derive(Clone, Debug, Default)]
pub struct Iter<'a>(Headers<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Header<'a>;

    #[inline]
    fn next(&mut self) -> Option<Header<'a>> {
        let (lengths, others) = self.0.lengths.split_first()?;
        let (name, value) = split(*lengths);
        let (name, rest) = self.0.texts.split_at_checked(name.try_into().ok()?)?;
        let (value, rest) = rest.get(1..)?.split_at_checked(value.try_into().ok()?)?;
        self.0 = Headers { lengths: others, texts: rest.get(1..)? };
        Some((name, value))
    }
}

/// The lengths of a name and a value.
fn split(lengths: [u8; 8]) -> (u32, u32) {
    let [a, b, c, d, value @ ..] = lengths;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(value))
}

/// Headers as a host reads them.
#[must_use]
pub fn write(headers: &[Header<'_>]) -> Vec<u8> {
    let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        for headers in [&[][..], &[(&b""[..], &b""[..])], &[(b":path", b"/"), (b"x", b"\xff\0"), (b"x", b"")]]
        {
            let bytes = write(headers);
            assert_eq!(Headers::read(&bytes).unwrap().into_iter().collect::<Vec<_>>(), headers);
        }
        assert_eq!(Headers::read(b"").unwrap().into_iter().count(), 0);
    }

    #[test]
    fn what_is_shorter_or_longer_than_it_says_is_refused() {
        let bytes = write(&[(b":path", b"/"), (b"cookie", b"a=1")]);
        for end in 1..bytes.len() {
            assert!(Headers::read(&bytes[..end]).is_none(), "{end}");
        }
        assert!(Headers::read(&[&bytes[..], b"x"].concat()).is_none());
        let (count, lengths) = ([0xff; 4], [0xff; 8]);
        assert!(Headers::read(&count).is_none());
        assert!(Headers::read(&[&1_u32.to_le_bytes()[..], &lengths].concat()).is_none());
    }
}
