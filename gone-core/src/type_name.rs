/// A type's name without the paths of modules: `alloc::sync::Arc<dyn app::Store>` becomes `Arc<dyn Store>`.
pub(crate) fn short(full: &str) -> String {
    let mut out = String::with_capacity(full.len());
    let mut segment = 0;
    let mut chars = full.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ':' && chars.peek().is_some_and(|next| *next == ':') {
            chars.next();
            out.truncate(segment);
        } else {
            out.push(c);
            let part_of_path = c.is_alphanumeric() || matches!(c, '_' | '#' | '{' | '}');
            if !part_of_path {
                segment = out.len();
            }
        }
    }
    out
}

/// A type's name with the paths that tell it from others of the same short name: those of the standard library go.
pub(crate) fn without_std(full: &str) -> String {
    let mut out = String::with_capacity(full.len());
    let path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#' | '{' | '}');
    let mut rest = full;
    while !rest.is_empty() {
        let end = rest.find(|c| !path(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        match ["alloc::", "core::", "std::"].iter().any(|root| name.starts_with(root)) {
            true => out.push_str(&short(name)),
            false => out.push_str(name),
        }
        let next = after.find(path).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{short, without_std};

    #[test]
    fn only_paths_of_the_standard_library_go_where_two_are_told_apart() {
        assert_eq!(without_std("alloc::sync::Arc<dyn app::store::Store>"), "Arc<dyn app::store::Store>");
        assert_eq!(without_std("core::option::Option<a::B> + core::marker::Send"), "Option<a::B> + Send");
    }

    #[test]
    fn paths_go_and_everything_else_stays() {
        for (full, expected) in [
            ("u16", "u16"),
            ("alloc::sync::Arc<dyn app::store::Store>", "Arc<dyn Store>"),
            ("core::option::Option<alloc::vec::Vec<alloc::string::String>>", "Option<Vec<String>>"),
            ("(a::B, &'static c::D)", "(B, &'static D)"),
            ("[a::b::C; 3]", "[C; 3]"),
            ("app::main::{{closure}}::Inner", "Inner"),
            ("dyn core::ops::function::Fn(a::B) -> c::D + core::marker::Send", "dyn Fn(B) -> D + Send"),
        ] {
            assert_eq!(short(full), expected);
        }
    }
}
