//! TOML files, with the line and column of every key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::string::FromUtf8Error;
use std::sync::Arc;

use figment::value::{Dict, Tag, Value};
use toml_edit::{ImDocument, Item, TableLike};

use crate::error::{ConfigError, ErrorKind};
use crate::key::dotted;
use crate::layer::Layer;
use crate::origin::Origin;
use crate::reference;
use crate::secrecy::is_secret;

/// The most bytes of a file that are read.
pub(crate) const FILE_LIMIT: u64 = 1 << 20;

/// How a variable that a file refers to is looked up.
pub(crate) type Variables<'v> = &'v dyn Fn(&str) -> Option<OsString>;

/// Reads a file into a layer; `None` when there is no such file.
pub(crate) fn read(path: &Path, variables: Variables<'_>) -> Result<Option<Layer>, Vec<ConfigError>> {
    match text(path) {
        Ok(Some(text)) => parse(path, &text, variables).map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(vec![error]),
    }
}

fn text(path: &Path) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::new(ErrorKind::File { path: path.to_owned(), source });
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_LIMIT {
        let kind = ErrorKind::TooLarge { path: path.to_owned(), limit: FILE_LIMIT };
        return Err(ConfigError::new(kind));
    }
    let not_text = |error: FromUtf8Error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()));
    String::from_utf8(bytes).map(Some).map_err(not_text)
}

fn parse(path: &Path, text: &str, variables: Variables<'_>) -> Result<Layer, Vec<ConfigError>> {
    let newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
    let mut places = Places {
        text,
        lines: std::iter::once(0).chain(newlines).collect(),
        path: path.into(),
        variables,
        found: BTreeMap::new(),
        secrets: Vec::new(),
        errors: Vec::new(),
    };
    let document = ImDocument::parse(text).map_err(|error| {
        // The error's own text quotes the line, and with it perhaps a secret.
        let reason = error.message().trim().replace('\n', "; ");
        let place = places.origin(error.span().map_or(0, |span| span.start));
        vec![ConfigError::new(ErrorKind::Syntax { reason }).at(Some(place))]
    })?;
    let values = places.table(document.as_table(), &mut Vec::new());
    let Places { found, secrets, errors, .. } = places;
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Layer::placed(path.display().to_string(), values, found).with_secrets(secrets))
}

struct Places<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    path: Arc<Path>,
    variables: Variables<'t>,
    found: BTreeMap<Vec<String>, Origin>,
    secrets: Vec<Vec<String>>,
    errors: Vec<ConfigError>,
}

impl Places<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[..line].last().copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        let column = before.chars().count() + 1;
        Origin::File { path: Arc::clone(&self.path), line, column }
    }

    fn note(&mut self, path: &[String], span: Option<std::ops::Range<usize>>) {
        if let Some(span) = span {
            let origin = self.origin(span.start);
            self.found.insert(path.to_vec(), origin);
        }
    }

    fn table(&mut self, table: &dyn TableLike, path: &mut Vec<String>) -> Dict {
        let mut values = Dict::new();
        for (name, item) in table.iter() {
            path.push(name.to_owned());
            self.note(path, table.get_key_value(name).and_then(|(key, _)| key.span()));
            if let Some(value) = self.item(item, path) {
                values.insert(name.to_owned(), value);
            }
            path.pop();
        }
        values
    }

    fn item(&mut self, item: &Item, path: &mut Vec<String>) -> Option<Value> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(value, path)),
            Item::Table(table) => Some(Value::Dict(Tag::Default, self.table(table, path))),
            Item::ArrayOfTables(tables) => {
                let mut elements = Vec::with_capacity(tables.len());
                for (index, table) in tables.iter().enumerate() {
                    path.push(index.to_string());
                    self.note(path, table.span());
                    elements.push(Value::Dict(Tag::Default, self.table(table, path)));
                    path.pop();
                }
                Some(Value::Array(Tag::Default, elements))
            }
        }
    }

    fn value(&mut self, value: &toml_edit::Value, path: &mut Vec<String>) -> Value {
        use toml_edit::Value as Toml;
        match value {
            Toml::String(text) => Value::from(self.expanded(text.value(), path)),
            Toml::Integer(number) => Value::from(*number.value()),
            Toml::Float(number) => Value::from(*number.value()),
            Toml::Boolean(value) => Value::from(*value.value()),
            Toml::Datetime(moment) => Value::from(moment.value().to_string()),
            Toml::InlineTable(table) => Value::Dict(Tag::Default, self.table(table, path)),
            Toml::Array(array) => {
                let mut elements = Vec::with_capacity(array.len());
                for (index, element) in array.iter().enumerate() {
                    path.push(index.to_string());
                    self.note(path, element.span());
                    elements.push(self.value(element, path));
                    path.pop();
                }
                Value::Array(Tag::Default, elements)
            }
        }
    }

    /// Text with the variables that it refers to in their places.
    fn expanded(&mut self, text: &str, path: &[String]) -> String {
        let kind = match reference::expand(text, self.variables) {
            Ok(None) => return text.to_owned(),
            Ok(Some(expanded)) => {
                if expanded.variables.iter().any(|name| is_secret(std::slice::from_ref(name))) {
                    self.secrets.push(path.to_vec());
                }
                self.note_variables(path, expanded.variables);
                return expanded.text;
            }
            Err(reference::Fault::Unset(variable)) => ErrorKind::UnsetVariable { variable },
            Err(reference::Fault::Bad(reason)) => ErrorKind::BadReference { reason },
        };
        let origin = self.found.get(path).cloned();
        self.errors.push(ConfigError::new(kind).keyed(dotted(path)).at(origin));
        String::new()
    }

    fn note_variables(&mut self, path: &[String], variables: Vec<String>) {
        if variables.is_empty() {
            return;
        }
        if let Some(origin) = self.found.get_mut(path)
            && let Origin::File { path, line, column } = origin
        {
            *origin = Origin::Reference { path: Arc::clone(path), line: *line, column: *column, variables };
        }
    }
}
