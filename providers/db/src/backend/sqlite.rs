//! SQLite: a file in the file system, or a database in memory.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use gone_config::{SectionError, SectionFault};
use sqlx::any::AnyConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::{Dialect, Prepared};
use crate::error::DbError;

const MEMORY: &str = "sqlite::memory:";

/// WAL survives a crash of the process in any mode; with `NORMAL` a power cut may cost the last commits, never the file.
const SESSION: &str = "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL;";

/// A transaction that reads first and writes later fails at once if another wrote in between, and no timeout helps.
/// Taking the write lock at the start makes it wait its turn instead.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// Between attempts to switch a new file to WAL while another process does the same.
const BUSY_RETRY: Duration = Duration::from_millis(20);

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Memory,
    File { path: PathBuf, access: Access },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Create,
    Write,
    Read,
}

impl Target {
    /// The error is the reason why it means nothing.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut access = Some(Access::Create);
        for parameter in parameters.split('&').filter(|it| !it.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if key != "mode" {
                return Err(format!("unknown parameter `{key}`; there is `mode`"));
            }
            access = match value {
                "rwc" => Some(Access::Create),
                "rw" => Some(Access::Write),
                "ro" => Some(Access::Read),
                "memory" => None,
                _ => return Err(format!("mode is {value:?}; it must be rwc, rw, ro or memory")),
            };
        }
        let bare = place.trim_start_matches("sqlite:");
        let bare = bare.strip_prefix("//").unwrap_or(bare);
        let Some(access) = access.filter(|_| bare != ":memory:") else {
            return Ok(Self::Memory);
        };
        if bare.is_empty() {
            return Err("it names no file; write `sqlite:data/app.db` or `sqlite::memory:`".to_owned());
        }
        // The driver's own reading, so that `%20` and the like mean one thing.
        let decoded = SqliteConnectOptions::from_str(&format!("sqlite:{bare}"))
            .map_err(|_| "its path is not valid UTF-8 once decoded".to_owned())?;
        Ok(Self::File { path: decoded.get_filename().to_owned(), access })
    }
}

pub(super) async fn prepare(url: &str) -> Result<Prepared, DbError> {
    let (options, access) = match Target::parse(url).map_err(unfit)? {
        Target::Memory => (MEMORY.to_owned(), Access::Create),
        Target::File { path, access } => (prepare_file(&path, access).await?, access),
    };
    let address = options.clone();
    let options = AnyConnectOptions::from_str(&options)
        .map_err(|source| DbError::Connect { address, source })?
        .disable_statement_logging();
    Ok(Prepared {
        dialect: Dialect::Sqlite,
        pinned: options.database_url.as_str() == MEMORY,
        options,
        session: Some(SESSION),
        begin: (access != Access::Read).then_some(BEGIN),
        test_before_acquire: false,
    })
}

/// Creates what is missing, opens the file once, and gives the address by which the pool opens it.
async fn prepare_file(path: &Path, access: Access) -> Result<String, DbError> {
    let failed = |source: sqlx::Error| DbError::Connect { address: format!("sqlite:{}", path.display()), source };

    // Absolute from here on: the working directory may change later, and SQLite reads `file:` at the start as a URI.
    let absolute = std::path::absolute(path).map_err(|it| failed(it.into()))?;
    if access == Access::Create
        && let Some(folder) = absolute.parent().map(Path::to_owned)
    {
        let created = tokio::task::spawn_blocking(move || std::fs::create_dir_all(folder)).await;
        created
            .map_err(|_| DbError::Interrupted { operation: "connect" })?
            .map_err(|source| DbError::CreateFolder { path: path.to_owned(), source })?;
    }

    let mut options = SqliteConnectOptions::new()
        .filename(&absolute)
        .create_if_missing(access == Access::Create)
        .read_only(access == Access::Read)
        .disable_statement_logging();
    if access != Access::Read {
        options = options.journal_mode(SqliteJournalMode::Wal);
    }
    let connection = loop {
        match options.connect().await {
            Ok(connection) => break connection,
            // The switch to WAL does not wait for a lock; whoever asks has a deadline.
            Err(error) if is_busy(&error) => tokio::time::sleep(BUSY_RETRY).await,
            Err(error) => return Err(failed(error)),
        }
    };
    connection.close().await.map_err(failed)?;

    // Without links and dots, since an address normalizes dots before links are followed.
    let found = std::fs::canonicalize(&absolute).map_err(|it| failed(it.into()))?;
    let Some(found) = found.to_str() else {
        return Err(unfit(format!("the path {} is not valid UTF-8", found.display())));
    };
    let mode = if access == Access::Read { "ro" } else { "rw" };
    Ok(format!("sqlite:{}?mode={mode}", percent_encoded(found)))
}

fn unfit(reason: String) -> DbError {
    SectionError::from(SectionFault::hidden("url", reason)).into()
}

fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    let code = error.as_database_error().and_then(|it| it.code());
    // The low byte of an extended result code is the code proper.
    code.and_then(|it| it.parse::<i32>().ok()).is_some_and(|it| it & 0xff == BUSY)
}

fn percent_encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, access: Access) -> Target {
        Target::File { path: path.into(), access }
    }

    #[test]
    fn a_path_may_follow_the_scheme_with_or_without_slashes() {
        assert_eq!(Target::parse("sqlite:data/a.db"), Ok(file("data/a.db", Access::Create)));
        assert_eq!(Target::parse("sqlite://data/a.db"), Ok(file("data/a.db", Access::Create)));
        assert_eq!(Target::parse("sqlite:/var/a.db"), Ok(file("/var/a.db", Access::Create)));
        assert_eq!(Target::parse("sqlite:///var/a%20b.db?mode=ro"), Ok(file("/var/a b.db", Access::Read)));
        assert_eq!(Target::parse("sqlite:a.db?mode=rw"), Ok(file("a.db", Access::Write)));
    }

    #[test]
    fn memory_has_a_name_and_a_mode() {
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:?mode=memory", "sqlite:x.db?mode=memory"] {
            assert_eq!(Target::parse(url), Ok(Target::Memory), "{url}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_known_is_refused_by_name() {
        let error = Target::parse("sqlite:a.db?cache=shared").unwrap_err();
        assert!(error.contains("unknown parameter `cache`"), "{error}");
        let error = Target::parse("sqlite:a.db?mode=fast").unwrap_err();
        assert!(error.contains("\"fast\"") && error.contains("rwc, rw, ro or memory"), "{error}");
    }

    #[test]
    fn an_address_without_a_path_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite:?mode=rw"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
