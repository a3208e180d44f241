//! An error of the config in parts, for the report: the line of the file, as far as it may be shown, and what to do.

use std::io::Read;
use std::path::Path;

use gone_core::{Code, Error, Excerpt, Explanation};

use crate::error::{ConfigError, ConfigErrors, ErrorKind, NearKey};
use crate::key::Key;
use crate::origin::Origin;
use crate::secrecy::HIDDEN;

impl ConfigError {
    /// As the container's error, `gone::config`: a report that it becomes a problem of shows the line of the file, as far as it may be
    /// shown, and what to do.
    pub fn into_error(self) -> Error {
        let explanation = self.explanation();
        Error::from(self).with_code(Code::Config).explained(explanation)
    }

    fn explanation(&self) -> Explanation {
        let mut it = Explanation::new().title(self.title());
        let expected = self.expectation();
        match self.origin() {
            Some(Origin::File { path, line, column } | Origin::Reference { path, line, column, .. }) => {
                let label = match (self.kind(), &expected) {
                    (ErrorKind::UnknownKey, Some(_)) => "no such key".to_owned(),
                    (ErrorKind::UnknownKey | ErrorKind::Unasked, _) => "nobody asks for it".to_owned(),
                    (_, Some(expected)) => expected.clone(),
                    _ => String::new(),
                };
                let mut excerpt = Excerpt::new(path.display().to_string(), *line, *column).label(label);
                excerpt.text = self.line(path, *line, *column);
                it = it.excerpt(excerpt);
                if let (ErrorKind::UnknownKey, Some(expected)) = (self.kind(), expected) {
                    it = it.note(expected);
                }
                if let Some(Origin::Reference { variables, .. }) = self.origin() {
                    let plural = if variables.len() == 1 { "" } else { "s" };
                    it = it.note(format!("its text is from the environment variable{plural} {}", variables.join(", ")));
                }
            }
            origin => {
                it = match origin {
                    Some(Origin::Variable { name }) => it.note(format!("set by the environment variable {name}")),
                    Some(Origin::Elsewhere { place }) => it.note(format!("set at {place}")),
                    Some(origin) => it.note(origin.to_string()),
                    None => it,
                };
                if let Some(expected) = expected {
                    it = it.note(expected);
                }
            }
        }
        if !self.overridden().is_empty() {
            let overridden: Vec<String> = self.overridden().iter().map(Origin::to_string).collect();
            it = it.note(format!("it overrides {}", overridden.join(", ")));
        }
        if let (ErrorKind::Missing, Some(key)) = (self.kind(), self.key()) {
            let variable = Key::parse(key).ok().and_then(|key| key.variable());
            let variable = variable.map(|name| format!(", or as the environment variable {name}")).unwrap_or_default();
            it = it.help(format!("set it in gone.toml{variable}"));
        }
        let near: Vec<String> = self.near().iter().map(near).collect();
        if !near.is_empty() {
            it = it.help(format!("did you mean {}?", near.join(", or ")));
        }
        it
    }

    /// What is wrong, without where and what else.
    fn title(&self) -> String {
        let Some(key) = self.key() else { return self.kind().to_string() };
        match (self.kind(), self.value()) {
            (ErrorKind::Invalid { .. }, Some(value)) if self.shows_text() => {
                format!("config key `{key}`: bad value `{}`", value.escape_debug())
            }
            (ErrorKind::Invalid { .. }, Some(shape)) => format!("config key `{key}`: {shape} in its place"),
            (ErrorKind::Invalid { reason }, None) => {
                format!("config key `{key}`: {}", reason.as_deref().unwrap_or("bad value"))
            }
            (ErrorKind::Missing, _) => format!("config key `{key}`: missing"),
            (ErrorKind::UnknownKey, _) => format!("config key `{key}`: unknown"),
            (kind, _) => format!("config key `{key}`: {kind}"),
        }
    }

    /// What was expected, and why what was found does not do.
    fn expectation(&self) -> Option<String> {
        let reason = match self.kind() {
            // Without a value the title has said it.
            ErrorKind::Invalid { reason } if self.value().is_some() => reason.as_deref(),
            _ => None,
        };
        match (self.expected(), reason) {
            (Some(expected), Some(reason)) => Some(format!("expected {expected}, but {reason}")),
            (Some(expected), None) => Some(format!("expected {expected}")),
            (None, Some(reason)) => Some(reason.to_owned()),
            (None, None) => None,
        }
    }

    /// The line where the key stands, put together anew: of the file's own text nothing is shown, for any of it may be a secret.
    fn line(&self, path: &Path, line: usize, column: usize) -> Option<(String, std::ops::Range<usize>)> {
        let name = self.key()?.rsplit('.').next()?;
        let written = read_line(path, line)?;
        let from = written.char_indices().nth(column.checked_sub(1)?)?.0;
        let literal = written[from..].strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
        let before = " ".repeat(column - 1);
        let mut text = format!("{before}{name} = ");
        // The value is shown as it is written if it is the one that the error shows anyway.
        let value = self.value().filter(|value| self.shows_text() && !value.contains(HIDDEN));
        let shown = value.and_then(|value| {
            ["\"", "'", ""].iter().find_map(|quote| {
                let literal_value = format!("{quote}{value}{quote}");
                literal.starts_with(&literal_value).then_some(literal_value)
            })
        });
        match shown {
            Some(value) => {
                let mark = text.len()..text.len() + value.len();
                text.push_str(&value);
                Some((text, mark))
            }
            None => {
                let mark = before.len()..before.len() + name.len();
                text.push('…');
                Some((text, mark))
            }
        }
    }
}

impl ConfigErrors {
    /// As the container's error: the first one, with the others attached. In a report each becomes a problem.
    pub fn into_error(self) -> Error {
        let mut errors = self.into_iter().map(ConfigError::into_error);
        match errors.next() {
            Some(first) => first.attach(errors),
            None => Error::new(Code::Config, "the config could not be read"),
        }
    }
}

fn near(NearKey { key, origin }: &NearKey) -> String {
    match origin {
        Some(origin) => format!("`{key}` ({origin})"),
        None => format!("`{key}`"),
    }
}

/// One line of a file that is no larger than one that is read as config.
fn read_line(path: &Path, line: usize) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(crate::file::FILE_LIMIT).read_to_string(&mut text).ok()?;
    text.lines().nth(line.checked_sub(1)?).map(str::to_owned)
}
