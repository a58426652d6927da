//! The dialect of boto: that of Python's configuration files.

use std::collections::HashMap;

use tracing::warn;

use crate::endpoint::error::quoted;
use crate::profile::{FileName, Location, ProfileError, Property, Section};

use super::{BLANK, column, lines, trimmed_start};

pub(super) fn parse(text: &str, file: &FileName) -> Result<Vec<Section>, ProfileError> {
    let mut parser = Parser { file, sections: Vec::new(), first_lines: HashMap::new(), open: None };
    for (number, line) in lines(text) {
        parser.line(number, line)?;
    }
    parser.close();
    Ok(parser.sections)
}

struct Parser<'a> {
    file: &'a FileName,
    sections: Vec<Section>,
    first_lines: HashMap<String, u32>,
    open: Option<Open>,
}

/// The option that the next indented line belongs to.
struct Open {
    key: String,
    line: u32,
    text: String,
}

impl Parser<'_> {
    fn line(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        let text = line.trim_matches(BLANK);
        if text.is_empty() || text.starts_with(['#', ';']) {
            return Ok(());
        }
        if line.starts_with(BLANK)
            && let Some(open) = &mut self.open
        {
            open.text.push('\n');
            open.text.push_str(text);
            return Ok(());
        }
        if text.starts_with('[') { self.section(number, line) } else { self.option(number, line) }
    }

    fn section(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        self.close();
        let text = line.trim_matches(BLANK);
        // Whatever follows the bracket is not looked at: so does Python.
        let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) else {
            return Err(self.error(
                number,
                line,
                line.trim_end_matches(BLANK).len(),
                "expected `]` at the end of the section's name",
            ));
        };
        if let Some(first) = self.first_lines.insert(name.to_owned(), number) {
            let message = format!("the section {} stands already in line {first}: put them together", quoted(name));
            return Err(self.error(number, line, trimmed_start(line), message));
        }
        self.sections.push(Section::new(name, Location { file: self.file.clone(), line: number }));
        Ok(())
    }

    fn option(&mut self, number: u32, line: &str) -> Result<(), ProfileError> {
        self.close();
        let start = trimmed_start(line);
        let Some(section) = self.sections.last() else {
            let message = "expected a section before the first option: begin with a line such as `[Credentials]`";
            return Err(self.error(number, line, start, message));
        };
        let Some((key, value)) = line.split_once(['=', ':']) else {
            let end = line.trim_end_matches(BLANK).len();
            return Err(self.error(number, line, end, "expected `=` or `:` between a name and a value"));
        };
        let key = key.trim_matches(BLANK).to_ascii_lowercase();
        if key.is_empty() {
            return Err(self.error(number, line, start, "expected a name before the separator"));
        }
        if let Some(first) = section.property(&key) {
            let message = format!("the option stands already in line {}: remove one of them", first.location().line);
            return Err(self.error(number, line, start, message));
        }
        self.open = Some(Open { key, line: number, text: value.trim_matches(BLANK).to_owned() });
        Ok(())
    }

    /// Moves the option that is being read to its section.
    fn close(&mut self) {
        let Some(Open { key, line, text }) = self.open.take() else { return };
        let value = self.percent_signs(text, line);
        if let Some(section) = self.sections.last_mut() {
            section.insert(key, Property::new(&value, self.file, line));
        }
    }

    /// `%%` stands for one. A single one is an error in Python, which would look up another option there; here it is
    /// itself.
    fn percent_signs(&self, text: String, line: u32) -> String {
        if !text.contains('%') {
            return text;
        }
        if text.split("%%").any(|part| part.contains('%')) {
            warn!(file = %self.file, line, "a single % is taken as it is: write %% to say so");
        }
        text.replace("%%", "%")
    }

    fn error(&self, number: u32, line: &str, offset: usize, message: impl Into<String>) -> ProfileError {
        ProfileError::syntax(self.file, number, column(line, offset), message)
    }
}
