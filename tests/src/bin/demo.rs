//! The walk of `cargo xtask demo`: the main job on real input, against an S3 server that checks every signature.
//!
//! The server runs in this process, over a temporary folder, on a free port of 127.0.0.1. Nothing else is touched: no AWS
//! account, no configuration of this machine. A step that does not end as it must ends the walk with a failure.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::protocol::rest_xml;
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_http_transport::{Body, Transport as _};
use aws_sigv4_free_s3::{Bucket, ErrorExt as _, S3, S3ErrorCode};
use aws_sigv4_free_signing::explain::{CauseKind, ServerView};
use aws_sigv4_free_signing::{Credentials, Payload, RawRequest, SigV4};
use integration_tests::narrator::{Bar, Narrator, mebibytes};
use integration_tests::plain_http;
use integration_tests::s3_server::S3Server;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncWriteExt as _;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How long the shared URL lives.
const LIFE: Duration = Duration::from_secs(3);

const HELP: &str = "\
cargo xtask demo [--size MIB]

  --size MIB   the size of the file that is uploaded, 64 unless told otherwise, 1024 at most
";

fn main() -> ExitCode {
    let size = match arguments(std::env::args().skip(1)) {
        Ok(Some(size)) => size,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("demo: {message}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("demo: no async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let started = Instant::now();
    match runtime.block_on(walk(size)) {
        Ok(()) => {
            println!("\nEverything went as it must, in {:.1} s.", started.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\ndemo: FAILED: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// The size in bytes; `None`: help was asked for.
fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<u64>, String> {
    let mut size = 64;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--size" => {
                let value = arguments.next().and_then(|value| value.parse().ok());
                size = value.filter(|size| (1..=1024).contains(size)).ok_or("--size takes a number from 1 to 1024")?;
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(Some(size << 20))
}

async fn walk(size: u64) -> Outcome {
    let mut narrator = Narrator::new(include_str!("demo.rs"));
    let folder = tempfile::Builder::new().prefix("demo-").tempdir()?;
    let film = folder.path().join("film.bin");
    make_file(&film, size).await?;

    let server = S3Server::start().await;
    println!("An S3 server runs in this process, on {}, and checks every signature.", server.endpoint());
    println!("Commands find it, and their identity, by three variables:\n");
    println!("   export AWS_ENDPOINT_URL={}", server.endpoint());
    println!("   export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY='{}'", server.access_key(), server.secret_key());

    let bucket = make_bucket(&mut narrator, &server).await?;
    upload(&mut narrator, &bucket, &film, size).await?;
    list(&mut narrator, &bucket, size).await?;
    share(&mut narrator, &bucket, size).await?;
    wrong_secret(&mut narrator, &server).await?;
    clean_up(&mut narrator, bucket).await?;
    server.stop().await;
    Ok(())
}

async fn make_bucket(narrator: &mut Narrator, server: &S3Server) -> Outcome<Bucket> {
    narrator.step("Make a bucket", "sigv4 s3 mb s3://demo", "bucket")?;
    let endpoint = server.endpoint();
    let identity = Credentials::new(server.access_key(), server.secret_key());
    let settings = this_machine_aside()?;
    // rust: bucket
    let s3 = S3::builder().settings(settings).endpoint(&endpoint).path_style().credentials(identity).build()?;
    let bucket = s3.bucket("demo");
    bucket.create().await?;
    // end
    narrator.result("made: the signature was accepted");
    Ok(bucket)
}

async fn upload(narrator: &mut Narrator, bucket: &Bucket, film: &Path, size: u64) -> Outcome {
    let title = format!("Upload a file of {} MiB", mebibytes(size));
    narrator.step(&title, "sigv4 s3 cp film.bin s3://demo/film.bin", "upload")?;
    let bar = Bar::new(size);
    let started = Instant::now();
    // rust: upload
    let shown = bar.clone();
    bucket.object("film.bin").put_file(film).on_progress(move |sent, _| shown.at(sent)).await?;
    // end
    let took = started.elapsed().as_secs_f64();
    bar.finish();
    ensure(bar.done() == size, || format!("the bar saw {} of {size} bytes", bar.done()))?;
    let info = bucket.object("film.bin").head().await?;
    ensure(info.size == Some(size), || format!("the store has {:?} of {size} bytes", info.size))?;
    narrator.result(&format!("stored in {took:.1} s, with a checksum that the store verified"));
    Ok(())
}

async fn list(narrator: &mut Narrator, bucket: &Bucket, size: u64) -> Outcome {
    narrator.step("List the bucket", "sigv4 s3 ls s3://demo", "list")?;
    let mut found = Vec::new();
    // rust: list
    let mut objects = bucket.list("").await;
    while let Some(object) = objects.try_next().await? {
        found.push((object.key, object.size));
    }
    // end
    ensure(found == [("film.bin".to_owned(), size)], || format!("the list holds {found:?}"))?;
    narrator.result(&format!("{:>12}  {}", found[0].1, found[0].0));
    Ok(())
}

async fn share(narrator: &mut Narrator, bucket: &Bucket, size: u64) -> Outcome {
    let command = format!("sigv4 s3 presign s3://demo/film.bin --expires-in {}", LIFE.as_secs());
    narrator.step(&format!("Share it for {} seconds", LIFE.as_secs()), &command, "presign")?;
    // rust: presign
    let url = bucket.object("film.bin").presign_get(LIFE).await?;
    // end
    let signed = Instant::now();
    // A presigned URL is as good as a key. This one is shown: it is about to expire, and leads to this process only.
    narrator.result(url.as_str());

    narrator.step("Fetch it as somebody without credentials", "curl --output film.bin 'URL'", "fetch")?;
    // rust: fetch
    let answer = plain_http::get(url.as_str()).await?; // a TCP connection and a GET line: nothing of this library
    // end
    ensure(answer.status == 200, || format!("the answer was {}", answer.status))?;
    ensure(answer.length == size, || format!("{} of {size} bytes came", answer.length))?;
    narrator.result(&format!("200, {} bytes", answer.length));

    narrator.step("Wait until it has expired, and fetch it again", "curl 'URL'", "expired")?;
    tokio::time::sleep((LIFE + Duration::from_millis(1500)).saturating_sub(signed.elapsed())).await;
    // rust: expired
    let answer = plain_http::get(url.as_str()).await?;
    // end
    ensure(answer.status == 403, || format!("an expired URL was answered with {}", answer.status))?;
    narrator.result(&format!("403, refused: {}", answer.code().unwrap_or("no code")));
    Ok(())
}

async fn wrong_secret(narrator: &mut Narrator, server: &S3Server) -> Outcome {
    let now = OffsetDateTime::now_utc();
    let request = "\"$AWS_ENDPOINT_URL/demo?list-type=2\" --service s3 --region us-east-1";
    let time = now.replace_nanosecond(0)?.format(&Rfc3339)?;
    let commands = format!(
        "AWS_SECRET_ACCESS_KEY=mistyped sigv4 curl {request} > error.xml\n\
         sigv4 explain --url {request} --server-error error.xml --time {time}"
    );
    narrator.step("Sign with a wrong secret, and have the refusal explained", &commands, "explain")?;
    let wrong = Credentials::new(server.access_key(), format!("{}x", server.secret_key()));
    let url = format!("{}/demo?list-type=2", server.endpoint());
    let transport = HyperTransport::new()?;
    // rust: explain
    let signer = SigV4::s3("us-east-1");
    let mut request = http::Request::get(&url).body(Body::empty())?;
    signer.sign(&mut request, Payload::empty(), &wrong, now)?;
    let (head, body) = transport.send(request).await?.into_parts();

    let refusal = rest_xml::read_error(&head, &body.collect(1 << 20).await?);
    let explanation = signer.explain(&RawRequest::new("GET", &url), Payload::empty(), &wrong, now)?;
    let mut server_view = ServerView::new().code(refusal.code()).message(refusal.message());
    if let Some(computed) = refusal.signature_mismatch() {
        server_view = server_view.string_to_sign(computed.string_to_sign().unwrap_or_default());
    }
    let diagnosis = explanation.compare(&server_view);
    // end
    ensure(refusal.code() == "SignatureDoesNotMatch", || format!("the refusal was {}", refusal.code()))?;
    let named = diagnosis.causes.first().is_some_and(|cause| cause.kind == CauseKind::Secret);
    ensure(named, || format!("the cause was not found: {diagnosis}"))?;
    narrator.result(&format!("{} {}", head.status.as_u16(), refusal.code()));
    narrator.result(&diagnosis.to_string());

    // The client says the same by the type of its error.
    let s3 = S3::builder()
        .settings(this_machine_aside()?)
        .endpoint(server.endpoint())
        .path_style()
        .credentials(wrong)
        .build()?;
    match s3.bucket("demo").object("film.bin").get().await {
        Err(error) if error.s3_code() == Some(S3ErrorCode::SignatureDoesNotMatch) => Ok(()),
        Err(error) => Err(format!("the client's error is another one: {error}").into()),
        Ok(_) => Err("the wrong secret was accepted".into()),
    }
}

async fn clean_up(narrator: &mut Narrator, bucket: Bucket) -> Outcome {
    narrator.step("Clean up", "sigv4 s3 rm s3://demo/film.bin\nsigv4 s3 rb s3://demo", "clean")?;
    // rust: clean
    bucket.object("film.bin").delete().await?;
    bucket.delete().await?;
    // end
    let gone = bucket.object("film.bin").head().await;
    ensure(gone.is_err_and(|error| error.is_not_found()), || "the object is still there".to_owned())?;
    narrator.result("gone");
    Ok(())
}

/// Settings without this machine's variables and files: the walk is the same everywhere.
fn this_machine_aside() -> Outcome<Settings> {
    let nothing: [(&str, &str); 0] = [];
    Ok(Settings::builder().env(Env::fixed(nothing)).files(Files::fixed(nothing)).load()?)
}

/// A file that does not compress, the same each time.
async fn make_file(path: &Path, size: u64) -> Outcome {
    let mut file = tokio::fs::File::create(path).await?;
    let mut block = vec![0_u8; 1 << 20];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..size >> 20 {
        for chunk in block.chunks_exact_mut(8) {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            chunk.copy_from_slice(&state.rotate_left(29).to_le_bytes());
        }
        file.write_all(&block).await?;
    }
    file.flush().await?;
    Ok(())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
