//! The workspace as cargo describes it: its packages, which of them are published, and their features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::shell::{Result, cargo_output, root};

/// What `cargo metadata` says.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

/// A package, of the workspace or one that it depends on.
#[derive(Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) readme: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    /// What only other programs read: `docs.rs` among it.
    #[serde(default)]
    pub(crate) metadata: serde_json::Value,
    manifest_path: PathBuf,
    /// The registries that it may be published to; `None` is any.
    publish: Option<Vec<String>>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    #[serde(flatten)]
    kind: DependencyKind,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `dev` or `build`; `None` is a normal one.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
    features: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

impl Workspace {
    /// The workspace as a run over all of it without further flags has it.
    pub(crate) fn read() -> Result<Self> {
        Self::from(&[])
    }

    /// The workspace with every feature of every package on.
    pub(crate) fn with_all_features() -> Result<Self> {
        Self::from(&["--all-features"])
    }

    fn from(flags: &[&str]) -> Result<Self> {
        let json = cargo_output(&[&["metadata", "--format-version", "1"], flags].concat())?;
        serde_json::from_str(&json).map_err(|error| format!("what cargo metadata says is not understood: {error}"))
    }

    /// The packages that are published: each after those that it depends on, else by name.
    pub(crate) fn published(&self) -> Vec<&Package> {
        let published = |package: &&Package| {
            self.workspace_members.contains(&package.id) && package.publish.as_ref().is_none_or(|to| !to.is_empty())
        };
        let mut rest: Vec<&Package> = self.packages.iter().filter(published).collect();
        rest.sort_by(|a, b| a.name.cmp(&b.name));
        let mut ordered = Vec::with_capacity(rest.len());
        // Cargo refuses circles, so that there always is a next one.
        while let Some(next) = rest.iter().position(|it| !rest.iter().any(|other| it.depends_on(other))) {
            ordered.push(rest.remove(next));
        }
        ordered
    }

    /// The features of each package of the workspace that has any besides `default`: each must compile and be tidy alone. A package
    /// without is covered by the run over the whole workspace.
    pub(crate) fn features_alone(&self) -> Vec<(&str, Vec<&str>)> {
        let is_member = |package: &&Package| self.workspace_members.contains(&package.id);
        let of_each = self.packages.iter().filter(is_member);
        let of_each = of_each.map(|package| (&*package.name, package.own_features().collect()));
        of_each.filter(|(_, features): &(_, Vec<_>)| !features.is_empty()).collect()
    }

    /// The published packages below `providers/`, each with all its features.
    pub(crate) fn providers(&self) -> Vec<(&str, Vec<&str>)> {
        let folder = root().join("providers");
        let providers = self.published().into_iter().filter(|package| package.folder().starts_with(&folder));
        providers.map(|package| (&*package.name, package.own_features().collect())).collect()
    }

    /// The providers and examples that have a feature which a run over the whole workspace leaves off: they are tested once
    /// more, in full.
    ///
    /// The facade and the container are not: behind its features the facade has no code of its own, and the container's other
    /// registry has a test run of its own.
    pub(crate) fn in_full(&self) -> Vec<(&str, Vec<&str>)> {
        let ids: BTreeMap<&str, &str> = self.packages.iter().map(|package| (&*package.name, &*package.id)).collect();
        let is_on = |package: &str, feature: &str| {
            self.resolve
                .nodes
                .iter()
                .any(|node| ids.get(package) == Some(&&*node.id) && node.features.contains(feature))
        };
        let folders = ["providers", "examples"].map(|folder| root().join(folder));
        let is_of_these = |package: &&Package| {
            self.workspace_members.contains(&package.id) && folders.iter().any(|it| package.folder().starts_with(it))
        };
        let found = self.packages.iter().filter(is_of_these);
        let found = found.map(|package| (&*package.name, package.own_features().collect::<Vec<_>>()));
        found.filter(|(package, features)| features.iter().any(|feature| !is_on(package, feature))).collect()
    }

