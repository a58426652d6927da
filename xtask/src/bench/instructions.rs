//! Instructions of one operation, counted by valgrind: the same on every machine, however busy it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{Outcome, output};

/// How often an operation is done: the first ones, which fill caches, weigh nothing then.
const COUNT: u64 = 500;
const OPERATIONS: &[&str] = &["get", "get-with-token", "post-4-kib", "presign"];

/// What this crate executes for each operation, hashing apart.
pub fn print(program: &Path, folder: &Path) -> Outcome {
    let installed = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        println!("\nvalgrind is not installed: instructions were not counted");
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    println!(
        "\ninstructions of this crate for one operation, counted by valgrind (whose processor has no instructions for SHA-256)"
    );
    println!("  {:<16} {:>9} {:>9}", "", "hashing", "other");
    for operation in OPERATIONS {
        let count = |what| -> Result<Counts, String> {
            let file = folder.join(format!("{operation}.{what}"));
            let mut valgrind = Command::new("valgrind");
            valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
            output(valgrind.arg(program).args([*operation, &COUNT.to_string(), what]))?;
            fs::read_to_string(&file).map(|text| read(&text)).map_err(|error| format!("{}: {error}", file.display()))
        };
        // Making the inputs is no part of the operation.
        let (all, inputs) = (count("all")?, count("inputs")?);
        let each = |all: u64, inputs: u64| all.saturating_sub(inputs) / COUNT;
        println!("  {operation:<16} {:>9} {:>9}", each(all.hashing, inputs.hashing), each(all.other, inputs.other));
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    hashing: u64,
    other: u64,
}

/// Sums up callgrind's profile: `fn=(1) name` opens a function, `12 345` is a line of it with its own cost, and the line after
/// `calls=` is the cost of what it called.
fn read(profile: &str) -> Counts {
    let mut counts = Counts::default();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut hashing, mut called) = (false, false);
    for line in profile.lines() {
        if let Some(function) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            if line.starts_with("fn=") {
                hashing = names.get(id).is_some_and(|name| name.contains("sha2::"));
            }
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
            let cost = line.split_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok()).unwrap_or_default();
            if !std::mem::take(&mut called) {
                *(if hashing { &mut counts.hashing } else { &mut counts.other }) += cost;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_summed_up_without_the_cost_of_calls() {
        let profile = "version: 1\nevents: Ir\n\nfn=(1) main\n1 10\n+1 5\ncfn=(2) sha2::compress\ncalls=3 7\n* 900\n+2 1\n\n\
                       fn=(2)\n5 900\n\nfn=(1)\n1 4\n\ntotals: 920\n";
        assert_eq!(read(profile), Counts { hashing: 900, other: 20 });
    }
}
