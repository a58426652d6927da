//! The AWS SDKs' own vectors for configuration files: what the parser gives, and where the files are looked for.

use std::collections::BTreeMap;
use std::path::Path;

use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::profile::{
    FileKind, FileLocations, FileName, Platform, ProfileError, ProfileSet, Section, profile_name,
};
use integration_tests::vectors;
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::harness::{skipped, trial};

pub fn trials() -> Vec<Trial> {
    let mut trials = suite("profile_parser", "profile-parser-tests.json", 65, check_parser);
    trials.extend(suite("file_location", "file-location-tests.json", 9, check_location));
    trials
}

/// One case for each vector of a file, and one that counts them.
fn suite(name: &str, file: &str, expected: usize, check: fn(&Value) -> Result<(), Failed>) -> Vec<Trial> {
    let name = format!("profile_vectors::{name}");
    let vectors = match read(file) {
        Ok(vectors) => vectors,
        Err(reason) => return vec![skipped(&name, &reason)],
    };
    let count = vectors.len();
    let is_whole = trial(&format!("{name}::is_whole"), move || {
        assert_eq!(count, expected);
        Ok(())
    });
    // Some of the names stand twice: the number tells them apart.
    let cases = vectors.into_iter().enumerate().map(|(index, vector)| {
        let case = vector["name"].as_str().unwrap_or("no name").to_owned();
        trial(&format!("{name}::{:02} {case}", index + 1), move || check(&vector))
    });
    [is_whole].into_iter().chain(cases).collect()
}

fn read(file: &str) -> Result<Vec<Value>, String> {
    let path = vectors::shared_path(&format!("aws-config/smithy-rs-aws-runtime/{file}"))?;
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    match document["tests"].take() {
        Value::Array(tests) => Ok(tests),
        _ => Err(format!("{file} holds no tests")),
    }
}

type Sections = BTreeMap<String, BTreeMap<String, String>>;

fn check_parser(vector: &Value) -> Result<(), Failed> {
    let result = parse(&vector["input"]);
    let expected = &vector["output"];
    if expected["errorContaining"].is_string() {
        // The wording is another library's; the place is ours.
        let error = result.err().ok_or("expected an error")?;
        assert!(error.line().is_some() && error.column().is_some(), "{error:?}");
        return Ok(());
    }
    let profiles = result?;
    assert_eq!(sections(profiles.profiles()), from_json(&expected["config"]["profiles"])?, "profiles");
    assert_eq!(sections(profiles.sso_sessions()), from_json(&expected["config"]["sso_sessions"])?, "sso sessions");
    Ok(())
}

fn parse(input: &Value) -> Result<ProfileSet, ProfileError> {
    let mut profiles = ProfileSet::new();
    for (name, kind) in [("configFile", FileKind::Config), ("credentialsFile", FileKind::Credentials)] {
        if let Some(text) = input[name].as_str() {
            profiles.add(text, &FileName::new(name), kind)?;
        }
    }
    Ok(profiles)
}

fn sections<'a>(sections: impl Iterator<Item = &'a Section>) -> Sections {
    let properties = |section: &Section| {
        section.properties().map(|(key, property)| (key.to_owned(), property.value().to_owned())).collect()
    };
    sections.map(|section| (section.name().to_owned(), properties(section))).collect()
}

fn from_json(value: &Value) -> Result<Sections, Failed> {
    if value.is_null() {
        return Ok(Sections::new());
    }
    let mut sections = Sections::new();
    for (name, properties) in value.as_object().ok_or("sections are an object")? {
        let mut section = BTreeMap::new();
        for (key, value) in properties.as_object().ok_or("a section is an object")? {
            section.insert(key.clone(), value.as_str().ok_or("a value is a string")?.to_owned());
        }
        sections.insert(name.clone(), section);
    }
    Ok(sections)
}

fn check_location(vector: &Value) -> Result<(), Failed> {
    let variables = vector["environment"].as_object().ok_or("no environment")?;
    let env = Env::fixed(variables.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())));
    let platform = match vector["platform"].as_str() {
        Some("linux") => Platform::Unix,
        Some("windows") => Platform::Windows,
        other => return Err(format!("unknown platform {other:?}").into()),
    };
    let locations = FileLocations::of(&env, platform);
    for (key, location) in [("configLocation", locations.config), ("credentialsLocation", locations.credentials)] {
        let expected = vector[key].as_str().ok_or("no location")?;
        let location = location.ok_or("found no location")?;
        assert_eq!(location.file.as_path(), Path::new(expected), "{key}");
    }
    if let Some(profile) = vector["profile"].as_str() {
        assert_eq!(profile_name(&env).name, profile);
    }
    Ok(())
}
