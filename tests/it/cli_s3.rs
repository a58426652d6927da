//! `sigv4 s3` against a server that checks every signature.

use std::process::Stdio;
use std::time::Duration;

use integration_tests::logs::assert_absent;
use integration_tests::s3_server::{S3Server, SECRET_KEY};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cli_support::{Cli, SESSION_TOKEN, binary};
use crate::harness::{async_trial, skipped};

pub fn trials() -> Vec<Trial> {
    if let Err(reason) = binary() {
        return vec![skipped("cli_s3::every_command", &reason)];
    }
    vec![
        async_trial("cli_s3::a_bucket_and_an_object_live_and_die", a_bucket_and_an_object_live_and_die),
        async_trial("cli_s3::folders_go_up_and_come_down", folders_go_up_and_come_down),
        async_trial("cli_s3::a_dry_run_does_nothing", a_dry_run_does_nothing),
        async_trial("cli_s3::moves_leave_no_source", moves_leave_no_source),
        async_trial("cli_s3::streams_go_through_pipes", streams_go_through_pipes),
        async_trial("cli_s3::lists_in_each_format", lists_in_each_format),
        async_trial("cli_s3::exit_codes", exit_codes),
        async_trial("cli_s3::a_full_bucket_is_not_removed", a_full_bucket_is_not_removed),
        async_trial("cli_s3::a_key_never_leaves_the_folder", a_key_never_leaves_the_folder),
        async_trial("cli_s3::debug_shows_no_secret", debug_shows_no_secret),
        async_trial("cli_s3::a_closed_pipe_is_quiet", a_closed_pipe_is_quiet),
        #[cfg(unix)]
        async_trial("cli_s3::an_interrupt_leaves_no_partial_file", an_interrupt_leaves_no_partial_file),
    ]
}

async fn a_bucket_and_an_object_live_and_die() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    assert_eq!(cli.ok("s3 mb s3://photos").await, "make_bucket: photos\n");
    cli.write("cat.txt", "meow");
    let upload = cli.ok("s3 cp cat.txt s3://photos/cats/ --metadata colour=black").await;
    assert_eq!(upload, "upload: ./cat.txt to s3://photos/cats/cat.txt\n");
    assert_eq!(std::fs::read(server.folder().join("photos/cats/cat.txt"))?, b"meow");

    assert!(cli.ok("s3 ls").await.ends_with(" photos\n"));
    let listed = cli.ok("s3 ls s3://photos/cats/").await;
    assert!(listed.ends_with("          4 cat.txt\n"), "{listed}");
    assert!(cli.ok("s3 ls s3://photos").await.ends_with(" PRE cats/\n"));
    assert_eq!(cli.ok("s3 cat s3://photos/cats/cat.txt").await, "meow");
    assert_eq!(cli.ok("s3 cat s3://photos/cats/cat.txt --range 1-2").await, "eo");

    let copy = cli.ok("s3 cp s3://photos/cats/cat.txt s3://photos/copy.txt").await;
    assert_eq!(copy, "copy: s3://photos/cats/cat.txt to s3://photos/copy.txt\n");
    assert_eq!(cli.ok("s3 cp s3://photos/copy.txt .").await, "download: s3://photos/copy.txt to ./copy.txt\n");
    assert_eq!(cli.read("copy.txt"), b"meow");

    assert_eq!(cli.ok("s3 rm s3://photos/copy.txt").await, "delete: s3://photos/copy.txt\n");
    let removed = cli.ok("s3 rb s3://photos --force").await;
    assert_eq!(removed, "delete: s3://photos/cats/cat.txt\nremove_bucket: photos\n");
    assert_eq!(cli.ok("s3 ls").await, "");
    server.stop().await;
    Ok(())
}

