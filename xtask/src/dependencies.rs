//! What the packages may depend on: licences that are allowed, and no crate that is unwanted. Both lists are those of `deny.toml`,
//! which `cargo xtask audit` reads too.

use std::collections::BTreeSet;

use spdx::{Expression, Licensee, ParseMode};
use toml_edit::{ImDocument, Item, Value};

use crate::shell::{Result, root};
use crate::workspace::{Package, Workspace};

/// What `deny.toml` says.
struct Policy {
    allowed: Vec<Licensee>,
    unwanted: BTreeSet<String>,
}

/// Checks every package that is needed with all features on, other than for tests.
pub(crate) fn check() -> Result<()> {
    let file = root().join("deny.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let policy = Policy::parse(&text).map_err(|error| format!("deny.toml: {error}"))?;
    let workspace = Workspace::with_all_features()?;
    let packages = workspace.needed();
    let wrong: Vec<String> = packages.iter().filter_map(|package| policy.judge(package).err()).collect();
    match wrong.is_empty() {
        true => {
            println!("{} packages have a licence that is allowed, and none is unwanted", packages.len());
            Ok(())
        }
        false => Err(wrong.join("\n  ")),
    }
}

impl Policy {
    fn parse(text: &str) -> Result<Self> {
        let document = ImDocument::parse(text).map_err(|error| error.to_string())?;
        let list = |table: &str, key: &str| {
            let list = document.get(table).and_then(|table| table.get(key)).and_then(Item::as_array);
            list.ok_or_else(|| format!("there is no list `{table}.{key}`"))
        };
        let allowed = list("licenses", "allow")?.iter().map(|name| {
            let name = name.as_str().ok_or("`licenses.allow` holds names")?;
            Licensee::parse(name).map_err(|error| format!("`{name}` is no licence: {}", error.reason))
        });
        let unwanted = list("bans", "deny")?.iter().map(|ban| {
            let name = ban.as_inline_table().and_then(|table| table.get("crate")).and_then(Value::as_str);
            name.map(str::to_owned).ok_or_else(|| "`bans.deny` holds tables with the key `crate`".to_owned())
        });
        Ok(Self { allowed: allowed.collect::<Result<_>>()?, unwanted: unwanted.collect::<Result<_>>()? })
    }

    fn judge(&self, package: &Package) -> Result<()> {
        let Package { name, version, license, .. } = package;
        if self.unwanted.contains(name) {
            return Err(format!(
                "{name} {version} is unwanted: see `cargo tree --workspace --all-features --invert {name}`"
            ));
        }
        match license {
            Some(license) => self.allows(license).map_err(|error| format!("{name} {version}: {error}")),
            None => Err(format!("{name} {version} names no licence")),
        }
    }

    /// Whether a licence expression can be satisfied with what is allowed. Old manifests write `/` for `OR`.
    fn allows(&self, expression: &str) -> Result<()> {
        let parsed = Expression::parse_mode(expression, ParseMode::LAX);
        let parsed = parsed.map_err(|error| format!("`{expression}` is no licence expression: {}", error.reason))?;
        match parsed.evaluate(|wanted| self.allowed.iter().any(|allowed| allowed.satisfies(wanted))) {
            true => Ok(()),
            false => Err(format!("`{expression}` is not satisfied by the licences that are allowed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let text = r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Unicode-3.0"]
            [bans]
            deny = [{ crate = "openssl-sys", reason = "x" }]
        "#;
        Policy::parse(text).unwrap()
    }

    fn package(name: &str, license: Option<&str>) -> Package {
        let json = serde_json::json!({
            "id": name, "name": name, "version": "1.0.0", "license": license, "manifest_path": "/x/Cargo.toml",
            "keywords": [], "categories": [], "features": {}, "dependencies": [],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn one_side_of_an_or_and_both_of_an_and_must_be_allowed() {
        for allowed in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
        ] {
            assert_eq!(policy().allows(allowed), Ok(()), "{allowed}");
        }
        for refused in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "(MIT OR Apache-2.0) AND OpenSSL",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(policy().allows(refused).unwrap_err().contains("not satisfied"), "{refused}");
        }
        assert!(policy().allows("MIT OR").unwrap_err().contains("is no licence expression"));
    }

    #[test]
    fn a_package_is_refused_for_its_licence_or_its_name() {
        assert_eq!(policy().judge(&package("tokio", Some("MIT"))), Ok(()));
        let error = policy().judge(&package("viral", Some("AGPL-3.0-only"))).unwrap_err();
        assert!(error.starts_with("viral 1.0.0: `AGPL-3.0-only`"), "{error}");
        let error = policy().judge(&package("openssl-sys", Some("MIT"))).unwrap_err();
        assert!(error.contains("--invert openssl-sys"), "{error}");
        let error = policy().judge(&package("nameless", None)).unwrap_err();
        assert_eq!(error, "nameless 1.0.0 names no licence");
    }

    #[test]
    fn a_policy_that_is_not_understood_allows_nothing() {
        for (text, error) in [
            ("[licenses]\nallow = [\"MIT\"]", "`bans.deny`"),
            ("[licenses]\nallow = [\"MTI\"]\n[bans]\ndeny = []", "`MTI` is no licence"),
            ("[licenses]\nallow = []\n[bans]\ndeny = [\"x\"]", "with the key `crate`"),
        ] {
            assert!(Policy::parse(text).err().unwrap().contains(error), "{text}");
        }
    }
}
