//! The text of a value.

use std::borrow::Cow;
use std::fmt;
use std::str;

/// The longest text that is kept in place.
const SHORT: usize = 22;

/// A text that was given away, or a copy of one; a short copy is kept in place.
#[derive(Clone)]
pub(crate) enum Text {
    Given(Cow<'static, str>),
    Short { bytes: [u8; SHORT], length: u8 },
}

impl Text {
    pub(crate) fn copy(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { bytes, length: text.len() as u8 }
            }
            None => Self::Given(text.to_owned().into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(text) => text,
            // Copied from a `str`.
            Self::Short { bytes, length } => str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_reads_as_the_text_whatever_its_length() {
        for text in ["", "a", "é日志😀", &"x".repeat(SHORT), &"x".repeat(SHORT + 1), &"é".repeat(12)] {
            assert_eq!(Text::copy(text).as_str(), text);
            assert_eq!(Text::copy(text), Text::Given(text.to_owned().into()));
            assert_eq!(matches!(Text::copy(text), Text::Short { .. }), text.len() <= SHORT);
        }
    }
}
