//! The pages of the repository: links lead somewhere, the book has all pages of the guide, and the picture of the crates is that of the
//! manifests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(folder: impl AsRef<Path>) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// All pages below a folder, but for what is built, what is hidden, and maps of crates, whose links rustdoc follows.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let own = |path: &PathBuf| !name(path).starts_with('.') && name(path) != "target";
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder).into_iter().filter(own).partition(|path| path.is_dir());
    let files =
        files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "md") && name(path) != "map.md");
    files.chain(folders.iter().flat_map(|folder| pages(folder))).collect()
}

/// The lines of a page without its code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// Where the links of a page go: `[text](here)`.
fn links(text: &str) -> Vec<String> {
    let in_line = |line: &str| {
        // What stands between backticks is code.
        let line: String = line.split('`').step_by(2).collect();
        line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|it| it.0.to_owned()).collect::<Vec<_>>()
    };
    prose(text).flat_map(in_line).collect()
}

/// The anchors of a page's headings, as the usual hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    prose(text).filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_matches(['#', ' ']))).collect()
}

/// The relative links of a page that lead nowhere.
fn broken(page: &Path, text: &str) -> Vec<String> {
    let is_broken = |link: &String| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() { page.to_owned() } else { page.with_file_name("").join(file) };
        let there = target.canonicalize().is_ok_and(|it| root().canonicalize().is_ok_and(|root| it.starts_with(root)));
        !there || !anchor.is_empty() && !anchors(&read(target)).contains(anchor)
    };
    let relative = |link: &String| !link.contains("://") && !link.starts_with("mailto:");
    links(text).into_iter().filter(relative).filter(is_broken).collect()
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_a_heading() {
    let pages = pages(root());
    assert!(pages.contains(&root().join("docs/container.md")), "{pages:?}");
    let broken: Vec<_> = pages
        .iter()
        .flat_map(|page| broken(page, &read(page)).into_iter().map(|link| format!("{}: {link}", page.display())))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "[a](README.md) [b](nowhere.md) [c](#what-is-here) [d](#nothing)\n[e](README.md#nothing) `[f](code.md)` \
                [`g`](../..)\n```\n[h](code.md)\n```\n[i](https://example.org/x) [j](docs) [k](docs/container.md#tags)\n\
                ## What is here?";
    assert_eq!(broken(&root().join("README.md"), text), ["nowhere.md", "#nothing", "README.md#nothing", "../.."]);
}

/// And each page but those for who comes from elsewhere ends with the way to the next.
#[test]
fn the_book_lists_every_page_of_the_guide_and_every_one_is_compiled() {
    let listed: Vec<String> =
        links(&read("docs/README.md")).iter().filter_map(|it| it.strip_prefix("guide/")).map(str::to_owned).collect();
    let there: Vec<String> = entries("docs/guide").iter().map(|path| name(path)).collect();
    assert_eq!(listed, there);

    let source = read("src/guide.rs");
    let compiled: Vec<&str> =
        source.split("include_str!(\"../docs/guide/").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(compiled, listed);

    for pair in listed.windows(2).take_while(|pair| !pair[0].contains("-from-")) {
        let page = read(format!("docs/guide/{}", pair[0]));
        let end = page.trim_end().rsplit("\n\n").next().unwrap_or_default();
        assert!(end.contains("Next: ") && links(end).contains(&pair[1]), "{} does not lead to {}", pair[0], pair[1]);
    }
}

/// The page on how to add a provider shows a crate that is built and tested: each block is a part of the file that is named above it.
#[test]
fn what_the_page_on_providers_shows_stands_in_the_example() {
    let page = read("docs/provider-crate.md");
    let mut shown = 0;
    for (before, block) in page.split("\n```\n").filter_map(|part| part.rsplit_once("\n```")) {
        let (_, code) = block.split_once('\n').expect("a block begins with its language");
        let named = links(before).pop().expect("a file is named above each block");
        let file = read(named.trim_start_matches("../"));
        assert!(file.contains(code), "this is not in {named}:\n{code}");
        shown += 1;
    }
    assert!(shown > 5, "{shown} blocks");
}

#[test]
fn the_picture_of_the_crates_is_that_of_the_manifests() {
    let manifests = |folders: BTreeSet<PathBuf>| folders.into_iter().map(|folder| read(folder.join("Cargo.toml")));
    let core = ["", "gone-core", "gone-macros", "providers/kit"].map(|folder| root().join(folder));
    let providers = &entries("providers") - &BTreeSet::from(core.clone());
    let providers: Vec<String> = manifests(providers).collect();
    let core: Vec<String> = manifests(core.into()).collect();
    let group: Vec<&str> = providers.iter().map(|it| package(it)).collect();

    let architecture = read("ARCHITECTURE.md");
    let expanded = |name| if name == "providers" { group.clone() } else { vec![name] };
    let arrows = architecture.lines().filter_map(|line| line.trim().split_once(" --> "));
    let drawn: BTreeSet<(&str, &str)> = arrows
        .flat_map(|(from, to)| {
            expanded(from).into_iter().flat_map(move |from| expanded(to).into_iter().map(move |to| (from, to)))
        })
        .collect();

    let mut there = BTreeSet::new();
    for manifest in core.iter().chain(&providers) {
        let needs = manifest.split("\n[dependencies]\n").nth(1).map_or("", |it| it.split("\n[").next().unwrap_or(it));
        let needs = needs.lines().filter_map(|line| line.split(['.', ' ']).next());
        there.extend(needs.filter(|need| need.starts_with("gone-")).map(|need| (package(manifest), need)));
    }
    assert_eq!(drawn, there);
}

/// The name of a manifest's package.
fn package(manifest: &str) -> &str {
    manifest.split("\nname = \"").nth(1).and_then(|it| it.split('"').next()).expect("a name")
}
