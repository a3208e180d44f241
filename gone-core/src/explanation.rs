//! What whoever finds a problem knows of it beyond one line of text.

use std::ops::Range;

/// More of an error than its text: providers and sources that know where a bad value stands, and what to do about it, say so in parts, and
/// the report shows them as it shows the user's own source. See [`Error::explained`](crate::Error::explained).
///
/// Whatever it holds is shown: no secret may be in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// What is wrong in a line, in the place of the error's own text, which says all of it.
    pub title: Option<String>,
    /// The place in a file that is no Rust source.
    pub excerpt: Option<Excerpt>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
}

/// A place in a file that is no Rust source, such as one of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The file, as it is to be shown.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The line itself, if it may be shown, and the bytes of it that are meant.
    pub text: Option<(String, Range<usize>)>,
    /// What stands beside it.
    pub label: String,
}

impl Excerpt {
    /// A place by its line and column, both counted from 1, the column in characters.
    pub fn new(path: impl Into<String>, line: usize, column: usize) -> Self {
        Self { path: path.into(), line, column, text: None, label: String::new() }
    }

    /// With the line itself, which will be shown, and the bytes of it that are meant.
    #[must_use]
    pub fn text(mut self, line: impl Into<String>, meant: Range<usize>) -> Self {
        self.text = Some((line.into(), meant));
        self
    }

    /// With what stands beside it.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

impl Explanation {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With that line in the place of the error's own text.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With that place in a file.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(excerpt);
        self
    }

    /// With one more thing to be known.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With one more thing to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
