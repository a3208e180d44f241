//! Levels as the variable `RUST_LOG` has them.

use gone_kit::nearest;

use crate::level::Level;

/// The variable that stands in for a filter that the configuration does not set.
pub(crate) const VARIABLE: &str = "RUST_LOG";

/// The names of the levels here: those of a log, and `off`.
const NAMES: [&str; 7] = ["trace", "debug", "info", "warn", "error", "fatal", "off"];

/// More than this many directives are no filter that somebody wrote.
const MOST: usize = 1_000;

/// A part of a filter: `info`, or `hyper=warn`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// None: all that no other one names.
    pub(crate) target: Option<String>,
    pub(crate) level: Level,
}

/// Reads a filter; the error is what is wrong with it.
///
/// Between commas stands a level, or `target=level`, or a target alone, which stands for
/// `target=trace`. Levels are read without regard to case.
pub(crate) fn parse(text: &str) -> Result<Vec<Directive>, String> {
    let mut directives = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad = |problem: String| format!("it has a directive that is none, {:?}: {problem}", shortened(part));
        if directives.len() == MOST {
            return Err(format!("it has more than {MOST} directives"));
        }
        directives.push(directive(part).map_err(bad)?);
    }
    Ok(directives)
}

fn directive(text: &str) -> Result<Directive, String> {
    if text.contains(['[', ']', '{', '}']) {
        return Err("filters by span or by field are not known here; write `target=level`".to_owned());
    }
    if text.contains('/') {
        return Err("filters by message are not known here; write `target=level`".to_owned());
    }
    let Some((target, name)) = text.split_once('=') else {
        if let Some(level) = level(text) {
            return Ok(Directive { target: None, level });
        }
        if let Some(near) = nearest(text, &NAMES) {
            return Err(format!("did you mean `{near}`? A target of this name is `{}=trace`", shortened(text)));
        }
        return Ok(Directive { target: Some(target_of(text)?), level: Level::Trace });
    };
    let name = name.trim();
    let level = level(name).ok_or_else(|| unknown_level(name))?;
    Ok(Directive { target: Some(target_of(target.trim())?), level })
}

fn target_of(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("no target stands before the `=`".to_owned());
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("a target has no spaces; directives are separated by commas".to_owned());
    }
    Ok(text.to_owned())
}

fn unknown_level(text: &str) -> String {
    let near = nearest(text, &NAMES).map_or(".".to_owned(), |near| format!(", did you mean `{near}`?"));
    format!("unknown level {:?}{near} Allowed: `{}`", shortened(text), NAMES.join("`, `"))
}

/// A level by its name. `off` leaves only fatal lines, which are always written.
fn level(text: &str) -> Option<Level> {
    let lower = text.to_ascii_lowercase();
    if lower == "off" { Some(Level::Fatal) } else { lower.parse().ok() }
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(Option<String>, Level)>, String> {
        let directives = parse(text)?;
        Ok(directives.into_iter().map(|directive| (directive.target, directive.level)).collect())
    }

    #[test]
    fn directives_are_levels_for_all_and_for_targets() {
        let target = |name: &str| Some(name.to_owned());
        assert_eq!(
            read(" info, hyper=WARN ,my_crate::db=debug,app.mq = trace,noisy=off,sqlx::query,,"),
            Ok(vec![
                (None, Level::Info),
                (target("hyper"), Level::Warn),
                (target("my_crate::db"), Level::Debug),
                (target("app.mq"), Level::Trace),
                (target("noisy"), Level::Fatal),
                (target("sqlx::query"), Level::Trace),
            ])
        );
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn a_bad_directive_is_an_error_with_its_text_and_what_is_near() {
        for (text, expected) in [
            ("info,hyper=wran", ["\"hyper=wran\"", "unknown level \"wran\", did you mean `warn`?"]),
            ("hyper=", ["\"hyper=\"", "Allowed: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `off`"]),
            ("warning", ["\"warning\"", "did you mean `warn`? A target of this name is `warning=trace`"]),
            ("inof", ["\"inof\"", "did you mean `info`?"]),
            ("=debug", ["\"=debug\"", "no target stands before the `=`"]),
            ("a=b=c", ["\"a=b=c\"", "unknown level \"b=c\""]),
            ("hyper=info my=debug", ["\"hyper=info my=debug\"", "unknown level"]),
            ("my crate=debug", ["\"my crate=debug\"", "no spaces"]),
            ("app[request{id=7}]=debug", ["app[request", "by span or by field"]),
            ("info/foo", ["\"info/foo\"", "by message"]),
        ] {
            let error = read(text).unwrap_err();
            assert!(expected.iter().all(|part| error.contains(part)), "{text}: {error}");
            assert!(error.starts_with("it has a directive that is none"), "{error}");
        }
        let error = read(&"x y".repeat(10_000)).unwrap_err();
        assert!(error.len() < 300, "{error}");
        assert!(read(&"a=info,".repeat(MOST)).is_ok());
        assert!(read(&"a=info,".repeat(MOST + 1)).unwrap_err().contains("more than 1000"));
    }
}
