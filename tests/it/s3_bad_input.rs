//! Bad input of the S3 client: a clear error before anything is sent, and nothing changed.

use std::path::Path;
use std::time::Duration;

use aws_sigv4_free_s3::{Credentials, Error, ErrorKind, local_path};
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};

use crate::harness::{async_trial, skipped};
use crate::s3::{client, empty};

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        async_trial("s3_bad_input::names_of_buckets", || async { buckets(S3Server::start().await).await }),
        async_trial("s3_bad_input::keys", || async { keys(S3Server::start().await).await }),
        async_trial("s3_bad_input::metadata_and_headers", || async { metadata(S3Server::start().await).await }),
        async_trial("s3_bad_input::regions_and_endpoints", || async { regions() }),
        async_trial("s3_bad_input::files_that_are_none", || async { files(S3Server::start().await).await }),
        async_trial("s3_bad_input::keys_that_would_leave_the_folder", || async {
            downloads(S3Server::start().await).await
        }),
        async_trial("s3_bad_input::lives_of_urls", || async { lives(S3Server::start().await).await }),
        async_trial("s3_bad_input::a_download_that_is_dropped", || async { dropped(S3Server::start().await).await }),
    ];
    let full = "s3_bad_input::a_full_disk";
    trials.push(match SmallDisk::mount() {
        Ok(disk) => async_trial(full, move || async move { full_disk(S3Server::start().await, &disk).await }),
        Err(reason) => skipped(full, &format!("no small file system can be mounted here: {reason}")),
    });
    trials
}

/// The call failed before anything was sent, for a reason that its text names.
#[track_caller]
fn refused<T: std::fmt::Debug>(server: &S3Server, result: Result<T, Error>, reason: &str) {
    let error = result.expect_err(reason);
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let text = error.to_string();
    assert!(text.contains(reason), "{text}");
    assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    assert_eq!(server.requests(), 0);
}

async fn buckets(server: S3Server) -> Result<(), Failed> {
    let s3 = client(&server);
    for name in ["", "..", ".", "a/b", "a\\b", "../etc", "a\r\nb", "a\0b", "a b", "a?b", "a#b", "a%2fb", "ü"] {
        refused(&server, s3.bucket(name).create().await, "the bucket name");
        refused(&server, s3.bucket(name).object("k").put("x").await, "the bucket name");
        refused(&server, s3.bucket(name).list("").await.try_next().await, "the bucket name");
        refused(&server, s3.bucket("ok").object("k").copy_from((name, "k")).await, "the bucket name");
        refused(&server, s3.bucket(name).object("k").presign_get(Duration::from_secs(60)).await, "the bucket name");
    }
    let aws = empty().region("eu-west-1").credentials(Credentials::new("AKIDEXAMPLE", "canary")).build()?;
    for name in ["Photos", "ab", "192.168.0.1", "xn--abc", "a..b", "-abc", "a_b", &"a".repeat(64)] {
        refused(&server, aws.bucket(name).create().await, "the bucket name");
    }
    server.stop().await;
    Ok(())
}

async fn keys(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    let long = "k".repeat(1025);
    for (key, reason) in [("", "the key is empty"), (long.as_str(), "1025 bytes")] {
        let object = bucket.object(key);
        refused(&server, object.put("x").await, reason);
        refused(&server, object.get().await, reason);
        refused(&server, object.head().await, reason);
        refused(&server, object.delete().await, reason);
        refused(&server, object.presign_put(Duration::from_secs(60)).await, reason);
        refused(&server, bucket.delete_objects([key]).await, reason);
        refused(&server, bucket.object("ok").copy_from(("photos", key)).await, reason);
    }
    server.stop().await;
    Ok(())
}

async fn metadata(server: S3Server) -> Result<(), Failed> {
    let object = client(&server).bucket("photos").object("a");
    for (name, value, reason) in [
        ("colour", "black\r\nx-amz-acl: public-read", "a line break"),
        ("colour", "black\nwhite", "a line break"),
        ("colour", "black\0", "a NUL"),
        ("colour", "grün", "outside ASCII"),
        ("a\r\nb", "x", "metadata name"),
        ("a b", "x", "metadata name"),
        ("", "x", "metadata name"),
        ("large", &"x".repeat(2048), "2053 bytes"),
    ] {
        refused(&server, object.put("x").metadata(name, value).await, reason);
        refused(&server, object.copy_from(("photos", "b")).metadata(name, value).await, reason);
        refused(&server, object.put("x").metadata(name, value).presign(Duration::from_secs(60)).await, reason);
    }
    refused(&server, object.put("x").content_type("text/plain\r\nx-evil: 1").await, "content-type");
    refused(&server, object.put("x").header("Host", "evil.example").await, "\"Host\"");
    refused(&server, object.put("x").header("x-amz-date", "now").await, "\"x-amz-date\"");
    refused(&server, object.get().if_match("a\r\nb").await, "if-match");
    server.stop().await;
    Ok(())
}