async fn folders_go_up_and_come_down() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    for name in ["a.jpg", "b.tmp", "deep/c d.jpg", "deep/er/é.jpg"] {
        cli.write(&format!("in/{name}"), name);
    }
    let uploaded = cli.ok("s3 cp in s3://photos/up --recursive --exclude *.tmp").await;
    let mut lines: Vec<_> = uploaded.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "upload: ./in/a.jpg to s3://photos/up/a.jpg",
            "upload: ./in/deep/c d.jpg to s3://photos/up/deep/c d.jpg",
            "upload: ./in/deep/er/é.jpg to s3://photos/up/deep/er/é.jpg",
        ]
    );
    cli.ok("s3 cp s3://photos/up out --recursive --exclude * --include *.jpg --only-show-errors").await;
    for name in ["a.jpg", "deep/c d.jpg", "deep/er/é.jpg"] {
        assert_eq!(cli.read(&format!("out/{name}")), name.as_bytes());
    }
    assert!(!cli.folder().join("out/b.tmp").exists());

    // A copy into itself takes what was there when it began.
    let copied = cli.ok("s3 cp s3://photos/ s3://photos/backup/ --recursive").await;
    assert_eq!(copied.lines().count(), 3, "{copied}");
    let summary = cli.ok("s3 ls s3://photos --recursive --summarize --human-readable").await;
    assert!(summary.contains("Total Objects: 6\n   Total Size: 62 Bytes\n"), "{summary}");
    let removed = cli.ok("s3 rm s3://photos/backup --recursive --exclude *c* --quiet").await;
    assert_eq!(removed, "");
    assert_eq!(cli.ok("s3 ls s3://photos/backup/ --recursive").await.lines().count(), 1);
    server.stop().await;
    Ok(())
}

async fn a_dry_run_does_nothing() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    cli.write("in/a", "a");
    cli.ok("s3 cp in/a s3://photos/a").await;
    let before = server.requests();
    assert_eq!(
        cli.ok("s3 cp in s3://photos/x --recursive --dryrun").await,
        "(dryrun) upload: ./in/a to s3://photos/x/a\n"
    );
    assert_eq!(cli.ok("s3 mv in/a s3://photos/ --dryrun").await, "(dryrun) move: ./in/a to s3://photos/a\n");
    assert_eq!(cli.ok("s3 rm s3://photos/a --dryrun").await, "(dryrun) delete: s3://photos/a\n");
    assert_eq!(server.requests(), before, "a dry run of known names asks nobody");
    assert_eq!(cli.ok("s3 rm s3://photos --recursive --dryrun").await, "(dryrun) delete: s3://photos/a\n");
    assert_eq!(cli.ok("s3 cat s3://photos/a").await, "a");
    assert_eq!(cli.read("in/a"), b"a");
    server.stop().await;
    Ok(())
}

async fn moves_leave_no_source() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    cli.write("a", "meow");
    assert_eq!(cli.ok("s3 mv a s3://photos/a").await, "move: ./a to s3://photos/a\n");
    assert!(!cli.folder().join("a").exists());
    cli.ok("s3 mv s3://photos/a s3://photos/folder/b").await;
    cli.ok("s3 mv s3://photos/folder got --recursive").await;
    assert_eq!(cli.read("got/b"), b"meow");
    assert_eq!(cli.ok("s3 ls s3://photos --recursive").await, "");
    cli.run("s3 mv s3://photos/a s3://photos/a").await.check(252, "can't be moved onto itself");
    cli.run("s3 mv s3://photos/a s3://photos").await.check(252, "can't be moved onto itself");
    server.stop().await;
    Ok(())
}

async fn streams_go_through_pipes() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    // Short ones go through memory, long ones through a temporary file.
    for size in [0, 5, (8 << 20) + 1] {
        let content: Vec<u8> = (0..size).map(|at: u32| b'a' + (at % 23) as u8).collect();
        let run = cli.run_with(&["s3", "cp", "-", "s3://photos/stream"], &content).await;
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), "upload: - to s3://photos/stream\n"), "{run:?}");
        let back = cli.ok("s3 cp s3://photos/stream -").await;
        assert!(back.as_bytes() == content, "{size} bytes come back");
    }
    cli.run_with(&["s3", "cp", "-", "s3://photos/"], b"x").await.check(252, "give the whole key");
    server.stop().await;
    Ok(())
}

