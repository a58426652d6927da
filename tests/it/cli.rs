//! `sigv4` as a user meets it: usage, `sign`, `explain`, `credentials`, `curl`.

use std::time::Duration;

use integration_tests::logs::assert_absent;
use integration_tests::s3_server::{S3Server, SECRET_KEY};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::cli_support::{Cli, SESSION_TOKEN, binary};
use crate::harness::{async_trial, skipped};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub fn trials() -> Vec<Trial> {
    if let Err(reason) = binary() {
        return vec![skipped("cli::every_command", &reason)];
    }
    vec![
        async_trial("cli::usage", usage),
        async_trial("cli::a_thousand_lines_are_signed_in_order", a_thousand_lines_are_signed_in_order),
        async_trial("cli::lines_are_answered_one_by_one", lines_are_answered_one_by_one),
        async_trial("cli::memory_does_not_grow_with_the_lines", memory_does_not_grow_with_the_lines),
        async_trial("cli::a_reader_that_goes_away_ends_the_signing", a_reader_that_goes_away_ends_the_signing),
        async_trial("cli::a_request_file_is_signed", a_request_file_is_signed),
        async_trial("cli::explain_names_the_difference", explain_names_the_difference),
        async_trial("cli::credentials_are_shown_without_the_secret", credentials_are_shown_without_the_secret),
        async_trial("cli::curl_signs_for_the_server", curl_signs_for_the_server),
        async_trial("cli::curl_reads_service_and_region_off_the_host", curl_reads_service_and_region_off_the_host),
        async_trial("cli::curl_streams_and_keeps_whole_files_only", curl_streams_and_keeps_whole_files_only),
    ]
}

fn signing() -> Cli {
    Cli::new().variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").variable("AWS_SECRET_ACCESS_KEY", SECRET)
}

fn line(id: usize) -> String {
    json!({
        "id": id, "method": "GET", "url": format!("https://example.amazonaws.com/{id}?b=2&a=1"), "region": "us-east-1",
        "service": "service", "time": "2015-08-30T12:36:00Z", "access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET,
    })
    .to_string()
}

async fn usage() -> Result<(), Failed> {
    let cli = Cli::new();
    let version = cli.ok("--version").await;
    assert!(version.starts_with("sigv4 0."), "{version}");
    let help = cli.ok("help").await;
    assert!(help.contains("Examples:") && help.contains("curl"), "{help}");
    assert!(cli.ok("s3 cp --help").await.contains("sigv4 s3 cp cat.jpg s3://photos/"));
    cli.run("").await.check(252, "Usage:");
    cli.run("crul").await.check(252, "a similar subcommand exists: 'curl'");
    cli.run("s3 ls --recusive").await.check(252, "--recursive");
    cli.run("s3 ls --output yaml").await.check(252, "[possible values: json, text, table]");
    cli.run("sign --jsonl --service s3").await.check(252, "--jsonl");
    Ok(())
}

async fn a_thousand_lines_are_signed_in_order() -> Result<(), Failed> {
    let cli = Cli::new();
    let mut input = String::new();
    for id in 0..1000 {
        input += &if id % 100 == 7 { "{\"id\":\"broken\"\n".to_owned() } else { line(id) + "\n" };
    }
    let run = cli.run_with(&["sign", "--jsonl"], input.as_bytes()).await;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let answers: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 1000);
    for (id, answer) in answers.iter().enumerate() {
        if id % 100 == 7 {
            assert_eq!((&answer["error"]["kind"], &answer["error"]["line"]), (&json!("invalid_json"), &json!(id + 1)));
        } else {
            assert_eq!(answer["id"], id);
            assert_eq!(answer["signature"].as_str().map(str::len), Some(64), "{answer}");
        }
    }
    Ok(())
}

