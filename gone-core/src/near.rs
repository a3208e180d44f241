//! How near two names are, for "did you mean".

/// Longer names are not compared letter by letter.
const COMPARED: usize = 255;

/// The edit distance of two names in letters, where swapping two neighbours is one edit; `usize::MAX` when the lengths alone say
/// that it is more than two, or when both are longer than 255 letters.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(COMPARED).collect();
    let b: Vec<char> = b.chars().take(COMPARED).collect();
    if a.len().abs_diff(b.len()) > 2 || a.len() == COMPARED {
        return usize::MAX;
    }
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j - 1] + swap).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row[j] = best;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn letters_that_are_changed_added_taken_away_or_swapped_count_one_each() {
        for (a, b, expected) in [
            ("", "", 0),
            ("store", "store", 0),
            ("store", "stroe", 1),
            ("store", "stor", 1),
            ("store", "stares", 2),
            ("é", "e", 1),
            ("", "abc", usize::MAX),
        ] {
            assert_eq!(edit_distance(a, b), expected, "{a} and {b}");
        }
    }
}
