//! Runs the command `sigv4` as a user does: the real binary, an environment of its own, bounded in time.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use integration_tests::s3_server::S3Server;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// No run of the command takes longer.
const WITHIN: Duration = Duration::from_secs(60);

/// The session token of tests that need one: a canary that no log may show.
pub const SESSION_TOKEN: &str = "canary-session-token/of+the=command";

/// The binary: `SIGV4_BIN`, else the one that was built beside this test.
pub fn binary() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("SIGV4_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = test.parent().and_then(Path::parent).ok_or("the test runs from an unknown place")?;
    let path = folder.join(format!("sigv4{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        Ok(path)
    } else {
        Err("the command is not built: cargo build -p aws-sigv4-free-cli".to_owned())
    }
}

/// A place to run the command in: an empty home and working folder, and no variable of the user's.
pub struct Cli {
    binary: PathBuf,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    pub fn new() -> Self {
        let binary = binary().expect("the command is built");
        Self { binary, folder: TempDir::new().expect("a temporary folder"), variables: Vec::new() }
    }

    /// With the keys and the address of a server.
    pub fn for_server(server: &S3Server) -> Self {
        Self::new()
            .variable("AWS_ACCESS_KEY_ID", server.access_key())
            .variable("AWS_SECRET_ACCESS_KEY", server.secret_key())
            .variable("AWS_REGION", "us-east-1")
            .variable("AWS_ENDPOINT_URL", &server.endpoint())
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the working folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("it is below the folder")).expect("the folder of a file");
        std::fs::write(path, content).expect("a file");
    }

    /// Reads a file of the working folder.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command; the words are parted by spaces.
    pub async fn run(&self, line: &str) -> Run {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), b"").await
    }

    /// Runs the command with standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let input = input.to_vec();
        let feed = tokio::spawn(async move {
            // A command that does not read its input closes it.
            let _ = stdin.write_all(&input).await;
        });
        let output = tokio::time::timeout(WITHIN, child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} did not end")).expect("the command ends");
        feed.abort();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the command, and fails the test unless it ends well and says nothing on standard error.
    #[track_caller]
    pub fn ok(&self, line: &str) -> impl Future<Output = String> {
        let line = line.to_owned();
        async move {
            let run = self.run(&line).await;
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{line}: {run:?}");
            run.stdout
        }
    }
}

impl Run {
    /// Fails the test unless the run ended with this code, and standard error holds the words.
    #[track_caller]
    pub fn check(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(words), "{words:?} is not in {self:?}");
    }
}
