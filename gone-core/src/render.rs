//! Messages as text: for a terminal or plain, with the user's own source where it can be read.

use std::collections::BTreeMap;
use std::fmt;

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Padding, Renderer, Snippet};

use crate::error::Scene;
use crate::plan::{Place, Problem, Report};
use crate::source_text::{Mark, SourceText};
use crate::type_name::without_std;
use crate::{Asker, Code, Error, Excerpt, Hook, Location, MessageKind};

/// No line gets longer than this unless a single word is.
const WIDTH: usize = 99;

/// An error or a report as text, made by [`Error::render`] and [`Report::render`]: `Display` writes it.
///
/// Plain unless said. The lines of the user's own source that it is about are shown where the files can be read: as the compiler was
/// given them, from the folder that the program runs in, or under `cargo run` and `cargo test` from the folder of the workspace. A file
/// that was changed since is not shown.
#[derive(Clone, Copy)]
pub struct Rendered<'a> {
    what: What<'a>,
    color: bool,
    sources: bool,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Error(&'a Error),
    Report(&'a Report),
    Problem(&'a Problem),
}

impl fmt::Debug for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rendered { what: _, color, sources } = self;
        f.debug_struct("Rendered").field("color", color).field("sources", sources).finish_non_exhaustive()
    }
}

impl<'a> Rendered<'a> {
    pub(crate) fn error(error: &'a Error) -> Self {
        Rendered { what: What::Error(error), color: false, sources: true }
    }

    pub(crate) fn report(report: &'a Report) -> Self {
        Rendered { what: What::Report(report), color: false, sources: true }
    }

    pub(crate) fn problem(problem: &'a Problem) -> Self {
        Rendered { what: What::Problem(problem), color: false, sources: true }
    }

    /// With the escape sequences of a terminal, or without.
    #[must_use]
    pub fn color(self, color: bool) -> Self {
        Rendered { color, ..self }
    }

    /// With lines of the user's source where they can be read, or without.
    #[must_use]
    pub fn sources(self, sources: bool) -> Self {
        Rendered { sources, ..self }
    }
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let mut page = Page { renderer: renderer.term_width(WIDTH), sources: self.sources.then(SourceText::default) };
        match self.what {
            What::Error(error) => f.write_str(&page.errors(error)),
            What::Report(report) => f.write_str(&page.report(report)),
            What::Problem(problem) => f.write_str(&page.problem(problem)),
        }
    }
}

/// Whether standard error takes colour: it is a terminal that is not called dumb, and `NO_COLOR` is not set.
pub(crate) fn stderr_takes_color() -> bool {
    use std::io::IsTerminal;
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !set("NO_COLOR") && !dumb
}

struct Page {
    renderer: Renderer,
    sources: Option<SourceText>,
}

impl Page {
    fn report(&mut self, report: &Report) -> String {
        let mut blocks: Vec<String> = report.problems().iter().map(|problem| self.problem(problem)).collect();
        blocks.push(match report.problems().len() {
            1 => "1 problem; nothing was built".to_owned(),
            many => format!("{many} problems; nothing was built"),
        });
        blocks.join("\n\n")
    }

    fn problem(&mut self, problem: &Problem) -> String {
        let mut block = Block::new(problem.code, &problem.message);
        let mut involved = problem.involved.iter();
        let written = problem.excerpt.as_ref().map(|excerpt| block.excerpt(excerpt)).is_some();
        match (&problem.asker, problem.involved.first()) {
            (Some(asker), _) if asker.at().is_some() => self.asker(&mut block, asker, "asks for it", !written),
            (Some(asker), _) => block.note("note", format!("`{asker}` asks for it")),
            (None, Some(_)) => {
                involved.by_ref().take(1).for_each(|place| self.place(&mut block, place, !written));
            }
            (None, None) => {}
        }
        involved.for_each(|place| self.place(&mut block, place, false));
        if problem.path.len() > 1 && problem.code != Code::Cycle {
            block.note("needed by", problem.path.join(" → "));
        }
        // What is explained in parts is not said again.
        let explained = problem.cause.as_ref().filter(|cause| cause.explanation().is_some());
        let said = explained.map_or_else(|| problem.message.clone(), Error::to_string);
        block.causes(&said, problem.cause.as_ref());
        legend(&mut block, problem);
        for note in &problem.notes {
            block.note("note", note.clone());
        }
        for help in &problem.help {
            block.note("help", help.clone());
        }
        block.see(problem.kind);
        block.render(&self.renderer)
    }

    /// An error, and all that is attached to it.
    fn errors(&mut self, error: &Error) -> String {
        let mut blocks = Vec::new();
        self.error(error, &mut blocks);
        if blocks.len() > 1 {
            blocks.push(format!("{} errors; the first is what it ended with", blocks.len()));
        }
        blocks.join("\n\n")
    }

