//! The dialect of the AWS SDKs.

use crate::profile::{FileName, Location, ProfileError, Property, Section};

use super::{BLANK, column, lines, trimmed_start};

pub(super) fn parse(text: &str, file: &FileName) -> Result<Vec<Section>, ProfileError> {
    let mut parser = Parser { file, sections: Vec::new(), open: None };
    for (number, line) in lines(text) {
        parser.line(number, line)?;
    }
    parser.close();
    Ok(parser.sections)
}

struct Parser<'a> {
    file: &'a FileName,
    sections: Vec<Section>,
    open: Option<Open>,
}

/// The property that the next indented line belongs to.
struct Open {
    key: String,
    property: Property,
    text: String,
    nests: bool,
}

impl Parser<'_> {
    fn line(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        let text = line.trim_matches(BLANK);
        if text.is_empty() || line.starts_with(['#', ';']) {
            Ok(())
        } else if line.starts_with('[') {
            self.section(number, line)
        } else if self.sections.is_empty() {
            let message = "expected a section before the first property: begin with a line such as `[default]`";
            Err(self.error(number, line, trimmed_start(line), message))
        } else if line.starts_with(BLANK) {
            self.indented(number, line, text)
        } else {
            self.property(number, line)
        }
    }

    fn section(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        self.close();
        let header = line.find(['#', ';']).map_or(line, |comment| &line[..comment]).trim_end_matches(BLANK);
        let Some(name) = header.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            return Err(self.error(number, line, header.len(), "expected `]` at the end of the section's name"));
        };
        let location = Location { file: self.file.clone(), line: number };
        self.sections.push(Section::new(name.trim_matches(BLANK), location));
        Ok(())
    }

    fn property(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        self.close();
        let line = without_comment(line);
        let Some((key, value)) = line.split_once('=') else {
            return Err(self.error(number, line, line.len(), "expected `=` between a name and a value"));
        };
        let key = key.trim_matches(BLANK);
        if key.is_empty() {
            return Err(self.error(number, line, 0, "expected a name before the `=`"));
        }
        let value = value.trim_matches(BLANK);
        self.open = Some(Open {
            key: key.to_ascii_lowercase(),
            property: Property::new(value, self.file, number),
            text: String::new(),
            nests: value.is_empty(),
        });
        Ok(())
    }

    /// An indented line goes on with the value, or is a property nested in one that has no value on its own line.
    fn indented(&mut self, number: u32, line: &str, text: &str) -> Result<(), ProfileError> {
        let Some(open) = &mut self.open else {
            let message = "an indented line goes on with a property, and there is none before it: remove the indent";
            return Err(self.error(number, line, trimmed_start(line), message));
        };
        let mut text = text;
        if open.nests {
            if text.starts_with(['#', ';']) {
                return Ok(());
            }
            text = without_comment(text);
            let Some((key, value)) = text.split_once('=') else {
                let column = trimmed_start(line) + text.len();
                return Err(self.error(
                    number,
                    line,
                    column,
                    "expected `=` between a name and a value of a nested property",
                ));
            };
            let key = key.trim_matches(BLANK);
            if key.is_empty() {
                let message = "expected a name before the `=` of a nested property";
                return Err(self.error(number, line, trimmed_start(line), message));
            }
            open.property.push_nested(key.to_ascii_lowercase(), value.trim_matches(BLANK), number);
        }
        if open.text.is_empty() {
            open.text.push_str(open.property.value());
        }
        open.text.push('\n');
        open.text.push_str(text);
        Ok(())
    }

    /// Moves the property that is being read to its section.
    fn close(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        if !open.text.is_empty() {
            open.property.set_value(open.text);
        }
        if let Some(section) = self.sections.last_mut() {
            section.insert(open.key, open.property);
        }
    }

    fn error(&self, number: u32, line: &str, offset: usize, message: &str) -> ProfileError {
        ProfileError::syntax(self.file, number, column(line, offset), message)
    }
}

/// Cuts a comment off: it begins with `#` or `;` after white space.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices(['#', ';']).find(|(index, _)| line[..*index].ends_with(BLANK));
    comment.map_or(line, |(index, _)| &line[..index]).trim_end_matches(BLANK)
}
