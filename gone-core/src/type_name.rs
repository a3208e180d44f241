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

#[cfg(test)]
mod tests {
    use super::short;

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
