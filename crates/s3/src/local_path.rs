//! From a key to a file, without ever leaving the folder.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// A key that names no file inside a folder on every system; see [`local_path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeKey {
    key: String,
    reason: &'static str,
}

impl UnsafeKey {
    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for UnsafeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key {} is not a safe file name: {}", crate::name::shown(&self.key), self.reason)
    }
}

impl StdError for UnsafeKey {}

/// The file below `root` that an object with `key` is downloaded to.
///
/// Whoever may write to a bucket chooses its keys. This function lets none of them name a file outside `root`: the result
/// is always `root` with one or more plain names appended. A key is refused on every system where it would be unsafe on
/// one of them, so that a folder that was downloaded can be copied anywhere.
///
/// The function looks at names only. A symbolic link inside `root` is not seen by it.
///
/// # Errors
/// The key is empty or ends in `/`, begins with `/`, has an empty part (`a//b`), a part `.` or `..`, a backslash, a drive
/// (`c:`), any other `:`, a control character, a part that ends in a space or a period, or a part that Windows reserves
/// (`con`, `nul.txt`, `com1`, ...).
///
/// # Example
/// ```
/// use std::path::Path;
/// use aws_sigv4_free_s3::local_path;
///
/// assert_eq!(local_path(Path::new("out"), "2026/cat.jpg")?, Path::new("out/2026/cat.jpg"));
/// assert!(local_path(Path::new("out"), "../../etc/passwd").is_err());
/// # Ok::<(), aws_sigv4_free_s3::UnsafeKey>(())
/// ```
pub fn local_path(root: &Path, key: &str) -> Result<PathBuf, UnsafeKey> {
    let refuse = |reason| Err(UnsafeKey { key: key.to_owned(), reason });
    if key.is_empty() {
        return refuse("it is empty");
    }
    if key.starts_with('/') {
        return refuse("it is an absolute path");
    }
    if key.ends_with('/') {
        return refuse("it names a folder");
    }
    let mut path = root.to_path_buf();
    for part in key.split('/') {
        if let Some(reason) = part_fault(part) {
            return refuse(reason);
        }
        path.push(part);
    }
    Ok(path)
}

fn part_fault(part: &str) -> Option<&'static str> {
    match part {
        "" => return Some("it has an empty part ('//')"),
        "." | ".." => return Some("it has a part '.' or '..'"),
        _ => {}
    }
    if part.contains('\\') {
        return Some("it has a backslash");
    }
    if part.contains(':') {
        return Some("it has a ':', which names a drive or a stream on Windows");
    }
    if part.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    if part.ends_with([' ', '.']) {
        return Some("a part of it ends in a space or a period, which Windows drops");
    }
    if part.len() > 255 {
        return Some("a part of it is longer than 255 bytes");
    }
    is_device(part).then_some("a part of it is the name of a device on Windows")
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") {
        return true;
    }
    // The digits 1 to 3 in superscript count too.
    stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).is_some_and(|rest| {
        let mut rest = rest.chars();
        rest.next().is_some_and(|digit| matches!(digit, '0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Component;

    #[test]
    fn plain_keys_become_files_below_the_root() {
        for key in ["a", "2026/07/cat.jpg", "a b+c=d%2b?#&.txt", "日本/猫", "..a/.b/c..d", "console", "com10", "-rf"]
        {
            let path = local_path(Path::new("root"), key).unwrap();
            assert_eq!(path.strip_prefix("root").unwrap(), Path::new(key));
        }
    }

    #[test]
    fn keys_that_would_leave_the_folder_are_refused() {
        for key in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "..\\x",
            "a\\b",
            "\\\\host\\share",
            "c:",
            "c:/x",
            "C:\\x",
            "a:stream",
            "a\0b",
            "a\nb",
            "\u{7f}",
            "con",
            "NUL",
            "nul.txt",
            "a/aux.tar.gz",
            "Com1",
            "lpt².x",
            "trail.",
            "trail /x",
            "con .txt",
        ] {
            assert!(local_path(Path::new("root"), key).is_err(), "{key:?}");
        }
        assert!(local_path(Path::new("root"), &"x".repeat(256)).is_err());
    }

    #[test]
    fn no_key_of_a_seeded_run_leaves_the_folder() {
        const PIECES: [&str; 14] = ["a", ".", "..", "/", "\\", ":", "\0", "c", " ", "con", "é", "~", "%2e%2e", "-"];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut key = String::new();
            for _ in 0..6 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                key.push_str(PIECES[(state % PIECES.len() as u64) as usize]);
            }
            if let Ok(path) = local_path(Path::new("root"), &key) {
                let rest = path.strip_prefix("root").unwrap();
                assert!(rest.components().all(|part| matches!(part, Component::Normal(_))), "{key:?}");
                assert!(rest.components().count() > 0, "{key:?}");
            }
        }
    }

    #[test]
    fn the_error_names_the_key_and_the_reason() {
        let error = local_path(Path::new("r"), "../x").unwrap_err();
        assert_eq!(error.to_string(), "the key \"../x\" is not a safe file name: it has a part '.' or '..'");
        assert_eq!(error.key(), "../x");
    }
}
