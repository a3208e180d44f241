//! The place that a line was logged from.

/// A source path as it is shown: relative where that can be told.
///
/// The compiler is given paths from the root of the workspace for its own crates, and absolute ones
/// for all others; of those, what follows the folder of the package sources is shown.
pub(crate) fn shown<'a>(file: &'a str, root_path: &str) -> &'a str {
    if !root_path.is_empty()
        && let Some(rest) = below(file, root_path)
    {
        return rest;
    }
    if !file.starts_with('/') {
        return file;
    }
    for (folder, names) in [("/registry/src/", 1), ("/git/checkouts/", 2), ("/rustc/", 1)] {
        if let Some(start) = file.find(folder) {
            let rest = &file[start + folder.len()..];
            return rest.splitn(names + 1, '/').last().unwrap_or(rest);
        }
    }
    // The last three names: enough to know the file again.
    file.rmatch_indices('/').nth(2).map_or(file, |(at, _)| &file[at + 1..])
}

/// What follows the last folder called `root` in the path.
fn below<'a>(file: &'a str, root: &str) -> Option<&'a str> {
    let root = root.trim_matches('/');
    file.rmatch_indices(root).find_map(|(at, _)| {
        let begins = at == 0 || file[..at].ends_with('/');
        let rest = file[at + root.len()..].strip_prefix('/')?;
        begins.then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_relative() {
        for (file, root, expected) in [
            ("src/store.rs", "", "src/store.rs"),
            ("providers/db/src/lib.rs", "", "providers/db/src/lib.rs"),
            ("/u/.cargo/registry/src/index-1/sqlx-0.9.0/src/q.rs", "", "sqlx-0.9.0/src/q.rs"),
            ("/u/.cargo/git/checkouts/x-1/ab12/src/q.rs", "", "src/q.rs"),
            ("/rustc/abc/library/core/src/ops.rs", "", "library/core/src/ops.rs"),
            ("/build/shop/orders/src/main.rs", "", "orders/src/main.rs"),
            ("/main.rs", "", "/main.rs"),
            ("/build/shop/orders/src/main.rs", "shop", "orders/src/main.rs"),
            ("shop/orders/src/main.rs", "/shop/", "orders/src/main.rs"),
            ("workshop/orders/src/main.rs", "shop", "workshop/orders/src/main.rs"),
        ] {
            assert_eq!(shown(file, root), expected);
        }
    }
}
