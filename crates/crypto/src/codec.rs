//! The canonical binary encoding of everything that is hashed or signed.
//!
//! Fixed-width big-endian integers, fixed byte arrays, and byte strings behind a `u16` length.
//! There is exactly one encoding of a value: no optional forms, no padding, no unknown fields.
//! A decoder ends with [`Reader::finish`], which refuses trailing bytes.

/// Why bytes are not the canonical encoding of the value they claim to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends before the value does.
    #[error("the input ends too early")]
    UnexpectedEnd,
    /// Bytes are left over after the value.
    #[error("{0} bytes are left over after the value")]
    TrailingBytes(usize),
    /// A field holds a value outside its range; the field is named.
    #[error("field `{0}` is out of range")]
    OutOfRange(&'static str),
    /// A length or count is above its limit; the field is named.
    #[error("field `{0}` is longer than allowed")]
    TooLong(&'static str),
    /// A value is valid in another encoding than the canonical one; the field is named.
    #[error("field `{0}` is not in its canonical form")]
    NotCanonical(&'static str),
    /// A format version or extension this software does not know.
    #[error("field `{0}` has an unknown version or extension")]
    Unknown(&'static str),
}

/// Writes canonical bytes. Infallible: lengths are checked by the types that are written.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Appends two bytes, most significant first.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.fixed(&value.to_be_bytes())
    }

    /// Appends four bytes, most significant first.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.fixed(&value.to_be_bytes())
    }

    /// Appends eight bytes, most significant first.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.fixed(&value.to_be_bytes())
    }

    /// Appends bytes whose length both sides know.
    pub fn fixed(&mut self, value: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(value);
        self
    }

    /// Appends a `u16` length and the bytes.
    ///
    /// # Panics
    /// If `value` is longer than 65,535 bytes; the types that are written have lower limits.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        let length = u16::try_from(value.len()).expect("encoded fields are limited to 65,535 bytes");
        self.u16(length).fixed(value)
    }

    /// The bytes written so far.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads canonical bytes, strictly and without panicking.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if fewer are left.
    pub fn slice(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = tail;
        Ok(head)
    }

    /// Takes an array of `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if fewer are left.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.rest = tail;
        Ok(*head)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if none is left.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    /// Takes a big-endian `u16`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if fewer bytes are left.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// Takes a big-endian `u32`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if fewer bytes are left.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// Takes a big-endian `u64`.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`] if fewer bytes are left.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.fixed().map(u64::from_be_bytes)
    }

    /// Takes a `u16` length and as many bytes, at most `limit`.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`] above the limit, [`DecodeError::UnexpectedEnd`] if the input is short.
    pub fn bytes(&mut self, field: &'static str, limit: usize) -> Result<&'a [u8], DecodeError> {
        let length = usize::from(self.u16()?);
        if length > limit {
            return Err(DecodeError::TooLong(field));
        }
        self.slice(length)
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] if anything is left.
    pub const fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }
}
