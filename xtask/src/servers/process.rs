//! Processes that outlive the command that started them: each is written down in its folder, and `down` ends it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::http;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const VISIBLE_WITHIN: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Starts a process in a group of its own, its output in `NAME.log`, its id in `pids`.
pub fn start(folder: &Path, name: &str, command: &mut Command) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("{name} did not start: {error}");
    let log = File::create(folder.join(format!("{name}.log"))).map_err(failed)?;
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn().map_err(failed)?;
    let mut pids = OpenOptions::new().create(true).append(true).open(folder.join("pids")).map_err(failed)?;
    writeln!(pids, "{} {name}", child.id()).map_err(failed)?;
    // For a moment a new process has no command line, and would not be known as ours.
    let deadline = Instant::now() + VISIBLE_WITHIN;
    let pid = child.id().to_string();
    while !is_ours(&pid, folder) && Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        sleep(Duration::from_millis(1));
    }
    Ok(child)
}

/// Waits until the server answers, in bounded time; the error ends with the log of the process that failed.
pub fn wait_until_ready(folder: &Path, url: &str, health: &str, children: &mut [(&str, Child)]) -> Result<(), String> {
    let deadline = Instant::now() + READY_WITHIN;
    while !http::is_ok(url, health) {
        for (name, child) in children.iter_mut() {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("{name} ended with {status}:\n{}", tail(folder, name)));
            }
        }
        if Instant::now() > deadline {
            let logs: Vec<String> =
                children.iter().map(|(name, _)| format!("{name}:\n{}", tail(folder, name))).collect();
            return Err(format!(
                "{url}{health} did not answer within {} s\n{}",
                READY_WITHIN.as_secs(),
                logs.join("\n")
            ));
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// Ends every process that the folder lists, first gently, and forgets them. Gives how many there were.
pub fn stop_all(folder: &Path) -> Result<usize, String> {
    let list = folder.join("pids");
    let Ok(text) = fs::read_to_string(&list) else { return Ok(0) };
    // An id may have passed to another process since: only one that mentions this workspace's folder is ours.
    let pids: Vec<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).filter(|pid| is_ours(pid, folder)).collect();
    for pid in &pids {
        signal("TERM", pid);
    }
    let deadline = Instant::now() + STOP_WITHIN;
    while pids.iter().any(|pid| is_ours(pid, folder)) {
        if Instant::now() > deadline {
            pids.iter().filter(|pid| is_ours(pid, folder)).for_each(|pid| signal("KILL", pid));
            break;
        }
        sleep(PAUSE);
    }
    fs::remove_file(&list).map_err(|error| format!("{} cannot be removed: {error}", list.display()))?;
    let _ = fs::remove_file(folder.join("store"));
    Ok(pids.len())
}

/// Whether the process runs and was started from the folder that holds all servers.
fn is_ours(pid: &str, folder: &Path) -> bool {
    if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let command_line = match fs::read(format!("/proc/{pid}/cmdline")) {
        // Empty for a process that has ended and was not waited for.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) if Path::new("/proc/self").exists() => return false,
        Err(_) => match Command::new("ps").args(["-o", "command=", "-p", pid]).output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(_) => return false,
        },
    };
    folder.parent().is_some_and(|servers| command_line.contains(&*servers.to_string_lossy()))
}

/// Signals the process and its group. The shell's own `kill` is there also where no such program is.
fn signal(name: &str, pid: &str) {
    let script = format!("kill -{name} -- -{pid} 2>/dev/null || kill -{name} {pid} 2>/dev/null");
    let _ = Command::new("sh").args(["-c", &script]).status();
}

/// The last lines of a process's log.
pub fn tail(folder: &Path, name: &str) -> String {
    let text = fs::read(folder.join(format!("{name}.log"))).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id())).join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_started_process_is_stopped_and_forgotten() {
        let folder = folder("stopped");
        // The folder in the command line is what tells our processes from others.
        let script = format!("sleep 60; : {}", folder.display());
        let mut child = start(&folder, "sleeper", Command::new("sh").args(["-c", &script])).unwrap();
        let reaper = std::thread::spawn(move || child.wait().unwrap());
        assert_eq!(stop_all(&folder), Ok(1));
        assert!(!reaper.join().unwrap().success());
        assert_eq!(stop_all(&folder), Ok(0));
    }

    #[test]
    fn a_process_of_somebody_else_is_left_alone() {
        let folder = folder("foreign");
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        fs::write(folder.join("pids"), format!("{} sleeper\n-1 all\n 1\n", child.id())).unwrap();
        assert_eq!(stop_all(&folder), Ok(0));
        assert!(child.try_wait().unwrap().is_none(), "it still runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_ends_early_is_reported_with_its_log() {
        let folder = folder("early");
        let child = start(&folder, "broken", Command::new("sh").args(["-c", "echo no such setting; exit 3"])).unwrap();
        let error = wait_until_ready(&folder, "http://127.0.0.1:1", "/", &mut [("broken", child)]).unwrap_err();
        assert!(error.contains("no such setting") && error.contains('3'), "{error}");
    }
}
