//! `sigv4 s3 ls`.

use aws_sigv4_free_s3::{BucketSummary, ObjectSummary, S3};
use clap::Args;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};
use crate::output::{Format, Output, human_size, object};
use crate::s3_uri::{ListTarget, S3Uri};

/// The options of `ls`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 ls                                     the buckets
  sigv4 s3 ls s3://photos/2026/                   one folder
  sigv4 s3 ls s3://photos --recursive --human-readable --summarize
  sigv4 s3 ls s3://photos/2026/ --output json

Times are UTC. The exit code is 1 where nothing begins with the prefix.")]
pub(crate) struct Arguments {
    #[arg(value_name = "S3URI", default_value = "s3://", hide_default_value = true)]
    target: ListTarget,

    /// List every object below the prefix, not one folder
    #[arg(long)]
    recursive: bool,

    /// Show sizes as 2.5 KiB
    #[arg(long)]
    human_readable: bool,

    /// Add the number of objects and their size
    #[arg(long)]
    summarize: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let s3 = super::client(context)?;
    let mut out = Output::new();
    context.block_on(async {
        match &arguments.target.0 {
            None => list_buckets(&s3, context.global.output, &mut out).await,
            Some(uri) => list_objects(&s3, uri, arguments, context.global.output, &mut out).await,
        }
    })
}