/// A program that waits for each answer before it asks again must not wait for ever.
async fn lines_are_answered_one_by_one() -> Result<(), Failed> {
    let cli = Cli::new();
    let mut child = cli.command(["sign", "--jsonl"]).stdin(std::process::Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let mut answers = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    for id in 0..20 {
        stdin.write_all(format!("{}\n", line(id)).as_bytes()).await?;
        stdin.flush().await?;
        let answer = tokio::time::timeout(Duration::from_secs(20), answers.next_line()).await??;
        assert_eq!(serde_json::from_str::<Value>(&answer.expect("an answer"))?["id"], id);
    }
    drop(stdin);
    assert_eq!(child.wait().await?.code(), Some(0));
    Ok(())
}

async fn memory_does_not_grow_with_the_lines() -> Result<(), Failed> {
    let cli = Cli::new();
    let mut child = cli.command(["sign", "--jsonl"]).stdin(std::process::Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let mut stdout = child.stdout.take().expect("it was asked for");
    let drain = tokio::spawn(async move {
        let mut buffer = vec![0; 64 << 10];
        let mut lines = 0;
        loop {
            match stdout.read(&mut buffer).await? {
                0 => return Ok::<usize, std::io::Error>(lines),
                count => lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count(),
            }
        }
    });
    let batch: String = (0..1000).map(|id| line(id) + "\n").collect();
    let mut sizes = Vec::new();
    for _ in 0..10 {
        stdin.write_all(batch.as_bytes()).await?;
        sizes.push(resident(child.id().expect("it runs")));
    }
    drop(stdin);
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), drain).await???, 10_000);
    assert_eq!(child.wait().await?.code(), Some(0));
    if let (Some(Some(first)), Some(Some(last))) = (sizes.get(1), sizes.last()) {
        assert!(last < &(first + 4096), "it grew from {first} KiB to {last} KiB");
    }
    Ok(())
}

