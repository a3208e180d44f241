//! Database addresses as they may be shown: without credentials, without parameters.

/// The address without its user, password and parameters.
///
/// Made for addresses that are malformed, too, since those are the ones that get printed. Passwords may hold any
/// character, so all up to the last `@` goes, and so does whatever a missing `@` would leave in a password's place.
pub(crate) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else {
        return "***".to_owned();
    };
    if !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
        return "***".to_owned();
    }
    let slashes = if rest.starts_with("//") { "//" } else { "" };
    let rest = &rest[slashes.len()..];
    if let Some((credentials, place)) = rest.rsplit_once('@') {
        if credentials.contains('?') {
            // A parameter with an `@`, or a password with a `?`: nobody can tell where the place begins.
            return format!("{scheme}:{slashes}***");
        }
        return format!("{scheme}:{slashes}***@{}", before_parameters(place));
    }
    let place = before_parameters(rest);
    if scheme == "sqlite" {
        return format!("{scheme}:{slashes}{place}");
    }
    match place.split_once(':') {
        // `host:port/name` is harmless; `user:password` without its `@` looks much the same.
        Some((host, port)) if !starts_with_port(port) => format!("{scheme}:{slashes}{host}:***"),
        _ => format!("{scheme}:{slashes}{place}"),
    }
}

fn before_parameters(place: &str) -> &str {
    place.split(['?', '#']).next().unwrap_or_default()
}

fn starts_with_port(text: &str) -> bool {
    let port = text.split('/').next().unwrap_or_default();
    port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_whole_but_for_its_parameters() {
        assert_eq!(redacted("sqlite:data/gone.db?mode=rw"), "sqlite:data/gone.db");
        assert_eq!(redacted("sqlite::memory:"), "sqlite::memory:");
    }

    #[test]
    fn the_place_of_a_server_stays() {
        assert_eq!(redacted("postgres://host:5432/app"), "postgres://host:5432/app");
        assert_eq!(redacted("mysql://me:hunter2@host/app?ssl=on"), "mysql://***@host/app");
    }

    #[test]
    fn no_form_of_address_shows_its_password() {
        for url in [
            "postgres://me:hunter2@host/app",
            "postgres://me:hun@ter2hunter2@host/app",
            "postgres://me:hunter2/hunter2@host/app",
            "postgres://me:x?hunter2@host/app",
            "postgres://me:hunter2",
            "postgres://me:hunter2/app",
            "postgres://host/app?password=hunter2",
            "postgres://host/app?user=a@b&password=hunter2",
            "postgres://host/app?password=x@hunter2",
            "me:hunter2@tcp(host:3306)/app",
            "me hunter2:x",
            "hunter2",
        ] {
            assert!(!redacted(url).contains("hunter2"), "{url} became {}", redacted(url));
        }
    }
}