async fn lists_in_each_format() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    let made: Value = serde_json::from_str(&cli.ok("s3 mb s3://photos --output json").await)?;
    assert_eq!(made["Bucket"], "photos");
    cli.write("a", "meow");
    cli.ok("s3 cp a s3://photos/x/a").await;
    cli.ok("s3 cp a s3://photos/b").await;
    let buckets: Value = serde_json::from_str(&cli.ok("s3 ls --output json").await)?;
    assert_eq!(buckets["Buckets"][0]["Name"], "photos");
    let list: Value = serde_json::from_str(&cli.ok("s3 ls s3://photos --output json --summarize").await)?;
    assert_eq!(list["Contents"][0]["Key"], "b");
    assert_eq!(list["Contents"][0]["Size"], 4);
    assert_eq!(list["CommonPrefixes"][0]["Prefix"], "x/");
    assert_eq!(list["TotalObjects"], 1);
    let empty = cli.run("s3 ls s3://photos/nothing --output json").await;
    assert_eq!(empty.code, Some(1));
    assert_eq!(serde_json::from_str::<Value>(&empty.stdout)?["Contents"], serde_json::json!([]));
    let table = cli.ok("s3 ls s3://photos --output table --recursive").await;
    assert!(table.contains("| Key ") && table.contains("| x/a "), "{table}");
    let text = cli.ok("s3 ls s3://photos --output text --recursive").await;
    assert!(text.lines().all(|line| line.starts_with("CONTENTS\t")), "{text}");
    server.stop().await;
    Ok(())
}

async fn exit_codes() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.run("s3 ls s3://missing-bucket")
        .await
        .check(254, "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation");
    cli.run("s3 cat s3://missing-bucket/key").await.check(254, "when calling the GetObject operation");
    cli.ok("s3 mb s3://photos").await;
    cli.run("s3 cp s3://photos/missing .").await.check(1, "download failed: s3://photos/missing to ./missing");
    cli.run("s3 cp missing s3://photos/").await.check(255, "no such file or directory");
    cli.run("s3 cp . s3://photos/").await.check(252, "--recursive");
    cli.run("s3 cp a b").await.check(252, "s3://");
    cli.run("s3 rm s3://photos").await.check(252, "--recursive");
    cli.run("s3 presign s3://photos/a --expires-in 0").await.check(252, "--expires-in");
    cli.run("s3 nonsense").await.check(252, "unrecognized subcommand");
    cli.run("s3 ls s3://photos/nothing").await.check(1, "");
    let amazon = Cli::for_server(&server).variable("AWS_ENDPOINT_URL", "");
    amazon.run("s3 mb s3://UPPER").await.check(252, "a-z, 0-9");
    cli.run("s3 ls --region not/a/region").await.check(252, "--region");
    cli.run("s3 ls --no-verify-ssl").await.check(252, "--ca-bundle");

    let wrong = Cli::for_server(&server).variable("AWS_SECRET_ACCESS_KEY", "another-secret");
    wrong
        .run("s3 ls")
        .await
        .check(254, "An error occurred (SignatureDoesNotMatch) when calling the ListBuckets operation");
    let nobody = Cli::new().variable("AWS_ENDPOINT_URL", &server.endpoint());
    nobody.run("s3 ls").await.check(253, "AWS_ACCESS_KEY_ID");
    nobody.run("s3 ls --no-sign-request").await.check(254, "AccessDenied");
    nobody.run("s3 ls --profile missing").await.check(253, "missing");
    let nowhere =
        Cli::for_server(&server).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:9").variable("AWS_MAX_ATTEMPTS", "1");
    nowhere.run("s3 ls").await.check(255, "hint: check the network");
    server.stop().await;
    Ok(())
}

