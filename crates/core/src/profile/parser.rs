//! From text to sections, in the two dialects of these files.

mod boto;
mod sdk;

use super::{FileName, ProfileError, Section};

/// The grammar of a file.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// That of the AWS SDKs. `=` separates, a comment may follow a value after white space, a section that stands twice
    /// is merged, and of two properties with one name the last one counts.
    #[default]
    Sdk,
    /// That of boto. `=` or `:` separates, comments have their own lines, and a section or an option that stands twice
    /// in one file is an error. `%%` is a percent sign.
    Boto,
}

/// Parses the text of a file, in time linear in its length. The sections come in the order in which they stand; in the
/// dialect of the SDKs a name may come more than once, and includes its prefix, as in `profile dev`. Property names are
/// in lower case.
///
/// # Errors
/// The first line that does not follow the grammar.
pub fn parse(text: &str, file: &FileName, dialect: Dialect) -> Result<Vec<Section>, ProfileError> {
    // Some editors put a byte order mark at the beginning.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match dialect {
        Dialect::Sdk => sdk::parse(text, file),
        Dialect::Boto => boto::parse(text, file),
    }
}

/// White space inside of a line.
const BLANK: [char; 2] = [' ', '\t'];

/// The lines with their numbers, without the line ends.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)))
}

/// The column, from 1 on, of the byte `offset` of `line`.
fn column(line: &str, offset: usize) -> u32 {
    let characters = line.get(..offset).map_or(0, |before| before.chars().count());
    u32::try_from(characters).unwrap_or(u32::MAX).saturating_add(1)
}

/// Where the text of a line begins and ends, without the white space around it.
fn trimmed_start(line: &str) -> usize {
    line.len() - line.trim_start_matches(BLANK).len()
}

#[cfg(test)]
mod tests;