async fn list_buckets(s3: &S3, format: Option<Format>, out: &mut Output) -> Result<Exit, Failure> {
    let mut buckets = s3.list_buckets().await;
    let mut all: Vec<BucketSummary> = Vec::new();
    while let Some(bucket) = buckets.try_next().await.map_err(|error| call_failure(&error))? {
        if format.is_none() {
            out.line(&format!("{} {}", local_style(bucket.created), bucket.name))?;
        } else {
            all.push(bucket);
        }
    }
    match format {
        None => {}
        Some(Format::Json) => {
            let buckets: Vec<_> = all
                .iter()
                .map(|bucket| json!({"Name": bucket.name, "CreationDate": timestamp(bucket.created)}))
                .collect();
            out.json(&json!({"Buckets": buckets}))?;
        }
        Some(Format::Text) => {
            for bucket in &all {
                out.line(&format!("BUCKETS\t{}\t{}", timestamp_text(bucket.created), bucket.name))?;
            }
        }
        Some(Format::Table) => {
            let rows: Vec<_> =
                all.iter().map(|bucket| vec![timestamp_text(bucket.created), bucket.name.clone()]).collect();
            out.table(Some(&["CreationDate", "Name"]), &rows)?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// What is counted while a list goes by.
#[derive(Default)]
struct Count {
    objects: u64,
    prefixes: u64,
    bytes: u64,
}

async fn list_objects(
    s3: &S3,
    uri: &S3Uri,
    arguments: &Arguments,
    format: Option<Format>,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let mut call = s3.bucket(&uri.bucket).list(&uri.key);
    if !arguments.recursive {
        call = call.delimiter("/");
    }
    let mut pages = call.await;
    let mut count = Count::default();
    let mut printer = Printer::new(format, arguments, uri);
    while let Some(page) = pages.try_next_page().await.map_err(|error| call_failure(&error))? {
        for prefix in &page.common_prefixes {
            count.prefixes += 1;
            printer.prefix(prefix, out)?;
        }
        for object in &page.objects {
            count.objects += 1;
            count.bytes += object.size;
            printer.object(object, out)?;
        }
        // Each page is seen as it arrives.
        out.flush()?;
    }
    printer.end(&count, out)?;
    out.flush()?;
    let is_empty = count.objects == 0 && count.prefixes == 0;
    Ok(if is_empty && !uri.key.is_empty() { Exit::Partial } else { Exit::Success })
}

/// Prints a list as it goes by. JSON is written piece by piece, so that a list of millions needs no memory.
struct Printer<'a> {
    format: Option<Format>,
    arguments: &'a Arguments,
    /// How much of each key is left out: the folder that is listed.
    hidden: usize,
    prefixes: Vec<String>,
    is_first: bool,
    rows: Vec<Vec<String>>,
}

impl<'a> Printer<'a> {
    fn new(format: Option<Format>, arguments: &'a Arguments, uri: &S3Uri) -> Self {
        let folder = uri.key.rfind('/').map_or(0, |slash| slash + 1);
        let hidden = if arguments.recursive { 0 } else { folder };
        Self { format, arguments, hidden, prefixes: Vec::new(), is_first: true, rows: Vec::new() }
    }

    fn size(&self, bytes: u64) -> String {
        if self.arguments.human_readable { human_size(bytes) } else { bytes.to_string() }
    }

    fn prefix(&mut self, prefix: &str, out: &mut Output) -> Result<(), Failure> {
        match self.format {
            None => out.line(&format!("{:>31}{}", "PRE ", prefix.get(self.hidden..).unwrap_or(prefix))),
            Some(Format::Json) => {
                self.prefixes.push(prefix.to_owned());
                Ok(())
            }
            Some(Format::Text) => out.line(&format!("COMMONPREFIXES\t{prefix}")),
            Some(Format::Table) => {
                self.rows.push(vec![prefix.to_owned(), "PRE".to_owned()]);
                Ok(())
            }
        }
    }

    fn object(&mut self, summary: &ObjectSummary, out: &mut Output) -> Result<(), Failure> {
        let key = &summary.key;
        let class = summary.storage_class.as_deref();
        match self.format {
            None => {
                let shown = key.get(self.hidden..).unwrap_or(key);
                out.line(&format!("{} {:>10} {shown}", local_style(summary.last_modified), self.size(summary.size)))
            }
            Some(Format::Json) => {
                let value = object(&[
                    ("Key", key.as_str().into()),
                    ("LastModified", timestamp(summary.last_modified)),
                    ("ETag", summary.etag.as_deref().map_or(Value::Null, Value::from)),
                    ("Size", summary.size.into()),
                    ("StorageClass", class.map_or(Value::Null, Value::from)),
                ]);
                let start = if self.is_first { "{\"Contents\": [\n  " } else { ",\n  " };
                self.is_first = false;
                out.bytes(format!("{start}{value}").as_bytes())
            }
            Some(Format::Text) => {
                let modified = timestamp_text(summary.last_modified);
                out.line(&format!(
                    "CONTENTS\t{modified}\t{}\t{}\t{key}",
                    self.size(summary.size),
                    class.unwrap_or("None")
                ))
            }
            Some(Format::Table) => {
                let row = [key.clone(), self.size(summary.size), timestamp_text(summary.last_modified)];
                self.rows.push(row.into_iter().chain(class.map(str::to_owned)).collect());
                Ok(())
            }
        }
    }

    fn end(self, count: &Count, out: &mut Output) -> Result<(), Failure> {
        match self.format {
            Some(Format::Json) => {
                let start = if self.is_first { "{\"Contents\": []" } else { "\n]" };
                let prefixes: Vec<_> = self.prefixes.iter().map(|prefix| json!({"Prefix": prefix})).collect();
                let mut end = format!("{start},\n\"CommonPrefixes\": {}", Value::from(prefixes));
                if self.arguments.summarize {
                    end += &format!(",\n\"TotalObjects\": {},\n\"TotalSize\": {}", count.objects, count.bytes);
                }
                return out.bytes(format!("{end}}}\n").as_bytes());
            }
            Some(Format::Table) => out.table(Some(&["Key", "Size", "LastModified", "StorageClass"]), &self.rows)?,
            None | Some(Format::Text) => {}
        }
        if self.arguments.summarize {
            out.line(&format!("\nTotal Objects: {}\n   Total Size: {}", count.objects, self.size(count.bytes)))?;
        }
        Ok(())
    }
}

/// `2026-11-22 02:07:11`, in UTC; as wide where the store did not say.
fn local_style(instant: Option<OffsetDateTime>) -> String {
    let Some(instant) = instant.map(|instant| instant.to_offset(UtcOffset::UTC)) else { return " ".repeat(19) };
    let (date, time) = (instant.date(), instant.time());
    let (month, day) = (u8::from(date.month()), date.day());
    format!("{:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", date.year(), time.hour(), time.minute(), time.second())
}

fn timestamp(instant: Option<OffsetDateTime>) -> Value {
    instant.and_then(|instant| instant.format(&Rfc3339).ok()).map_or(Value::Null, Value::from)
}

fn timestamp_text(instant: Option<OffsetDateTime>) -> String {
    instant.and_then(|instant| instant.format(&Rfc3339).ok()).unwrap_or_else(|| "None".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_wide_as_nothing() {
        assert_eq!(local_style(Some(OffsetDateTime::UNIX_EPOCH)), "1970-01-01 00:00:00");
        assert_eq!(local_style(None).len(), 19);
    }
}
