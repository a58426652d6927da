//! Colours and the terminal.

use std::io::{IsTerminal, stderr, stdout};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// Always.
    On,
    /// Never.
    Off,
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
}

/// How words are painted on one of the two streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    enabled: bool,
}

impl Paint {
    /// For standard output.
    pub(crate) fn stdout(choice: ColorChoice) -> Self {
        Self::new(choice, stdout().is_terminal())
    }

    /// For standard error.
    pub(crate) fn stderr(choice: ColorChoice) -> Self {
        Self::new(choice, stderr().is_terminal())
    }

    fn new(choice: ColorChoice, is_terminal: bool) -> Self {
        let enabled = match choice {
            ColorChoice::On => true,
            ColorChoice::Off => false,
            ColorChoice::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Self { enabled }
    }

    /// Whether colours are used.
    pub(crate) fn is_enabled(self) -> bool {
        self.enabled
    }

    /// A heading or a name.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is wrong.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is right.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.enabled { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_beats_the_terminal() {
        assert_eq!(Paint::new(ColorChoice::On, false).red("x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint::new(ColorChoice::Off, true).red("x"), "x");
        assert_eq!(Paint::new(ColorChoice::Auto, false).bold("x"), "x");
    }
}