/// The in-process server removes full buckets, so the refusal is a scripted one.
async fn a_full_bucket_is_not_removed() -> Result<(), Failed> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
    tokio::spawn(async move {
        let body = "<Error><Code>BucketNotEmpty</Code><Message>It is \u{1b}[31mnot empty.</Message></Error>";
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 409 Conflict\r\ncontent-length: {length}\r\nx-amz-request-id: R1\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    let cli = Cli::new()
        .variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .variable("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        .variable("AWS_ENDPOINT_URL", &endpoint);
    let refused = cli.run("s3 rb s3://photos").await;
    refused.check(254, "An error occurred (BucketNotEmpty) when calling the DeleteBucket operation: It is ");
    refused.check(254, "hint: --force removes the objects first\n");
    assert!(!refused.stderr.contains('\u{1b}') && !refused.stderr.contains("R1"), "{refused:?}");
    cli.run("s3 rb s3://photos --debug").await.check(254, "request id: R1\n");
    Ok(())
}

async fn a_key_never_leaves_the_folder() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    cli.write("in/good", "good");
    cli.write("in/con.txt", "reserved");
    cli.ok("s3 cp in s3://photos --recursive").await;
    let run = cli.run("s3 cp s3://photos out --recursive").await;
    run.check(1, "download failed: s3://photos/con.txt");
    assert_eq!(cli.read("out/good"), b"good");
    assert!(!cli.folder().join("out/con.txt").exists());
    server.stop().await;
    Ok(())
}

async fn debug_shows_no_secret() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    let url = cli.ok("s3 presign s3://photos/a --expires-in 60").await;
    let signature = url.trim().rsplit("X-Amz-Signature=").next().unwrap_or_default().to_owned();
    assert_eq!(signature.len(), 64, "{url}");

    let run = cli.run("s3 ls s3://photos --debug=wire").await;
    assert!(run.code == Some(0) && run.stderr.contains("TRACE") && run.stderr.contains("/photos"), "{run:?}");
    assert_absent(&run.stderr, &[SECRET_KEY], "--debug=wire");
    let with_token = Cli::for_server(&server).variable("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let mut told = String::new();
    for line in [
        "s3 ls s3://photos --debug=wire",
        "s3 presign s3://photos/a --debug=wire",
        "s3 cp s3://photos/a x --debug=wire",
        "credentials show --debug=wire",
    ] {
        let run = with_token.run(line).await;
        assert!(!run.stderr.is_empty(), "{line} says something");
        for word in run.stdout.split(|character: char| !character.is_ascii_hexdigit()).filter(|word| word.len() == 64) {
            assert!(!run.stderr.contains(word), "a signature shows in {line}");
        }
        told += &run.stderr;
    }
    assert_absent(&told, &[SECRET_KEY, SESSION_TOKEN], "--debug=wire");
    assert!(!told.contains("Signature="), "an authorization shows");
    server.stop().await;
    Ok(())
}

async fn a_closed_pipe_is_quiet() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    cli.write("big", vec![b'x'; 4 << 20]);
    cli.ok("s3 cp big s3://photos/big").await;
    let mut child = cli.command(["s3", "cat", "s3://photos/big"]).spawn()?;
    let mut stdout = child.stdout.take().expect("it was asked for");
    let mut beginning = [0; 10];
    stdout.read_exact(&mut beginning).await?;
    drop(stdout);
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await??;
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    server.stop().await;
    Ok(())
}

/// A server that gives half of an object and then waits: the command is interrupted, and leaves nothing.
#[cfg(unix)]
async fn an_interrupt_leaves_no_partial_file() -> Result<(), Failed> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await?;
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await?;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\netag: \"x\"\r\n\r\n").await?;
        socket.write_all(&vec![b'x'; 2_000_000]).await?;
        // The other end closes when it is interrupted.
        while socket.read(&mut request).await? > 0 {}
        Ok::<(), std::io::Error>(())
    });
    let cli = Cli::new()
        .variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .variable("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        .variable("AWS_ENDPOINT_URL", &endpoint);
    let mut child = cli.command(["s3", "cp", "s3://photos/a", "a"]).stdin(Stdio::null()).spawn()?;
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(cli.folder()).expect("the folder is there");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    };
    let begun = async {
        while names().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), begun).await?;
    let id = child.id().expect("it runs");
    let killed = tokio::process::Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
    assert!(killed.success());
    let status = tokio::time::timeout(Duration::from_secs(30), child.wait()).await??;
    assert_eq!(status.code(), Some(130));
    assert_eq!(names(), Vec::<String>::new());
    server.abort();
    Ok(())
}
