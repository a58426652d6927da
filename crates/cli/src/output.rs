//! Standard output: lines, JSON, text and tables. Everything that is not data goes to standard error.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use serde_json::{Map, Value};

use crate::exit::{Failure, printable};

/// How structured data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// JSON with the names of the AWS API.
    Json,
    /// Values separated by tabs, one record a line.
    Text,
    /// A table with a header.
    Table,
}

/// Standard output, buffered, with failures that know about closed pipes.
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    to_terminal: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let to_terminal = stdout.is_terminal();
        Self { out: BufWriter::with_capacity(64 << 10, stdout.lock()), to_terminal }
    }

    /// Writes a line. On a terminal control characters are shown escaped: a key must not steer the terminal.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        let written = if self.to_terminal {
            writeln!(self.out, "{}", printable(text))
        } else {
            self.out.write_all(text.as_bytes()).and_then(|()| self.out.write_all(b"\n"))
        };
        written.map_err(|error| Failure::stdout(&error))
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| Failure::stdout(&error))
    }

    /// Hands everything written so far to the reader.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::stdout(&error))
    }

    /// Writes one record. `human` is what is printed where no format was asked for.
    pub(crate) fn record(
        &mut self,
        format: Option<Format>,
        fields: &[(&str, Value)],
        human: &str,
    ) -> Result<(), Failure> {
        match format {
            None => self.line(human)?,
            Some(Format::Json) => self.json(&object(fields))?,
            Some(Format::Text) => {
                let values: Vec<_> = fields.iter().map(|(_, value)| plain_text(value)).collect();
                self.line(&values.join("\t"))?;
            }
            Some(Format::Table) => {
                let rows: Vec<_> =
                    fields.iter().map(|(name, value)| vec![(*name).to_owned(), plain_text(value)]).collect();
                self.table(None, &rows)?;
            }
        }
        self.flush()
    }

    /// Writes a JSON value over several lines.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.out, value)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|error| Failure::stdout(&error))
    }

    /// Writes a table; columns are as wide as their widest cell.
    pub(crate) fn table(&mut self, header: Option<&[&str]>, rows: &[Vec<String>]) -> Result<(), Failure> {
        let columns = rows.iter().map(Vec::len).chain(header.map(<[_]>::len)).max().unwrap_or(0);
        if columns == 0 {
            return Ok(());
        }
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| printable(cell).replace('\n', "\\n")).collect()).collect();
        let mut widths = vec![0; columns];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (width, name) in widths.iter_mut().zip(header.into_iter().flatten()) {
            *width = (*width).max(name.chars().count());
        }
        let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+";
        let line = |cells: &mut dyn Iterator<Item = &str>| -> String {
            widths.iter().fold(String::new(), |line, width| {
                let cell = cells.next().unwrap_or_default();
                line + &format!("| {cell}{} ", " ".repeat(width - cell.chars().count()))
            }) + "|"
        };
        let mut text = vec![rule.clone()];
        if let Some(header) = header {
            text.push(line(&mut header.iter().copied()));
            text.push(rule.clone());
        }
        text.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        text.push(rule);
        self.line(&text.join("\n"))
    }
}

/// A JSON object with its members in this order.
pub(crate) fn object(fields: &[(&str, Value)]) -> Value {
    Value::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>())
}

/// A value in `text` output and in a table; `None` for what is absent, as in the AWS CLI.
fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number of bytes in binary units: `10 Bytes`, `2.5 KiB`.
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes == 1 {
        return "1 Byte".to_owned();
    }
    if bytes < 1024 {
        return format!("{bytes} Bytes");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be shown as 1024.0 belongs to the next unit.
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_binary_units() {
        for (bytes, text) in [
            (0, "0 Bytes"),
            (1, "1 Byte"),
            (1023, "1023 Bytes"),
            (1024, "1.0 KiB"),
            (2560, "2.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn a_record_keeps_the_order_of_its_members() {
        let value = object(&[("Zebra", 1.into()), ("Ant", Value::Null)]);
        assert_eq!(value.to_string(), r#"{"Zebra":1,"Ant":null}"#);
        assert_eq!(plain_text(&Value::Null), "None");
    }
}
