//! An error and its sources.

use std::error::Error;
use std::fmt::Write;

use crate::escape::{Capped, Escape};

/// The most sources of an error that are looked at: a chain may run in a circle.
const DEEPEST: usize = 16;

/// The sources of an error, the nearest first.
pub(crate) fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |source: &&'a (dyn Error + 'static)| (*source).source()).take(DEEPEST)
}

/// Writes the error and its sources with `: ` between them, in all no more than `longest` bytes. A
/// source that the text before already ends with is not said twice. The two buffers are for the texts.
pub(crate) fn push_chain(
    out: &mut String,
    error: &(dyn Error + 'static),
    escape: Escape,
    longest: usize,
    [last, text]: [&mut String; 2],
) {
    let read = |into: &mut String, error: &dyn Error| {
        into.clear();
        let mut capped = Capped::new(into, Escape::None, longest);
        // An error that cannot be shown shows what it has.
        let _ = write!(capped, "{error}");
        capped.cut()
    };
    let cut = read(last, error);
    let mut capped = Capped::new(out, escape, longest);
    capped.push(last);
    capped.skip(cut);
    for source in sources(error) {
        let cut = read(text, source);
        if cut > 0 || !last.ends_with(text.as_str()) {
            capped.push(": ");
            capped.push(text);
            capped.skip(cut);
        }
        std::mem::swap(last, text);
    }
    capped.finish();
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use super::*;

    fn shown(error: &(dyn Error + 'static), longest: usize) -> String {
        let mut out = String::new();
        push_chain(&mut out, error, Escape::None, longest, [&mut String::new(), &mut String::new()]);
        out
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layered {
        text: &'static str,
        source: Option<Box<Layered>>,
    }

    #[test]
    fn an_error_is_written_with_its_sources_each_said_once() {
        let chain = |texts: &[&'static str]| {
            texts.iter().rev().fold(None, |source, text| Some(Box::new(Layered { text, source })))
        };
        let plain = chain(&["cannot save", "no connection", "refused"]).unwrap();
        assert_eq!(shown(&*plain, 1_000), "cannot save: no connection: refused");
        let doubled = chain(&["cannot save: refused", "refused"]).unwrap();
        assert_eq!(shown(&*doubled, 1_000), "cannot save: refused");
        // Each text is cut by itself, and what is missing of all is told once.
        assert_eq!(shown(&*plain, 14), "cannot save: n…(21 bytes cut)");
        assert_eq!(shown(&*plain, 4), "cann…(31 bytes cut)");
    }

    #[derive(Debug)]
    struct Circle;

    impl Display for Circle {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("round")
        }
    }

    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_chain_that_runs_in_a_circle_ends() {
        assert_eq!(sources(&Circle).count(), DEEPEST);
    }
}
