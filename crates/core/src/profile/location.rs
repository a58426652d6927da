//! Where the AWS configuration files are, and which profile of them counts.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::FileName;
use crate::environment::Env;

/// The kind of system, which decides how paths are put together.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Linux, macOS and their like.
    Unix,
    /// Windows.
    Windows,
}

impl Platform {
    /// The system that this program was built for.
    pub const CURRENT: Self = if cfg!(windows) { Self::Windows } else { Self::Unix };

    const fn separator(self) -> char {
        match self {
            Self::Unix => '/',
            Self::Windows => '\\',
        }
    }
}

/// Where a file is, and who said so.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLocation {
    /// The file.
    pub file: FileName,
    /// The environment variable that names it; `None` for the usual place.
    pub variable: Option<&'static str>,
}

/// Where the AWS configuration files are.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLocations {
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`. `None` without a home folder.
    pub config: Option<FileLocation>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`. `None` without a home folder.
    pub credentials: Option<FileLocation>,
}

impl FileLocations {
    /// The locations that the environment says, with the paths of `platform`.
    pub fn of(env: &Env, platform: Platform) -> Self {
        Self {
            config: locate(env, platform, "AWS_CONFIG_FILE", "config"),
            credentials: locate(env, platform, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        }
    }
}

fn locate(env: &Env, platform: Platform, variable: &'static str, name: &str) -> Option<FileLocation> {
    let home = env.home();
    let (path, variable) = match env.get(variable) {
        Some(path) => (expand_home(&path, home.as_deref(), platform), Some(variable)),
        None => {
            let separator = platform.separator();
            (under_home(home.as_deref()?, &format!(".aws{separator}{name}"), platform), None)
        }
    };
    Some(FileLocation { file: FileName::in_home(path, home.as_deref()), variable })
}

/// Replaces a leading `~/` (or `~\` on Windows) by the home folder; a path without one, or without a home, stays as it
/// is.
pub(super) fn expand_home(path: &str, home: Option<&Path>, platform: Platform) -> PathBuf {
    let rest = path.strip_prefix('~').and_then(|rest| match platform {
        Platform::Unix => rest.strip_prefix('/'),
        Platform::Windows => rest.strip_prefix(['/', '\\']),
    });
    match (rest, home) {
        (Some(rest), Some(home)) => under_home(home, rest, platform),
        _ => path.into(),
    }
}

/// `rest` inside of `home`. `Path::join` would use the separator of the system that this program runs on.
fn under_home(home: &Path, rest: &str, platform: Platform) -> PathBuf {
    let mut path = home.as_os_str().to_owned();
    if !path.as_encoded_bytes().ends_with(&[platform.separator() as u8]) {
        path.push(platform.separator().to_string());
    }
    path.push(rest);
    path.into()
}

/// Which profile counts, and who said so.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileName {
    /// The name.
    pub name: Cow<'static, str>,
    /// The environment variable that names it; `None` for the default.
    pub variable: Option<&'static str>,
}

/// The profile that the environment asks for: `AWS_PROFILE`, else `AWS_DEFAULT_PROFILE`, else `default`.
pub fn profile_name(env: &Env) -> ProfileName {
    let named =
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(|variable| Some((env.get(variable)?, variable)));
    match named {
        Some((name, variable)) => ProfileName { name: name.into(), variable: Some(variable) },
        None => ProfileName { name: "default".into(), variable: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], platform: Platform, config: &str, credentials: &str) {
        let locations = FileLocations::of(&Env::fixed(variables.iter().copied()), platform);
        assert_eq!(locations.config.unwrap().file.as_path(), Path::new(config));
        assert_eq!(locations.credentials.unwrap().file.as_path(), Path::new(credentials));
    }

    #[test]
    fn the_usual_place_is_the_home_folder() {
        check(&[("HOME", "/home/me")], Platform::Unix, "/home/me/.aws/config", "/home/me/.aws/credentials");
        check(&[("HOME", "/")], Platform::Unix, "/.aws/config", "/.aws/credentials");
        let windows = [("USERPROFILE", "C:\\users\\me")];
        check(&windows, Platform::Windows, "C:\\users\\me\\.aws\\config", "C:\\users\\me\\.aws\\credentials");
    }

    #[test]
    fn a_variable_names_another_place() {
        let variables = [("HOME", "/h"), ("AWS_CONFIG_FILE", "~/c"), ("AWS_SHARED_CREDENTIALS_FILE", "/x/~/k")];
        check(&variables, Platform::Unix, "/h/c", "/x/~/k");
        let locations = FileLocations::of(&Env::fixed(variables), Platform::Unix);
        assert_eq!(locations.config.unwrap().variable, Some("AWS_CONFIG_FILE"));
        check(
            &[("HOME", "C:\\h"), ("AWS_CONFIG_FILE", "~\\c")],
            Platform::Windows,
            "C:\\h\\c",
            "C:\\h\\.aws\\credentials",
        );
    }

    #[test]
    fn only_a_leading_tilde_with_a_separator_is_the_home_folder() {
        let home = Some(Path::new("/h"));
        assert_eq!(expand_home("~me/c", home, Platform::Unix), Path::new("~me/c"));
        assert_eq!(expand_home("~", home, Platform::Unix), Path::new("~"));
        assert_eq!(expand_home("~\\c", home, Platform::Unix), Path::new("~\\c"));
        assert_eq!(expand_home("~/c", None, Platform::Unix), Path::new("~/c"));
    }

    #[test]
    fn without_a_home_there_are_no_usual_places() {
        let env = Env::fixed([("AWS_CONFIG_FILE", "/c")]);
        let locations = FileLocations::of(&env, Platform::Unix);
        assert!(locations.config.is_some());
        assert!(locations.credentials.is_none());
    }

    #[test]
    fn the_profile_has_two_variables() {
        let name = |variables: &[(&str, &str)]| profile_name(&Env::fixed(variables.iter().copied()));
        assert_eq!(name(&[]), ProfileName { name: "default".into(), variable: None });
        let both = name(&[("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "b")]);
        assert_eq!(both, ProfileName { name: "a".into(), variable: Some("AWS_PROFILE") });
        assert_eq!(name(&[("AWS_DEFAULT_PROFILE", "b")]).variable, Some("AWS_DEFAULT_PROFILE"));
    }
}