    fn error(&mut self, error: &Error, blocks: &mut Vec<String>) {
        if let Some(report) = error.report() {
            blocks.push(self.report(report));
        } else {
            let mut block = Block::new(error.code(), &error.to_string());
            if let Some(Scene { goner, at: Some(at), .. }) = error.scene() {
                let name = goner.split('<').next().unwrap_or_default().to_owned();
                self.mark(&mut block, at, &Mark::Declaration(name), true, Vec::new());
            }
            block.causes(error.message(), Some(error));
            for (what, asker) in [("asked by", error.asker()), ("needed by", error.needed_by())] {
                if let Some(asker) = asker {
                    let at = asker.at().map(|at| format!(", {}:{}", at.file(), at.line())).unwrap_or_default();
                    block.note(what, format!("`{asker}`{at}"));
                }
            }
            if let Some(help) = what_to_do(error) {
                block.note("help", help.to_owned());
            }
            if let Some(kind) = error.kind() {
                block.see(kind);
            }
            blocks.push(block.render(&self.renderer));
        }
        for attached in error.attached() {
            self.error(attached, blocks);
        }
    }

    fn asker(&mut self, block: &mut Block, asker: &Asker, what: &str, first: bool) {
        let Some(at) = asker.at() else { return };
        let label = format!("`{asker}` {what}");
        let field = Mark::Field(asker.field().to_owned());
        let mark = if self.line(at, &field).is_some() { field } else { Mark::Call };
        self.mark(block, at, &mark, first, vec![label]);
    }

    fn place(&mut self, block: &mut Block, place: &Place, first: bool) {
        let elsewhere = (place.loaded.file(), place.loaded.line()) != (place.at.file(), place.at.line());
        let loaded = elsewhere.then(|| format!("loaded at {}:{}", place.loaded.file(), place.loaded.line()));
        let labels = std::iter::once(place.what.clone()).chain(loaded).collect();
        self.mark(block, place.at, &place.mark, first, labels);
    }

    fn line(&mut self, at: Location, mark: &Mark) -> Option<crate::source_text::MarkedLine> {
        self.sources.as_mut()?.line(at, mark)
    }

    /// The place in the user's source with as many of the labels as fit beside it, the rest as notes; or that place and the labels.
    fn mark(&mut self, block: &mut Block, at: Location, mark: &Mark, first: bool, labels: Vec<String>) {
        match self.line(at, mark) {
            Some(line) => {
                let kind = if first { AnnotationKind::Primary } else { AnnotationKind::Context };
                let before = line.text[..line.mark.end].chars().count() + 8;
                let fit = |count: &usize| before + labels[..*count].join(", ").chars().count() <= WIDTH;
                let fitting = (1..=labels.len()).rev().find(fit).unwrap_or(0);
                let beside = (fitting > 0).then(|| labels[..fitting].join(", "));
                let below = (fitting < labels.len()).then(|| labels[fitting..].join(", "));
                let above: String = line.above.iter().map(|line| format!("{line}\n")).collect();
                let start = at.line() as usize - line.above.len();
                let annotation = kind.span(line.mark.start + above.len()..line.mark.end + above.len()).label(beside);
                let tag = line.above.first().map(|tag| AnnotationKind::Visible.span(0..tag.len()));
                let snippet = Snippet::source(above + &line.text).line_start(start).path(at.file());
                block.elements.push(snippet.annotation(annotation).annotations(tag).into());
                below.into_iter().for_each(|label| block.note("note", label));
            }
            None if first => {
                let origin = Origin::path(at.file()).line(at.line() as usize).char_column(at.column() as usize);
                block.elements.push(origin.into());
                block.elements.push(Padding.into());
                if !labels.is_empty() {
                    block.note("note", labels.join(", "));
                }
            }
            None => {
                let labels = labels.join(", ");
                let colon = if labels.is_empty() { "" } else { ": " };
                block.note("note", format!("{labels}{colon}{}:{}", at.file(), at.line()));
            }
        }
    }
}

/// One message while it is put together.
struct Block {
    code: Code,
    title: String,
    elements: Vec<Element<'static>>,
}

impl Block {
    fn new(code: Code, title: &str) -> Self {
        Block { code, title: title.to_owned(), elements: Vec::new() }
    }

    fn note(&mut self, name: &'static str, text: String) {
        let level = match name {
            "help" => Level::HELP,
            _ => Level::NOTE.with_name(name),
        };
        let indent = "     = ".len() + name.len() + ": ".len();
        self.elements.push(level.message(wrapped(&text, indent)).into());
    }

