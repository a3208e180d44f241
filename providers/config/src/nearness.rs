//! Which names are near another.

use gone_core::edit_distance;

/// The most near names that are given.
const MOST: usize = 5;

/// The names within two edits of `wanted`, or with the same last segment, nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let last = last_segment(wanted);
    let length = wanted.chars().count();
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| *name != wanted)
        .filter_map(|name| {
            let edits = edit_distance(wanted, name);
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
