//! Which names are near another.

/// The most near names that are given.
const MOST: usize = 5;
/// Longer names are not compared letter by letter.
const COMPARED: usize = 255;

/// The names within two edits of `wanted`, or with the same last segment, nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let last = last_segment(wanted);
    let length = wanted.chars().count();
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| *name != wanted)
        .filter_map(|name| {
            let edits = distance(wanted, name);
            // Two edits make any two-letter name out of any other: they must leave something.
            let close = edits <= 2 && edits < length;
            (close || last_segment(name) == last).then_some((edits, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    found.into_iter().map(|(_, name)| name).collect()
}

fn last_segment(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The edit distance in letters, where swapping two neighbours is one edit; large when the
/// lengths alone say that it is more than two.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(COMPARED).collect();
    let b: Vec<char> = b.chars().take(COMPARED).collect();
    if a.len().abs_diff(b.len()) > 2 {
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
    use super::*;

    #[test]
    fn near_names_are_two_edits_away_or_share_the_last_segment() {
        let names = ["server.port", "http.port", "server.host", "server.path", "db.url"];
        assert_eq!(near("server.prot", names), ["server.port"]);
        assert_eq!(near("grpc.port", names), ["http.port", "server.port"]);
        assert_eq!(near("zzz", names), Vec::<&str>::new());
        assert_eq!(near("ab", ["xy", "ax"]), ["ax"]);
    }
}
