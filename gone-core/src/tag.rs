use std::borrow::Cow;
use std::fmt;

use crate::Location;

/// What stands in `#[gone("name,extend")]`, together with who asks.
///
/// The grammar is Gone's: the text is split once, at the first comma. Before it stands the name: empty or `*` asks by
/// type; anything else asks for that name; nothing is trimmed. After it stands the extension, which the container
/// passes to the provider verbatim. (contract container)
#[derive(Clone)]
pub struct Tag {
    text: Cow<'static, str>,
    asker: Asker,
}

impl Tag {
    /// A tag of this text, asked by nobody in particular.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Tag { text: text.into(), asker: Asker::default() }
    }

    pub(crate) fn asked_by(text: impl Into<Cow<'static, str>>, asker: Asker) -> Self {
        Tag { text: text.into(), asker }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name: all before the first comma.
    pub fn name(&self) -> &str {
        split(&self.text).0
    }

    /// The extension: all after the first comma, verbatim; empty where there is none.
    pub fn extend(&self) -> &str {
        split(&self.text).1
    }

    /// The extension read as `k=v,k2,k3=v3`: keys and values trimmed, in order; a key without `=` has an empty value; a
    /// value keeps any further `=`; of a key given twice the last value stands, at the place of the first. Blank parts are
    /// left out.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in self.extend().split(',').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some(known) => known.1 = value,
                None => pairs.push((key, value)),
            }
        }
        pairs
    }

    /// The value of a key of [`pairs`](Tag::pairs).
    pub fn value(&self, key: &str) -> Option<&str> {
        self.pairs().into_iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Who asks.
    pub fn asker(&self) -> &Asker {
        &self.asker
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:?}, {})", self.text, self.asker)
    }
}

pub(crate) fn split(text: &str) -> (&str, &str) {
    text.split_once(',').unwrap_or((text, ""))
}

/// Whoever asks for something: a goner's field, or a parameter of an injected function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    pub(crate) goner: Cow<'static, str>,
    pub(crate) module: &'static str,
    pub(crate) field: Cow<'static, str>,
    pub(crate) at: Option<Location>,
}

impl Asker {
    /// The goner's type by its short name, or the name of the function whose parameter asks; empty if nobody does.
    pub fn goner(&self) -> &str {
        &self.goner
    }

    /// The path of the Rust module in which the goner is declared; empty for functions.
    pub fn module_path(&self) -> &'static str {
        self.module
    }

    /// The field, or `parameter 1`.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Where the field is declared, or the function was given.
    pub fn at(&self) -> Option<Location> {
        self.at
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.goner.is_empty() {
            return f.write_str("nobody");
        }
        write!(f, "{}", self.goner)?;
        if !self.field.is_empty() {
            write!(f, ".{}", self.field)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // container A-107
    #[test]
    fn a_tag_is_split_once_and_its_pairs_are_trimmed_with_the_last_duplicate_winning() {
        let whole = |text: &'static str| {
            let tag = Tag::new(text);
            (tag.name().to_owned(), tag.extend().to_owned())
        };
        assert_eq!(whole(""), (String::new(), String::new()));
        assert_eq!(whole("a"), ("a".into(), String::new()));
        assert_eq!(whole(" a , b,c"), (" a ".into(), " b,c".into()));
        let tag = Tag::new("x, k = v ,k2, ,k3=a=b,k=w");
        assert_eq!(tag.pairs(), [("k", "w"), ("k2", ""), ("k3", "a=b")]);
        assert_eq!(tag.value("k3"), Some("a=b"));
        assert_eq!(tag.value("nope"), None);
        assert!(Tag::new("x").pairs().is_empty());
    }
}
