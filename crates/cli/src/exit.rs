//! How the command ends: its exit code, and what it says when it fails.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

/// The exit codes, those of the AWS CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Success,
    /// Some of several transfers failed, or a listing found nothing.
    Partial,
    /// Some files were left out, such as those that can't be read.
    Skipped,
    /// Interrupted from the keyboard.
    Interrupted,
    /// The command line can't be understood.
    Usage,
    /// The settings are broken, or there are no credentials.
    Configuration,
    /// The service answered with an error.
    Service,
    /// Anything else: the network, a file.
    Other,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Partial => 1,
            Self::Skipped => 2,
            Self::Interrupted => 130,
            Self::Usage => 252,
            Self::Configuration => 253,
            Self::Service => 254,
            Self::Other => 255,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended early.
///
/// It is written for the user: what happened, and what to do. It holds no secret.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// `None` where everything has been said, or nothing should be.
    message: Option<String>,
    details: Option<String>,
    hint: Option<String>,
    request_id: Option<String>,
}

impl Failure {
    /// A failure with a sentence: lower case, no final period.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: Some(message.into()), details: None, hint: None, request_id: None }
    }

    /// The command line can't be carried out as it stands.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Ends without another word.
    pub(crate) fn quiet(exit: Exit) -> Self {
        Self { exit, message: None, details: None, hint: None, request_id: None }
    }

    /// A file or stream failed. A reader that went away (`| head`) is no failure: the command just ends.
    pub(crate) fn io(what: impl std::fmt::Display, error: &io::Error) -> Self {
        Self::new(Exit::Other, format!("{what}: {}", plain(error)))
    }

    /// Writing to standard output failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::quiet(Exit::Success);
        }
        Self::io("can't write to standard output", error)
    }

    /// A failure that `error` and its causes describe.
    pub(crate) fn caused(exit: Exit, error: &(dyn StdError + 'static)) -> Self {
        Self::new(exit, with_causes(error))
    }

    /// Adds a report of several lines, printed after the message.
    #[must_use]
    pub(crate) fn details(mut self, details: &str) -> Self {
        self.details = Some(details.trim_end().to_owned());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the request id, which is shown with `--debug`.
    #[must_use]
    pub(crate) fn request_id(mut self, request_id: Option<&str>) -> Self {
        self.request_id = request_id.map(str::to_owned);
        self
    }

    /// Ends with another code.
    #[must_use]
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The code to end with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The message alone.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// What is printed to standard error; empty where nothing should be.
    pub(crate) fn render(&self, debug: bool) -> String {
        let mut text = String::new();
        if let Some(message) = &self.message {
            let prefix = if message.starts_with("An error occurred") { "" } else { "error: " };
            let _ = writeln!(text, "{prefix}{}", printable(message));
        }
        if let Some(details) = &self.details {
            let _ = writeln!(text, "{}", printable(details));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {}", printable(hint));
        }
        if let (true, Some(request_id)) = (debug, &self.request_id) {
            let _ = writeln!(text, "request id: {}", printable(request_id));
        }
        text
    }
}

/// The text of an error and of its causes, each told once.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The text of an IO error without the number of the operating system's error.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// `text` without control characters: what a server sends must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        match character {
            '\n' => shown.push(character),
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_aws_cli() {
        let codes = [
            (Exit::Success, 0),
            (Exit::Partial, 1),
            (Exit::Skipped, 2),
            (Exit::Interrupted, 130),
            (Exit::Usage, 252),
            (Exit::Configuration, 253),
            (Exit::Service, 254),
            (Exit::Other, 255),
        ];
        for (exit, code) in codes {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_a_quiet_success() {
        let failure = Failure::stdout(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((failure.exit(), failure.render(true)), (Exit::Success, String::new()));
        assert_eq!(Failure::stdout(&io::ErrorKind::StorageFull.into()).exit(), Exit::Other);
    }

    #[test]
    fn a_request_id_is_shown_with_debug_only() {
        let failure = Failure::new(Exit::Service, "An error occurred (X) when calling the Y operation: z")
            .hint("do this")
            .request_id(Some("R1"));
        assert_eq!(failure.render(false), "An error occurred (X) when calling the Y operation: z\nhint: do this\n");
        assert!(failure.render(true).ends_with("request id: R1\n"));
    }

    #[test]
    fn escape_sequences_of_a_server_are_not_obeyed() {
        assert_eq!(Failure::usage("\u{1b}[31mred\u{7}").render(false), "error: \\u{1b}[31mred\\u{7}\n");
    }

    #[test]
    fn io_errors_lose_their_number() {
        let error = std::fs::File::open("/nowhere/at/all").unwrap_err();
        assert_eq!(plain(&error), "no such file or directory");
    }
}
