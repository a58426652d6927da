//! Counting tests over several runs, and reporting timed steps.

use std::time::{Duration, Instant};

use crate::run::Outcome;

/// Tests over all runs of `cargo test`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Counts {
    /// Adds the counts of a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; other lines add nothing.
    pub fn add_line(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        let Some((_, counts)) = rest.split_once(". ") else { return };
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Named steps, each timed; all of them run, and the first line of each failure is kept.
#[derive(Debug, Default)]
pub struct Steps {
    done: Vec<(String, Duration, Outcome)>,
}

impl Steps {
    /// Runs a step, and goes on after a failure, so that one run shows everything that is wrong.
    pub fn step(&mut self, name: impl Into<String>, step: impl FnOnce() -> Outcome) {
        let name = name.into();
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = step();
        if let Err(message) = &outcome {
            println!("FAILED: {message}");
        }
        self.done.push((name, started.elapsed(), outcome));
    }

    /// Prints one line for each step, and fails when one failed.
    pub fn finish(self, title: &str) -> Outcome {
        println!("\n== {title}");
        let mut failed = Vec::new();
        for (name, took, outcome) in &self.done {
            let word = if outcome.is_ok() { "ok" } else { "FAILED" };
            println!("{word:>6} {:>7.1} s  {name}", took.as_secs_f64());
            if let Err(message) = outcome {
                println!("                  {}", message.lines().next().unwrap_or_default());
                failed.push(name.as_str());
            }
        }
        let total: f64 = self.done.iter().map(|(_, took, _)| took.as_secs_f64()).sum();
        println!("       {total:>7.1} s  together");
        if failed.is_empty() { Ok(()) } else { Err(format!("{title}: failed: {}", failed.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_from_result_lines_only() {
        let mut counts = Counts::default();
        counts
            .add_line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s");
        counts.add_line("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.add_line("running 9 tests");
        counts.add_line("test a::b ... ok");
        assert_eq!(counts, Counts { passed: 5, failed: 4, skipped: 1 });
        assert_eq!(counts.to_string(), "5 passed, 4 failed, 1 skipped");
    }

    #[test]
    fn every_step_runs_and_one_failure_fails_the_whole() {
        let mut steps = Steps::default();
        let mut ran = 0;
        steps.step("first", || Err("broken".to_owned()));
        steps.step("second", || {
            ran += 1;
            Ok(())
        });
        assert_eq!(ran, 1);
        assert_eq!(steps.finish("both"), Err("both: failed: first".to_owned()));
    }
}
