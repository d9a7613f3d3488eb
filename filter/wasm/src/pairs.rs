//! Header map in the ABI's serialised form: a count, the two lengths of each field, then each name and value with a NUL
//! behind it. Numbers are little-endian and have 32 bits.

/// Name and value of a header field.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// Serialised header map, read in place.
#[derive(Clone, Default)]
pub struct Pairs<'a> {
    lengths: &'a [[u8; 8]],
    texts: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// Reads a serialised map; none if it is malformed. No bytes are a map without fields.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let Some((count, rest)) = bytes.split_first_chunk() else {
            return bytes.is_empty().then(Self::default);
        };
        let (lengths, _) = rest.as_chunks();
        let lengths = lengths.get(..usize::try_from(u32::from_le_bytes(*count)).ok()?)?;
        let texts = rest.get(8 * lengths.len()..)?;
        let expected: u64 = lengths
            .iter()
            .copied()
            .map(split)
            .map(|(name, value)| u64::from(name) + u64::from(value) + 2)
            .sum();
        (expected == texts.len() as u64).then_some(Self { lengths, texts })
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        let (lengths, others) = self.lengths.split_first()?;
        let (name, value) = split(*lengths);
        let (name, rest) = self.texts.split_at_checked(name.try_into().ok()?)?;
        let (value, rest) = rest.get(1..)?.split_at_checked(value.try_into().ok()?)?;
        *self = Self { lengths: others, texts: rest.get(1..)? };
        Some((name, value))
    }
}

/// Lengths of a name and of a value.
fn split(lengths: [u8; 8]) -> (u32, u32) {
    let [a, b, c, d, value @ ..] = lengths;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(value))
}

/// Serialises fields.
pub fn write<'a>(fields: impl IntoIterator<Item = Field<'a>> + Clone) -> Vec<u8> {
    let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = number(fields.clone().into_iter().count()).to_vec();
    for (name, value) in fields.clone() {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in fields.into_iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests;
