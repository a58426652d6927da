//! How the demo tells what it does: each step as the command and as the lines of Rust that a user would write, then what came of it.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Prints the steps.
#[derive(Debug)]
pub struct Narrator {
    source: &'static str,
    number: usize,
    bold: bool,
}

impl Narrator {
    /// For a program whose own source text is `source`: the lines of Rust that are shown are cut out of it, so that they are
    /// the very lines that run.
    pub fn new(source: &'static str) -> Self {
        Self { source, number: 0, bold: stdout().is_terminal() }
    }

    /// A step: its title, its command, and the lines between `// rust: NAME` and `// end` in the source.
    ///
    /// # Errors
    /// There are no such lines.
    pub fn step(&mut self, title: &str, command: &str, name: &str) -> Result<(), String> {
        self.number += 1;
        let (on, off) = if self.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("\n{on}{}. {title}{off}", self.number);
        for line in command.lines() {
            println!("   $ {line}");
        }
        println!();
        for line in excerpt(self.source, name).ok_or_else(|| format!("the source has no lines named {name}"))? {
            println!("   | {line}");
        }
        println!();
        Ok(())
    }

    /// What came of it.
    pub fn result(&self, text: &str) {
        for line in text.lines() {
            println!("   {line}");
        }
        let _ = stdout().flush();
    }
}

/// The lines between `// rust: NAME` and `// end`, without what all of them are indented by.
fn excerpt(source: &'static str, name: &str) -> Option<Vec<&'static str>> {
    let start = format!("// rust: {name}");
    let lines = source.lines().skip_while(|line| line.trim() != start).skip(1);
    let lines: Vec<&str> = lines.take_while(|line| line.trim() != "// end").collect();
    let indent =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min()?;
    Some(lines.into_iter().map(|line| line.get(indent..).unwrap_or_default()).collect())
}

/// A progress bar on standard error: redrawn on a terminal, and one line at the end elsewhere.
#[derive(Debug, Clone)]
pub struct Bar {
    total: u64,
    done: Arc<AtomicU64>,
    drawn: Arc<Mutex<Option<Instant>>>,
    started: Instant,
    terminal: bool,
}

impl Bar {
    /// A bar for that many bytes.
    pub fn new(total: u64) -> Self {
        let drawn = Arc::new(Mutex::new(None));
        Self { total, done: Arc::default(), drawn, started: Instant::now(), terminal: stderr().is_terminal() }
    }

    /// So many bytes are done.
    pub fn at(&self, bytes: u64) {
        self.done.store(bytes, Ordering::Relaxed);
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal && drawn.is_none_or(|at| at.elapsed() > Duration::from_millis(50)) {
            *drawn = Some(Instant::now());
            eprint!("\r{}", self.line());
        }
    }

    /// How many bytes are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Draws the end.
    pub fn finish(&self) {
        let start = if self.terminal { "\r" } else { "" };
        eprintln!("{start}{}", self.line());
    }

    fn line(&self) -> String {
        const WIDTH: u64 = 40;
        let done = self.done().min(self.total);
        let filled = (WIDTH * done).checked_div(self.total).unwrap_or(WIDTH);
        let bar: String = (0..WIDTH).map(|cell| if cell < filled { '#' } else { '-' }).collect();
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let [done, total] = [done, self.total].map(mebibytes);
        format!("   [{bar}] {done:.1} of {total:.1} MiB, {:.0} MiB/s", done / seconds)
    }
}

/// Bytes as MiB.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_cut_out_and_moved_to_the_left() {
        let source = "fn f() {\n    // rust: a\n    if x {\n        y();\n\n    }\n    // end\n    z();\n}\n";
        assert_eq!(excerpt(source, "a"), Some(vec!["if x {", "    y();", "", "}"]));
        assert_eq!(excerpt(source, "b"), None);
    }

    #[test]
    fn a_bar_is_full_at_its_end_and_empty_bars_are_full() {
        let bar = Bar::new(10);
        bar.at(5);
        assert!(bar.line().contains(&format!("[{}{}]", "#".repeat(20), "-".repeat(20))), "{}", bar.line());
        bar.at(12);
        assert!(bar.line().contains(&"#".repeat(40)), "{}", bar.line());
        assert!(Bar::new(0).line().contains(&"#".repeat(40)));
    }
}
