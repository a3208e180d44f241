//! The tables in `docs/contract/`.

use std::collections::BTreeMap;

use super::{files, read};
use crate::shell::{Result, root};

/// The columns that say what becomes of a row on a backend, by the backend's scheme.
const BACKENDS: [&str; 8] = ["memory", "etcd", "redis", "kafka", "sqlite", "postgres", "mysql", "elasticsearch"];

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) table: String,
    /// What it says for each backend; for a table that names none, one without a name.
    pub(super) backends: Vec<(String, Answer)>,
}

/// What a table says of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A test proves it.
    Runs,
    /// A test proves something else in its place, with this name.
    Substitute(String),
    /// It cannot arise, for this reason.
    NotApplicable(String),
}

/// The rows of all tables: `| A-48 | …` of `container.md` is `container A-48`, a row of another table is as it stands.
pub(super) fn all() -> Result<BTreeMap<String, Row>> {
    let mut rows = BTreeMap::new();
    for file in files(&root().join("docs").join("contract"), "md")? {
        let table = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let said = |error| format!("{}: {error}", file.display());
        for (number, row) in table_rows(&table, &read(&file)?).map_err(said)? {
            if rows.insert(number.clone(), row).is_some() {
                return Err(said(format!("{number} stands twice")));
            }
        }
    }
    Ok(rows)
}

/// The rows of a page. Columns with the name of a backend say `runs`, `substitute: …` or `not applicable: …`; in a table
/// without such, a last column that begins with `answer: ` gives a reason in a test's place.
fn table_rows(table: &str, page: &str) -> std::result::Result<Vec<(String, Row)>, String> {
    let mut rows = Vec::new();
    let mut header: Vec<&str> = Vec::new();
    for line in page.lines() {
        let Some(line) = line.strip_prefix('|') else {
            header.clear();
            continue;
        };
        let cells: Vec<&str> = line.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
        if header.is_empty() {
            header = cells;
            continue;
        }
        let Some(number) = cells.first().filter(|number| is_row(number)) else { continue };
        let number = if table == "container" { format!("container {number}") } else { (*number).to_owned() };
        let mut backends = Vec::new();
        for (backend, cell) in header.iter().zip(&cells).filter(|(name, _)| BACKENDS.contains(name)) {
            let answer = Answer::of(cell).ok_or_else(|| {
                format!("{number} on {backend} is `{cell}`: `runs`, `substitute: …` or `not applicable: …` is wanted")
            })?;
            backends.push(((*backend).to_owned(), answer));
        }
        if cells.len() < header.len() && !backends.is_empty() {
            return Err(format!("{number} has fewer columns than its table"));
        }
        if backends.is_empty() {
            let reason = cells.last().and_then(|last| last.strip_prefix("answer: "));
            let answer = reason.map_or(Answer::Runs, |reason| Answer::NotApplicable(reason.to_owned()));
            backends.push((String::new(), answer));
        }
        rows.push((number, Row { table: table.to_owned(), backends }));
    }
    Ok(rows)
}

impl Answer {
    fn of(cell: &str) -> Option<Self> {
        match cell.split_once(": ") {
            None if cell == "runs" => Some(Self::Runs),
            Some(("substitute", what)) => Some(Self::Substitute(what.to_owned())),
            Some(("not applicable", reason)) => Some(Self::NotApplicable(reason.to_owned())),
            _ => None,
        }
    }
}

/// `A-48`, `C-7`, `CLG-3`, `LOG-R2`.
pub(super) fn is_row(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, number)| {
        let number = number.strip_prefix('R').unwrap_or(number);
        let letters = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase());
        letters && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(page: &str) -> std::result::Result<Row, String> {
        table_rows("coord", page).map(|rows| rows.into_iter().next().unwrap().1)
    }

    #[test]
    fn each_backend_says_what_becomes_of_a_row() {
        let page = "| row | behaviour | memory | etcd |\n|---|---|---|---|\n| CRD-1 | x | substitute: a dropped one | runs |\n";
        let backends =
            vec![("memory".into(), Answer::Substitute("a dropped one".into())), ("etcd".into(), Answer::Runs)];
        assert_eq!(only(page).unwrap(), Row { table: "coord".into(), backends });
        let page = page.replace("runs", "not applicable: no wire");
        assert_eq!(only(&page).unwrap().backends[1].1, Answer::NotApplicable("no wire".into()));
        for wrong in ["", "run", "substitute", "yes"] {
            assert!(only(&page.replace("not applicable: no wire", wrong)).unwrap_err().contains("CRD-1 on etcd"));
        }
        assert!(only("| row | memory | etcd |\n| CRD-1 | runs |\n").unwrap_err().contains("fewer columns"));
    }

    #[test]
    fn a_table_without_backends_has_one_answer() {
        let page = "| row | given | then |\n|---|---|---|\n| A-1 | x | y |\n";
        assert_eq!(only(page).unwrap().backends, [(String::new(), Answer::Runs)]);
        let answered = only(&page.replace('y', "answer: it cannot be written")).unwrap();
        assert_eq!(answered.backends[0].1, Answer::NotApplicable("it cannot be written".into()));
        assert_eq!(table_rows("container", page).unwrap()[0].0, "container A-1");
    }

    #[test]
    fn the_columns_are_those_of_the_own_table() {
        let page =
            "| row | etcd |\n|---|---|\n| CRD-1 | runs |\n\nText.\n\n| row | given |\n|---|---|\n| CRD-2 | x |\n";
        let rows = table_rows("coord", page).unwrap();
        assert_eq!(rows[0].1.backends, [("etcd".into(), Answer::Runs)]);
        assert_eq!(rows[1].1.backends, [(String::new(), Answer::Runs)]);
    }
}
