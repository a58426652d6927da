//! What `cargo metadata` knows: the packages of the workspace, their features, and what they depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{cargo, output};

/// The workspace and everything it depends on.
#[derive(Debug)]
pub struct Workspace {
    packages: BTreeMap<String, Package>,
    members: Vec<String>,
    /// Package id to the ids of its normal and build dependencies.
    needs: BTreeMap<String, Vec<String>>,
}

/// One package.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub manifest: PathBuf,
    pub license: Option<String>,
    pub license_file: Option<String>,
    pub rust_version: Option<String>,
    pub features: BTreeMap<String, Vec<String>>,
    pub publish: bool,
    pub metadata: Value,
    pub dependencies: Vec<Dependency>,
}

/// A dependency as a manifest declares it.
#[derive(Debug, Clone)]
pub struct Dependency {
    pub name: String,
    pub requirement: String,
    pub kind: Kind,
    pub path: Option<PathBuf>,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Development,
}

/// A choice of features for one run of cargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureSet {
    Default,
    None,
    One(String),
    All,
}

impl FeatureSet {
    /// The arguments that choose it.
    pub fn arguments(&self) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Default => Vec::new(),
            Self::None => owned(&["--no-default-features"]),
            Self::One(feature) => owned(&["--no-default-features", "--features", feature]),
            Self::All => owned(&["--all-features"]),
        }
    }
}

impl Package {
    /// The folder of the package.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("."))
    }

    /// No feature, each feature alone, and all: where each set differs from those before it.
    pub fn every_feature_set(&self) -> Vec<FeatureSet> {
        let named: Vec<&String> = self.features.keys().filter(|name| *name != "default").collect();
        if named.is_empty() {
            return vec![FeatureSet::Default];
        }
        let mut sets = vec![FeatureSet::None];
        sets.extend(named.iter().map(|name| FeatureSet::One((*name).clone())));
        if named.len() > 1 {
            sets.push(FeatureSet::All);
        }
        sets
    }

    /// No feature, the default ones, and all: where each set differs from those before it.
    pub fn main_feature_sets(&self) -> Vec<FeatureSet> {
        let default: BTreeSet<&str> = self.closure("default");
        let named = self.features.keys().filter(|name| *name != "default").count();
        if named == 0 {
            return vec![FeatureSet::Default];
        }
        let mut sets = vec![FeatureSet::None];
        if !default.is_empty() && default.len() < named {
            sets.push(FeatureSet::Default);
        }
        sets.push(FeatureSet::All);
        sets
    }

    /// The features of this package that a feature turns on.
    fn closure(&self, feature: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = vec![feature];
        while let Some(feature) = open.pop() {
            for next in self.features.get(feature).into_iter().flatten() {
                if self.features.contains_key(next) && reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        reached
    }
}

impl Workspace {
    /// Asks cargo.
    pub fn load() -> Result<Self, String> {
        let text = output(&mut cargo(["metadata", "--format-version", "1", "--locked", "--all-features"]))?;
        let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        Ok(Self::read(&metadata))
    }

    fn read(metadata: &Value) -> Self {
        let packages =
            list(&metadata["packages"]).map(|package| (text(&package["id"]), read_package(package))).collect();
        let members = list(&metadata["workspace_members"]).map(text).collect();
        let mut needs = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let needed = list(&node["deps"])
                .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
                .map(|dep| text(&dep["pkg"]))
                .collect();
            needs.insert(text(&node["id"]), needed);
        }
        Self { packages, members, needs }
    }

    /// The members, in the order of the root manifest.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter_map(|id| self.packages.get(id))
    }

    /// The members that are published.
    pub fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.publish)
    }

    /// Every package that a published one needs to be built, on any platform, with any feature; the published ones too.
    pub fn needed_by_published(&self) -> Vec<&Package> {
        let mut reached = BTreeSet::new();
        let published = |id: &&String| self.packages.get(*id).is_some_and(|package| package.publish);
        let mut open: Vec<&String> = self.members.iter().filter(published).collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(self.needs.get(id).into_iter().flatten());
            }
        }
        reached.into_iter().filter_map(|id| self.packages.get(id)).collect()
    }
}

fn read_package(package: &Value) -> Package {
    Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        manifest: PathBuf::from(text(&package["manifest_path"])),
        license: package["license"].as_str().map(str::to_owned),
        license_file: package["license_file"].as_str().map(str::to_owned),
        rust_version: package["rust_version"].as_str().map(str::to_owned),
        features: package["features"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, turns_on)| (name.clone(), list(turns_on).map(text).collect()))
            .collect(),
        // `publish = false` is an empty list of registries.
        publish: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        metadata: package.clone(),
        dependencies: list(&package["dependencies"])
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                requirement: text(&dependency["req"]),
                kind: match dependency["kind"].as_str() {
                    Some("dev") => Kind::Development,
                    Some("build") => Kind::Build,
                    _ => Kind::Normal,
                },
                path: dependency["path"].as_str().map(PathBuf::from),
            })
            .collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A compiler version as numbers, so that 1.88 is less than 1.100; a missing part is zero.
pub fn version_numbers(version: &str) -> [u64; 3] {
    let mut numbers = [0; 3];
    for (number, part) in numbers.iter_mut().zip(version.split(['.', '-', '+'])) {
        *number = part.parse().unwrap_or(0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &[(&str, &[&str])]) -> Package {
        let features: serde_json::Map<String, Value> =
            features.iter().map(|(name, on)| ((*name).to_owned(), serde_json::json!(on))).collect();
        read_package(&serde_json::json!({"id": "x", "name": "x", "publish": null, "features": features}))
    }

    #[test]
    fn feature_sets_do_not_repeat() {
        let none = package(&[]);
        assert_eq!(none.every_feature_set(), [FeatureSet::Default]);
        assert_eq!(none.main_feature_sets(), [FeatureSet::Default]);

        let all_by_default = package(&[("default", &["hyper"]), ("hyper", &["dep:hyper"])]);
        assert_eq!(all_by_default.every_feature_set(), [FeatureSet::None, FeatureSet::One("hyper".into())]);
        assert_eq!(all_by_default.main_feature_sets(), [FeatureSet::None, FeatureSet::All]);

        let some_by_default = package(&[("default", &["a"]), ("a", &["b"]), ("b", &[]), ("c", &[])]);
        assert_eq!(some_by_default.every_feature_set().len(), 5);
        assert_eq!(some_by_default.main_feature_sets(), [FeatureSet::None, FeatureSet::Default, FeatureSet::All]);
    }

    #[test]
    fn only_packages_that_are_needed_to_build_published_ones_are_reached() {
        let workspace = Workspace::read(&serde_json::json!({
            "packages": [
                {"id": "ours", "name": "ours", "publish": null},
                {"id": "tests", "name": "tests", "publish": []},
                {"id": "normal", "name": "normal"}, {"id": "build", "name": "build"}, {"id": "dev", "name": "dev"}, {"id": "other", "name": "other"}
            ],
            "workspace_members": ["ours", "tests"],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [
                    {"pkg": "normal", "dep_kinds": [{"kind": null}]},
                    {"pkg": "dev", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "normal", "deps": [{"pkg": "build", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "tests", "deps": [{"pkg": "other", "dep_kinds": [{"kind": null}]}]}
            ]}
        }));
        let names: Vec<&str> =
            workspace.needed_by_published().into_iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["build", "normal", "ours"]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version_numbers("1.88") < version_numbers("1.100.1"));
        assert_eq!(version_numbers("1.88"), version_numbers("1.88.0"));
    }
}
