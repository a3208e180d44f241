//! Names by pattern.

/// `*` stands for any text, `?` for one character.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some('?') => (p, n) = (p + 1, n + 1),
            Some(c) if *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_any_text_and_single_characters() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("test-*", "test-", true),
            ("test-*", "test-1", true),
            ("test-*", "tes", false),
            ("test-?23*", "test-1234", true),
            ("test-?234", "test-234", false),
            ("*a*b", "xaxb", true),
            ("*a*b", "xaxbc", false),
            ("?", "é", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