async fn a_reader_that_goes_away_ends_the_signing() -> Result<(), Failed> {
    let cli = Cli::new();
    let mut child = cli.command(["sign", "--jsonl"]).stdin(std::process::Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let mut answers = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
    stdin.write_all((line(1) + "\n").as_bytes()).await?;
    assert!(tokio::time::timeout(Duration::from_secs(20), answers.next_line()).await??.is_some());
    drop(answers);
    // Standard input stays open: the command ends because nobody reads.
    let _ = stdin.write_all((line(2) + "\n").as_bytes()).await;
    let output = tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await??;
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    Ok(())
}

/// The resident memory of a process in KiB, where the system tells it.
fn resident(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

async fn a_request_file_is_signed() -> Result<(), Failed> {
    let cli = signing();
    let request = "GET / HTTP/1.1\nHost:example.amazonaws.com\n\n";
    cli.write("request.http", request);
    let arguments = "--service service --region us-east-1 --time 20150830T123600Z";
    let signed = cli.ok(&format!("sign request.http {arguments}")).await;
    assert!(signed.starts_with("GET / HTTP/1.1\r\nHost: example.amazonaws.com\r\n"), "{signed}");
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    assert!(
        signed.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/")
            && signed.contains(signature)
    );
    let piped: Vec<_> = ["sign", "-"].into_iter().chain(arguments.split(' ')).chain(["--show", "signature"]).collect();
    assert_eq!(cli.run_with(&piped, request.as_bytes()).await.stdout.trim(), signature);
    let url = cli.ok(&format!("sign --url https://example.amazonaws.com/ --in query {arguments}")).await;
    assert!(
        url.starts_with("https://example.amazonaws.com/?X-Amz-Algorithm=") && url.contains("X-Amz-Expires=3600"),
        "{url}"
    );
    let whole: Value = serde_json::from_str(&cli.ok(&format!("sign request.http {arguments} --output json")).await)?;
    assert_eq!(whole["signature"], signature);

    cli.run("sign request.http --region us-east-1").await.check(0, "");
    cli.run("sign --url https://example.com/ --region us-east-1").await.check(252, "--service");
    cli.run("sign --url https://example.com/ --service x").await.check(253, "--region");
    cli.run("sign missing.http").await.check(255, "no such file");
    cli.run("sign request.http --service x --region r-1 --no-sign-request").await.check(252, "--no-sign-request");
    cli.run("sign").await.check(252, "nothing to sign");
    cli.write("bad.http", "nonsense");
    cli.run("sign bad.http").await.check(252, "bad.http is not a request: line 1");
    let nobody = Cli::new();
    nobody.run("sign --url https://h/ --service x --region r-1").await.check(253, "AWS_ACCESS_KEY_ID");
    Ok(())
}

async fn explain_names_the_difference() -> Result<(), Failed> {
    let cli = signing().variable("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let url = "https://bucket.s3.us-east-1.amazonaws.com/key?x=1";
    let text = cli.ok(&format!("explain --url {url}")).await;
    for part in ["canonical request", "string to sign", "method", "/key", "/us-east-1/s3/aws4_request", "AKIDEXAMPLE"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_absent(&text, &[SECRET, SESSION_TOKEN], "the explanation");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    assert!(cli.ok(&format!("explain --url {url} --color on")).await.contains('\u{1b}'));

    // The server saw another path.
    let signed = cli.ok(&format!("sign --url {url}")).await;
    cli.write("signed.http", &signed);
    let canonical =
        cli.ok("sign --url https://bucket.s3.us-east-1.amazonaws.com/other?x=1 --show canonical-request").await;
    let error = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message><CanonicalRequest>{}</CanonicalRequest></Error>",
        canonical.trim_end()
    );
    cli.write("error.xml", error);
    let text = cli.ok("explain signed.http --server-error error.xml").await;
    assert!(text.contains("the signature is the one that these credentials give"), "{text}");
    assert!(text.contains("the first difference is in path, at position 2"), "{text}");
    assert!(text.contains("likely causes"), "{text}");
    assert_absent(&text, &[SECRET, SESSION_TOKEN], "the explanation");
    let value: Value =
        serde_json::from_str(&cli.ok("explain signed.http --server-error error.xml --output json").await)?;
    assert_eq!(value["difference"]["line"], "path");
    assert_eq!(value["signature_matches"], true);
    assert_absent(&value.to_string(), &[SECRET, SESSION_TOKEN], "the explanation");

    let other =
        Cli::new().variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").variable("AWS_SECRET_ACCESS_KEY", "wrong-secret");
    other.write("signed.http", &signed);
    assert!(other.ok("explain signed.http").await.contains("the signature is not the one"));
    Ok(())
}

async fn credentials_are_shown_without_the_secret() -> Result<(), Failed> {
    let cli = signing().variable("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let text = cli.ok("credentials show").await;
    assert!(text.contains("AKIDEXAMPLE") && text.contains("session token  present"), "{text}");
    assert_absent(&text, &[SECRET, SESSION_TOKEN], "credentials show");
    let value: Value = serde_json::from_str(&cli.ok("credentials show --output json").await)?;
    assert_eq!(value["AccessKeyId"], "AKIDEXAMPLE");
    assert!(cli.ok("credentials show --output table").await.contains("| AccessKeyId "));

    let cli = Cli::new();
    cli.write(
        ".aws/credentials",
        format!("[dev]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = {SECRET}\n"),
    );
    let text = cli.ok("credentials show --profile dev").await;
    assert!(text.contains("AKIDPROFILE") && text.contains("dev"), "{text}");
    let refused = cli.run("credentials show").await;
    refused.check(253, "environment: not configured");
    refused.check(253, "profile: ");
    cli.write(".aws/credentials", "[dev\n");
    cli.run("credentials show").await.check(253, "credentials:1");
    Ok(())
}

async fn curl_signs_for_the_server() -> Result<(), Failed> {
    let server = S3Server::start().await;
    let cli = Cli::for_server(&server);
    cli.ok("s3 mb s3://photos").await;
    let url = format!("{}/photos/a key é", server.endpoint());
    let scope = ["--service", "s3"];
    let curl = |rest: &[&str]| {
        [&["curl", &url][..], &scope[..], rest].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |rest: Vec<String>| {
        let cli = &cli;
        async move { cli.run_with(&rest.iter().map(String::as_str).collect::<Vec<_>>(), b"meow").await }
    };
    let put = run(curl(&["-X", "PUT", "-d", "-"])).await;
    assert_eq!((put.code, put.stderr.as_str()), (Some(0), ""), "{put:?}");
    assert_eq!(std::fs::read(server.folder().join("photos/a key é"))?, b"meow");
    let got = run(curl(&["-i"])).await;
    assert!(got.stdout.starts_with("HTTP/1.1 200 OK\r\n") && got.stdout.ends_with("\r\n\r\nmeow"), "{got:?}");
    assert_eq!(run(curl(&["-o", "out"])).await.code, Some(0));
    assert_eq!(cli.read("out"), b"meow");

    let refused = run(curl(&["-X", "POST", "--debug=wire"])).await;
    assert_eq!(refused.code, Some(254), "{refused:?}");
    assert_absent(&refused.stderr, &[SECRET_KEY], "--debug=wire");
    let missing = cli.run(&format!("curl {}/photos/missing --service s3", server.endpoint())).await;
    missing.check(254, "the server answered 404 Not Found (NoSuchKey)");
    assert!(missing.stdout.contains("<Code>NoSuchKey</Code>"), "the body is printed: {missing:?}");
    let failed = cli.run(&format!("curl {}/photos/missing --service s3 --fail", server.endpoint())).await;
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(254), ""));
    let unsigned = cli.run(&format!("curl {}/photos/missing --no-sign-request", server.endpoint())).await;
    unsigned.check(254, "the server answered 403 Forbidden (AccessDenied)");
    cli.run(&format!("curl {}/photos", server.endpoint())).await.check(252, "--service");
    cli.run("curl ftp://example.com/").await.check(252, "https://");
    cli.run("curl http://127.0.0.1:9/ --service x").await.check(255, "");
    server.stop().await;
    Ok(())
}

async fn curl_reads_service_and_region_off_the_host() -> Result<(), Failed> {
    let cli = signing();
    let lattice =
        cli.ok("curl https://orders-0d.7d67968.vpc-lattice-svcs.us-west-2.on.aws -d {\"a\":1} --dry-run").await;
    assert!(lattice.starts_with("POST / HTTP/1.1\r\n"), "{lattice}");
    assert!(lattice.contains("/us-west-2/vpc-lattice-svcs/aws4_request"), "{lattice}");
    assert!(lattice.contains("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"), "{lattice}");
    assert!(
        lattice.contains("content-type: application/json\r\n") && lattice.ends_with("\r\n\r\n{\"a\":1}"),
        "{lattice}"
    );
    let s3 = cli.ok("curl https://bucket.s3.eu-west-1.amazonaws.com/key --dry-run").await;
    assert!(s3.contains("/eu-west-1/s3/aws4_request") && s3.contains("x-amz-content-sha256: e3b0c442"), "{s3}");
    let other = cli.ok("curl https://bucket.s3.eu-west-1.amazonaws.com/key --dry-run --region us-east-2").await;
    assert!(other.contains("/us-east-2/s3/aws4_request"), "{other}");
    Ok(())
}

async fn curl_streams_and_keeps_whole_files_only() -> Result<(), Failed> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly a part").await;
        }
    });
    let cli = signing().variable("AWS_REGION", "us-east-1");
    let run = cli.run(&format!("curl {url} --service x -o out")).await;
    assert_eq!(run.code, Some(255), "{run:?}");
    let left: Vec<_> = std::fs::read_dir(cli.folder())?.collect();
    assert!(left.is_empty(), "{left:?}");
    let run = cli.run(&format!("curl {url} --service x")).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(255), "only a part"));
    Ok(())
}