    /// The members, and everything that one of them needs to run or to be built. It may be some more: cargo tells which optional
    /// dependencies are on without regard to what only tests turn on.
    pub(crate) fn needed(&self) -> Vec<&Package> {
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
        let mut found = BTreeSet::new();
        let mut waiting: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        while let Some(id) = waiting.pop() {
            if found.insert(id) {
                let edges = nodes.get(id).map_or(&[][..], |node| &node.deps).iter();
                waiting
                    .extend(edges.filter(|edge| edge.dep_kinds.iter().any(|it| !it.is_dev())).map(|edge| &*edge.pkg));
            }
        }
        self.packages.iter().filter(|package| found.contains(&*package.id)).collect()
    }
}

impl Package {
    /// The folder with its manifest.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// Its features but `default`, by name.
    fn own_features(&self) -> impl Iterator<Item = &str> {
        self.features.keys().map(String::as_str).filter(|name| *name != "default")
    }

    fn depends_on(&self, other: &Package) -> bool {
        self.dependencies.iter().any(|dependency| dependency.name == other.name && !dependency.kind.is_dev())
    }
}

impl DependencyKind {
    fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Flags that choose these packages with these features.
pub(crate) fn flags(chosen: &[(&str, Vec<&str>)]) -> Vec<String> {
    let packages = chosen.iter().flat_map(|(package, _)| ["--package".to_owned(), (*package).to_owned()]);
    let features =
        chosen.iter().flat_map(|(package, features)| features.iter().map(move |it| format!("{package}/{it}")));
    let features: Vec<String> = features.collect();
    let features = (!features.is_empty()).then(|| ["--features".to_owned(), features.join(",")]);
    packages.chain(features.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(list: &[(&str, Vec<&str>)], package: &str, features: &[&str]) {
        let own = &list.iter().find(|(name, _)| *name == package).unwrap_or_else(|| panic!("{package}")).1;
        for feature in features {
            assert!(own.contains(feature), "{package}/{feature} is not in {own:?}");
        }
        assert!(!own.contains(&"default"), "{own:?}");
    }

    #[test]
    fn a_package_comes_after_those_that_it_depends_on() {
        let workspace = Workspace::read().unwrap();
        let names: Vec<&str> = workspace.published().iter().map(|package| &*package.name).collect();
        let at = |name: &str| names.iter().position(|it| *it == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
        for (earlier, later) in [("gone-core", "gone-config"), ("gone-config", "gone-clog"), ("gone-coord", "gone-uid")]
        {
            assert!(at(earlier) < at(later), "{names:?}");
        }
        assert_eq!(names.last(), Some(&"gone"));
        assert!(!names.contains(&"gone-test-bench") && !names.contains(&"xtask"), "{names:?}");
    }

    #[test]
    fn each_feature_of_each_published_package_is_checked_alone() {
        let workspace = Workspace::read().unwrap();
        let list = workspace.features_alone();
        let facade = "macros config clog clog-gzip coord coord-etcd coord-grpc db linkme schema test-util uid";
        has(&list, "gone", &facade.split(' ').collect::<Vec<_>>());
        has(&list, "gone-core", &["linkme", "test-util"]);
        has(&list, "gone-clog", &["gzip", "schema"]);
        has(&list, "gone-config", &["schema"]);
        has(&list, "gone-coord", &["etcd", "grpc", "schema"]);
        has(&list, "gone-db", &["schema", "sqlite"]);
        has(&list, "gone-uid", &["etcd", "schema"]);
    }

    #[test]
    fn providers_with_more_than_the_whole_workspace_turns_on_are_tested_in_full() {
        let workspace = Workspace::read().unwrap();
        let list = workspace.in_full();
        has(&list, "gone-clog", &["gzip"]);
        has(&list, "gone-coord", &["etcd", "grpc", "schema"]);
        has(&list, "gone-uid", &["etcd", "schema"]);
        let flags = flags(&list);
        assert_eq!(flags[..2], ["--package", "gone-clog"]);
        assert!(flags.last().unwrap().contains("gone-coord/etcd,gone-coord/grpc,"), "{flags:?}");
    }

    #[test]
    fn what_only_tests_need_is_not_among_what_is_needed() {
        let workspace = Workspace::with_all_features().unwrap();
        let names: BTreeSet<&str> = workspace.needed().iter().map(|package| &*package.name).collect();
        for name in ["gone", "tokio", "etcd-client", "prost-build"] {
            assert!(names.contains(name), "{name}");
        }
        for name in ["allocation-counter", "trybuild"] {
            assert!(!names.contains(name), "{name}");
        }
    }
}
