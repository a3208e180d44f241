//! Every kind of message has a page with a program that fails with it, the whole message, and the program mended. Both programs run here,
//! and all three must be on the page to the byte. With `GONE_BLESS=1` they are put there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gone::MessageKind;

const WIDTH: usize = 99;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The folder of a kind's programs: `g0001`.
fn folder(kind: MessageKind) -> String {
    kind.to_string().to_lowercase()
}

/// Runs a program where its source text is found, as a user runs it whose environment says nothing.
fn run(program: &str) -> Result<Output, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.arg(program).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("GONE_") || name_text.starts_with("SHOP_") || name_text == "NO_COLOR" {
            command.env_remove(&name);
        }
    }
    command.env("RUST_BACKTRACE", "0");
    command.output().map_err(|error| format!("{program}: {error}"))
}

/// The message without what differs from run to run.
fn message(program: &str, stderr: &[u8]) -> String {
    let path = format!("tests/errors/src/{program}.rs");
    let text = String::from_utf8_lossy(stderr).replace(&path, "src/main.rs");
    let mut out = String::new();
    for line in without_panics(&text).lines() {
        out.push_str(&with_one_duration(line));
        out.push('\n');
    }
    out
}

/// What the standard library says of a panic comes first, with the number of a thread; it is not the message.
fn without_panics(text: &str) -> &str {
    match text.strip_prefix("\nthread '") {
        Some(_) => text.find("\nerror").map_or(text, |at| &text[at + 1..]),
        None => text,
    }
}

/// How long a hook ran: ` failed in init after 51.3ms: `.
fn with_one_duration(line: &str) -> String {
    let Some((before, rest)) = line.split_once(" after ") else { return line.to_owned() };
    let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(0);
    let Some(unit) = ["ns", "µs", "ms", "s"].into_iter().find(|unit| rest[digits..].starts_with(unit)) else {
        return line.to_owned();
    };
    match digits > 0 {
        true => format!("{before} after 10.0ms{}", &rest[digits + unit.len()..]),
        false => line.to_owned(),
    }
}

/// A page cut at its fences: what is between, and the three blocks.
struct Page {
    between: Vec<String>,
    blocks: Vec<(String, String)>,
}

impl Page {
    fn parse(text: &str) -> Page {
        let mut page = Page { between: vec![String::new()], blocks: Vec::new() };
        let mut inside = false;
        for line in text.lines() {
            match (inside, line.strip_prefix("```")) {
                (false, Some(language)) => {
                    page.blocks.push((language.to_owned(), String::new()));
                    inside = true;
                }
                (true, Some("")) => {
                    page.between.push(String::new());
                    inside = false;
                }
                _ => {
                    let into = match (inside, page.blocks.last_mut()) {
                        (true, Some((_, block))) => block,
                        _ => {
                            let last = page.between.len() - 1;
                            &mut page.between[last]
                        }
                    };
                    into.push_str(line);
                    into.push('\n');
                }
            }
        }
        page
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (at, between) in self.between.iter().enumerate() {
            text.push_str(between);
            if let Some((language, block)) = self.blocks.get(at) {
                text.push_str(&format!("```{language}\n{block}```\n"));
            }
        }
        text
    }

    fn languages(&self) -> Vec<&str> {
        self.blocks.iter().map(|(language, _)| language.as_str()).collect()
    }
}

const LANGUAGES: [&str; 3] = ["rust", "text", "rust"];

fn skeleton(kind: MessageKind) -> String {
    let blocks = LANGUAGES.map(|language| format!("```{language}\n```\n"));
    let [fails, says, fixed] = blocks;
    format!("# {kind}: {}\n\n{fails}\nsays\n\n{says}\nMended:\n\n{fixed}", kind.code())
}