    /// A place in a file that is no Rust source.
    fn excerpt(&mut self, excerpt: &Excerpt) {
        let Excerpt { path, line, column, text, label } = excerpt;
        match text {
            Some((text, mark)) if text.get(mark.clone()).is_some() => {
                let before = text[..mark.end].chars().count() + 8;
                let fits = before + label.chars().count() <= WIDTH;
                let annotation = AnnotationKind::Primary.span(mark.clone()).label(fits.then(|| label.clone()));
                let snippet = Snippet::source(text.clone()).line_start(*line).path(path.clone());
                self.elements.push(snippet.annotation(annotation).into());
                if !fits {
                    self.note("note", label.clone());
                }
            }
            _ => {
                self.elements.push(Origin::path(path.clone()).line(*line).char_column(*column).into());
                self.elements.push(Padding.into());
                if !label.is_empty() {
                    self.note("note", label.clone());
                }
            }
        }
    }

    fn see(&mut self, kind: MessageKind) {
        self.note("see", kind.page());
    }

    /// What the message itself does not say of the chain of causes.
    fn causes(&mut self, message: &str, error: Option<&Error>) {
        let mut said = message.to_owned();
        let mut next = error.and_then(Error::source);
        while let Some(cause) = next {
            let text = cause.to_string();
            if !said.contains(&text) {
                self.note("caused by", text.clone());
            }
            said = text;
            next = cause.source();
        }
    }

    fn render(self, renderer: &Renderer) -> String {
        let id = (self.code != Code::Other).then(|| self.code.as_str());
        let indent = "error: ".len() + id.map_or(0, |id| id.len() + 2);
        let mut title = Level::ERROR.primary_title(wrapped(&self.title, indent));
        if let Some(id) = id {
            title = title.id(id);
        }
        renderer.render(&[title.elements(self.elements)])
    }
}

/// What to do about an error that comes after the plan, where its own text does not say it.
fn what_to_do(error: &Error) -> Option<&'static str> {
    let stops = error.code() == Code::Stop;
    match (error.exact_kind()?, error.hook()) {
        (MessageKind::HookAbandoned, Some(Hook::Run)) => Some("end the task when its token says so"),
        (MessageKind::HookAbandoned, _) if stops => {
            Some("make it shorter, or give it more time with `.stop_budget(…)`")
        }
        (MessageKind::HookAbandoned, Some(Hook::Start)) => {
            Some("return as soon as it is ready and go on in `Run`, or give it more time with `.start_budget(…)`")
        }
        (MessageKind::HookAbandoned, _) => Some("make it shorter, or give it more time with `.start_budget(…)`"),
        (MessageKind::BootBudget, _) => Some("make it shorter, or give the boot more time with `Options::boot`"),
        _ => None,
    }
}

/// Says apart what types are meant where two have the same short name.
fn legend(block: &mut Block, problem: &Problem) {
    let mut alike: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    let wanted = problem.wanted.iter().map(|it| ((it.type_name.as_str(), it.full_type_name), "is wanted".to_owned()));
    let involved = problem.involved.iter().flat_map(|place| {
        let at = format!("is at {}:{}", place.at.file(), place.at.line());
        place.types.iter().map(move |(short, full)| ((short.as_str(), *full), at.clone()))
    });
    for ((short, full), what) in wanted.chain(involved) {
        let types = alike.entry(short).or_default();
        if types.iter().all(|(other, _)| *other != full) {
            types.push((full, what));
        }
    }
    for (short, types) in alike.into_iter().filter(|(_, types)| types.len() > 1) {
        let types: Vec<_> = types.iter().map(|(full, what)| format!("`{}` {what}", without_std(full))).collect();
        block.note("note", format!("these are all called `{short}`: {}", types.join(", ")));
    }
}

/// The text in lines that fit behind so much: it is broken at blanks, and within a word that is longer than a line.
fn wrapped(text: &str, indent: usize) -> String {
    let width = WIDTH.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split(' ') {
            let word: Vec<char> = word.chars().collect();
            if length > 0 && length + 1 + word.len() > width {
                lines.push(std::mem::take(&mut line));
                length = 0;
            } else if length > 0 {
                line.push(' ');
                length += 1;
            }
            let mut parts = word.chunks(width).peekable();
            while let Some(part) = parts.next() {
                line.extend(part);
                length += part.len();
                if parts.peek().is_some() {
                    lines.push(std::mem::take(&mut line));
                    length = 0;
                }
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, wrapped};

    #[test]
    fn lines_are_broken_at_blanks_and_within_words_that_are_longer() {
        assert_eq!(wrapped("short", 10), "short");
        assert_eq!(wrapped("", 10), "");
        assert_eq!(wrapped("two\nlines", 10), "two\nlines");
        let long = format!("{} {}", "word ".repeat(60).trim_end(), "x".repeat(250));
        let text = wrapped(&long, 30);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH - 30), "{text}");
        assert_eq!(text.replace(['\n', ' '], ""), long.replace(' ', ""));
    }
}