fn regions() -> Result<(), Failed> {
    for region in ["us/east", "us east", "", "evil.example/", "us-east-1\r\n", "@evil"] {
        let error = empty().region(region).build().expect_err(region);
        assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
    }
    for url in
        ["", "127.0.0.1:9000", "ftp://127.0.0.1", "http://", "http://user:canary@127.0.0.1", "http://h/?x=canary"]
    {
        let error = empty().endpoint(url).build().expect_err(url);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    Ok(())
}

async fn files(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let object = client(&server).bucket("photos").object("a");
    let io = |error: Error, reason: &str| {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().starts_with("s3 "), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(server.requests(), 0);
    };
    io(object.put_file(folder.path().join("missing")).await.unwrap_err(), "missing: it is not there");
    io(object.put_file(folder.path()).await.unwrap_err(), "it is a directory");
    io(object.put_file("/dev/zero").await.unwrap_err(), "not a regular file");
    io(object.get().to_file(folder.path()).await.unwrap_err(), "it is a directory");
    io(object.get().to_file(folder.path().join("no/folder")).await.unwrap_err(), "it is not there");
    io(object.get().to_file("/dev/full").await.unwrap_err(), "not a regular file");
    std::fs::write(folder.path().join("file"), "x")?;
    io(object.get().to_file(folder.path().join("file/below")).await.unwrap_err(), "is not a directory");
    server.stop().await;
    Ok(())
}

async fn downloads(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root");
    std::fs::create_dir(&root)?;
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("fine.txt").put("fine").await?;
    for key in ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:\\evil", "c:evil", "a\0b", "nul", "", "a/"] {
        let error = local_path(&root, key).expect_err(key);
        assert!(error.to_string().contains("not a safe file name"), "{error}");
    }
    let path = local_path(&root, "fine.txt")?;
    assert!(path.starts_with(&root));
    bucket.object("fine.txt").get().to_file(&path).await?;
    assert_eq!(std::fs::read(root.join("fine.txt"))?, b"fine");
    server.stop().await;
    Ok(())
}

async fn lives(server: S3Server) -> Result<(), Failed> {
    let object = client(&server).bucket("photos").object("a");
    for seconds in [0, 604_801, u64::MAX] {
        refused(&server, object.presign_get(Duration::from_secs(seconds)).await, "7 days");
    }
    for seconds in [1, 604_800] {
        assert!(object.presign_get(Duration::from_secs(seconds)).await.is_ok());
    }
    server.stop().await;
    Ok(())
}

async fn dropped(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("large").put(vec![7; 8 << 20]).await?;
    let path = folder.path().join("large");
    std::fs::write(&path, "old")?;
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let began = std::sync::Mutex::new(Some(began));
    let get = bucket.object("large").get().on_progress(move |_, _| {
        if let Some(began) = began.lock().unwrap().take() {
            let _ = began.send(());
        }
    });
    let target = path.clone();
    let task = tokio::spawn(async move { get.to_file(target).await });
    has_begun.await?;
    task.abort();
    let _ = task.await;
    // The write that was under way ends in its own thread, and takes the file with it.
    for _ in 0..200 {
        if std::fs::read_dir(folder.path())?.count() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "the temporary file stays");
    assert_eq!(std::fs::read(&path)?, b"old");
    server.stop().await;
    Ok(())
}

/// A file system of 1 MiB, in memory.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path());
        let output = mount.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(Self(folder))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

async fn full_disk(server: S3Server, disk: &SmallDisk) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    bucket.object("large").put(vec![7; 4 << 20]).await?;
    let path = disk.path().join("large");
    std::fs::write(&path, "old")?;
    let error = bucket.object("large").get().to_file(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(std::fs::read(&path)?, b"old");
    assert_eq!(std::fs::read_dir(disk.path())?.count(), 1, "the temporary file stays");
    server.stop().await;
    Ok(())
}