/// All that is wrong with one kind's page and programs.
fn check(kind: MessageKind) -> Result<(), String> {
    let exit_code = match kind {
        MessageKind::StopFailed => 2,
        MessageKind::Interrupted => 128 + 15,
        _ => 1,
    };
    let (fails, fixed) = (format!("{}/fails", folder(kind)), format!("{}/fixed", folder(kind)));
    let (output, again) = (run(&fails)?, run(&fails)?);
    let (text, text_again) = (message(&fails, &output.stderr), message(&fails, &again.stderr));
    if output.status.code() != Some(exit_code) {
        return Err(format!("{fails} ended with {}, and not with {exit_code}:\n{text}", output.status));
    }
    if text != text_again {
        return Err(format!("{fails} says two things:\n{text}\n{text_again}"));
    }
    let pointers: Vec<_> = text.lines().filter_map(|line| line.split_once("= see: ")).map(|(_, page)| page).collect();
    if pointers != [kind.page()] {
        return Err(format!("{fails} points to {pointers:?}:\n{text}"));
    }
    // As it was written, with the longer path.
    let written = String::from_utf8_lossy(&output.stderr);
    if let Some(long) = without_panics(&written).lines().find(|line| line.chars().count() > WIDTH) {
        return Err(format!("{fails} has a line of more than {WIDTH} columns: {long}"));
    }
    let mended = run(&fixed)?;
    if mended.status.code() != Some(0) || !mended.stderr.is_empty() {
        let said = String::from_utf8_lossy(&mended.stderr).into_owned();
        return Err(format!("{fixed} ended with {}:\n{said}", mended.status));
    }

    let path = root().join(kind.page());
    let source = |program: &str| read(&root().join(format!("tests/errors/src/{program}.rs")));
    let expected = [source(&fails)?, text, source(&fixed)?];
    if std::env::var_os("GONE_BLESS").is_some() {
        let mut page = Page::parse(&read(&path).unwrap_or_else(|_| skeleton(kind)));
        if page.languages() != LANGUAGES {
            return Err(format!("{}: its blocks are {:?}, and not {LANGUAGES:?}", kind.page(), page.languages()));
        }
        page.blocks = LANGUAGES.iter().map(|language| (*language).to_owned()).zip(expected).collect();
        return std::fs::write(&path, page.text()).map_err(|error| format!("{}: {error}", path.display()));
    }
    let page = Page::parse(&read(&path)?);
    if !page.between[0].starts_with(&format!("# {kind}: ")) {
        return Err(format!("{} does not begin with `# {kind}: `", kind.page()));
    }
    if page.languages() != LANGUAGES {
        return Err(format!("{}: its blocks are {:?}, and not {LANGUAGES:?}", kind.page(), page.languages()));
    }
    for ((_, found), expected) in page.blocks.iter().zip(&expected) {
        if found != expected {
            return Err(format!(
                "{} is behind; `GONE_BLESS=1 cargo test -p gone-error-pages` brings it up to date. \
                 It has\n{found}\nand there is\n{expected}",
                kind.page()
            ));
        }
    }
    Ok(())
}

#[test]
fn every_kind_of_message_has_its_page_with_two_programs_that_do_what_it_says() {
    let mut wrong = Vec::new();
    // A few at a time: some of the programs have budgets of milliseconds.
    for kinds in MessageKind::ALL.chunks(4) {
        std::thread::scope(|scope| {
            let checks: Vec<_> = kinds.iter().map(|kind| scope.spawn(|| check(*kind))).collect();
            wrong.extend(checks.into_iter().filter_map(|check| check.join().expect("no check panics").err()));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_page_and_every_pair_of_programs_is_of_a_kind_and_the_index_has_them_all() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
        entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
    };
    let mut pages: BTreeSet<_> = MessageKind::ALL.iter().map(|kind| format!("{kind}.md")).collect();
    pages.insert("README.md".to_owned());
    assert_eq!(names("docs/errors"), pages);
    let mut programs: BTreeSet<_> = MessageKind::ALL.iter().map(|kind| folder(*kind)).collect();
    programs.insert("main.rs".to_owned());
    assert_eq!(names("tests/errors/src"), programs);

    let index = read(&root().join("docs/errors/README.md")).expect("the index is there");
    let rows: Vec<_> = index.lines().filter(|line| line.starts_with("| [G")).collect();
    assert_eq!(rows.len(), MessageKind::ALL.len());
    for (row, kind) in rows.iter().zip(MessageKind::ALL) {
        let page = read(&root().join(kind.page())).expect("the page is there");
        let title = page.lines().next().and_then(|line| line.strip_prefix(&format!("# {kind}: ")));
        let title = title.expect("a title");
        assert_eq!(*row, format!("| [{kind}]({kind}.md) | `{}` | {title} |", kind.code()));
    }
}

#[test]
fn the_guide_explains_messages_that_are_said() {
    if std::env::var_os("GONE_BLESS").is_some() {
        return; // The pages are being written.
    }
    let texts = |path: &str| -> Vec<String> {
        let page = Page::parse(&read(&root().join(path)).expect("the page is there"));
        page.blocks.into_iter().filter(|(language, _)| language == "text").map(|(_, text)| text).collect()
    };
    let explained = texts("docs/guide/07-reading-a-report.md");
    let said = [MessageKind::MissingName, MessageKind::HookFailed].map(|kind| texts(&kind.page()).remove(0));
    assert_eq!(explained, said);
}

/// `cargo fmt` does not see what is included.
#[test]
fn the_programs_are_formatted() {
    let files: Vec<_> = MessageKind::ALL
        .iter()
        .flat_map(|kind| ["fails", "fixed"].map(|program| format!("tests/errors/src/{}/{program}.rs", folder(*kind))))
        .collect();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024", "--config-path", "rustfmt.toml"]).args(files).current_dir(root());
    match rustfmt.output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(error) => eprintln!("no rustfmt here: {error}"),
    }
}
