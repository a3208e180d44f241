//! Files that a source file takes in while it is compiled: they must be in the package too.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::workspace::Package;

/// What stands before the path of a file that is taken in.
const TAKES_IN: [&str; 4] = ["include!(", "include_bytes!(", "include_str!(", "#[path = "];

/// What the sources of a package take in that is not in it.
pub(super) fn outside(package: &Package, files: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let Ok(text) = std::fs::read_to_string(package.folder().join(file)) else {
            wrong.push(format!("{file} cannot be read"));
            continue;
        };
        for path in paths(&text) {
            let taken = path.as_ref().and_then(|path| within(&Path::new(file).with_file_name(""), path));
            if !taken.is_some_and(|taken| files.contains(&taken)) {
                let what = path.as_deref().unwrap_or("something");
                wrong.push(format!("{file} takes in {what}, which is not known to be in the package"));
            }
        }
    }
    wrong
}

/// The paths of what is taken in; `None` for one that is not plain text.
fn paths(source: &str) -> Vec<Option<String>> {
    let lines = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    lines
        .flat_map(|line| TAKES_IN.iter().filter_map(move |start| line.split_once(start)))
        .map(|(_, rest)| rest.strip_prefix('"')?.split_once('"').map(|(path, _)| path.to_owned()))
        .collect()
}

/// The path in the package of one that is seen from a folder of it, unless it leads out.
fn within(folder: &Path, path: &str) -> Option<String> {
    let mut found = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::Normal(name) => found.push(name),
            Component::CurDir => {}
            Component::ParentDir => found.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(found.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_in_is_found_in_code_and_not_in_comments() {
        let source = r##"
            /// For instance with `include_str!("../x.md")`.
            #[doc = include_str!("../README.md")]
            #[path = "conformance/at.rs"]
            include!(concat!(env!("OUT_DIR"), "/made.rs"));
        "##;
        assert_eq!(paths(source), [Some("../README.md".into()), Some("conformance/at.rs".into()), None]);
    }

    #[test]
    fn a_path_is_followed_as_long_as_it_stays_in_the_package() {
        let within = |folder: &str, path: &str| within(Path::new(folder), path);
        assert_eq!(within("src/", "../README.md"), Some("README.md".into()));
        assert_eq!(within("tests/it/", "../at.rs"), Some("tests/at.rs".into()));
        assert_eq!(within("src/", "../../README.md"), None);
        assert_eq!(within("src/", "/etc/passwd"), None);
    }
}
