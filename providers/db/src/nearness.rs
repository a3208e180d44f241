//! Near misses: which of the known names a wrong one was probably meant to be.

use gone_core::edit_distance;

/// The names within two edits of `wrong`, nearest first, ties in the order of `known`.
pub(crate) fn near_misses(wrong: &str, known: &[&'static str]) -> Vec<&'static str> {
    let wrong = wrong.to_lowercase();
    let mut near: Vec<(usize, &'static str)> = known
        .iter()
        .map(|&name| (edit_distance(&wrong, name), name))
        // Two edits turn any short word into any other, so at least half of it must stay.
        .filter(|&(edits, name)| edits <= 2 && edits * 2 <= name.len())
        .collect();
    near.sort_by_key(|&(edits, _)| edits);
    near.into_iter().map(|(_, name)| name).collect()
}

/// A clause such as ` (did you mean "production"?)`, or nothing.
pub(crate) fn suggestion(near: &[&'static str]) -> String {
    match near.first() {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_two_letters_is_near() {
        assert_eq!(near_misses("prodction", &["development", "production"]), ["production"]);
        assert_eq!(near_misses("Producton", &["development", "production"]), ["production"]);
    }

    #[test]
    fn another_word_is_not_near() {
        assert!(near_misses("staging", &["development", "production"]).is_empty());
        assert!(near_misses("ab", &["cd", "ef"]).is_empty());
    }
}
