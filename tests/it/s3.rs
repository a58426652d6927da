//! Every operation of the S3 client, against a server that checks every signature.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_sigv4_free_core::environment::{Env, Files};
use aws_sigv4_free_core::settings::Settings;
use aws_sigv4_free_s3::{
    BucketState, Checksum, ChecksumAlgorithm, ChecksumMode, Credentials, Durability, ErrorExt, ErrorKind,
    ObjectToDelete, PayloadSigning, S3, S3Builder, S3ErrorCode,
};
use integration_tests::s3_server::S3Server;
use libtest_mimic::{Failed, Trial};

use crate::harness::{async_trial, logged_trial};
use integration_tests::logs::assert_no_secret;

/// Keys with every kind of character that a path, a query, a header or a document may trip over. A file-backed server can't
/// hold those that are no file names (`a//b`, `../c`, `d/`): the requests for them are unit tests of the client.
const ODD_KEYS: [&str; 19] = [
    "plain.txt",
    "with space.txt",
    "a/deep/er/path",
    "plus+and=equals",
    "percent%2bnot%20decoded",
    "question?mark",
    "hash#mark",
    "ampersand&semicolon;comma,colon:at@",
    "quotes'\"and<angle>brackets",
    "star*bang!paren()brace{}bracket[]",
    "dollar$caret^pipe|tick`tilde~",
    "back\\slash",
    "grün/日本/🦀",
    "..two.dots..",
    ".hidden",
    "-dash",
    "x/~/.y",
    "%",
    "new\nline",
];

pub fn trials() -> Vec<Trial> {
    vec![
        async_trial("s3::a_bucket_from_its_making_to_its_removal", || async { bucket(S3Server::start().await).await }),
        async_trial("s3::an_object_from_its_storing_to_its_removal", || async {
            object(S3Server::start().await).await
        }),
        async_trial("s3::odd_keys_come_back_as_they_went", || async { odd_keys(S3Server::start().await).await }),
        async_trial("s3::virtual_host_style", || async { virtual_host(S3Server::start().await).await }),
        async_trial("s3::sizes_from_nothing_to_several_mebibytes", || async { sizes(S3Server::start().await).await }),
        async_trial("s3::a_file_goes_up_and_comes_down", || async { files(S3Server::start().await).await }),
        async_trial("s3::ranges", || async { ranges(S3Server::start().await).await }),
        async_trial("s3::lists_over_pages_prefixes_and_folders", || async { lists(S3Server::start().await).await }),
        async_trial("s3::a_copy_keeps_or_replaces_metadata", || async { copies(S3Server::start().await).await }),
        async_trial("s3::many_objects_are_deleted_in_batches", || async { batches(S3Server::start().await).await }),
        async_trial("s3::every_way_to_protect_the_bytes_is_accepted", || async {
            protections(S3Server::start().await).await
        }),
        async_trial("s3::what_is_passed_on_is_streamed", || async { passed_on(S3Server::start().await).await }),
        async_trial("s3::sixty_four_at_once", || async { at_once(S3Server::start().await).await }),
        logged_trial("s3::no_secret_is_logged", |logs| async move {
            let server = S3Server::start().await;
            let bucket = client(&server).bucket("photos");
            bucket.create().await?;
            bucket.object("a").put("hello").metadata("colour", "black").await?;
            bucket.object("a").presign_get(std::time::Duration::from_secs(60)).await?;
            let _ = bucket.object("missing").get().await;
            assert_no_secret(&logs, &[server.secret_key()]);
            server.stop().await;
            Ok(())
        }),
    ]
}

/// A client of the server, in path style.
pub fn client(server: &S3Server) -> S3 {
    builder(server).build().unwrap()
}

/// The same, to be set up further. Nothing of this machine's configuration is read.
pub fn builder(server: &S3Server) -> S3Builder {
    let credentials = Credentials::new(server.access_key(), server.secret_key());
    empty().endpoint(server.endpoint()).region("us-east-1").credentials(credentials)
}

/// A client without any setting.
pub fn empty() -> S3Builder {
    let none: [(&str, &str); 0] = [];
    let settings = Settings::builder().env(Env::fixed(none)).files(Files::fixed(none)).load();
    S3::builder().settings(settings.unwrap())
}

/// Bytes that are not all alike.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

async fn bucket(server: S3Server) -> Result<(), Failed> {
    let s3 = client(&server);
    let bucket = s3.bucket("photos");
    assert_eq!(bucket.state().await?, BucketState::Missing);
    bucket.create().await?;
    assert!(matches!(bucket.state().await?, BucketState::Accessible { .. }));
    let again = bucket.create().await.unwrap_err();
    assert!(
        matches!(again.s3_code(), Some(S3ErrorCode::BucketAlreadyExists | S3ErrorCode::BucketAlreadyOwnedByYou)),
        "{again}"
    );
    s3.bucket("albums").create().await?;
    let mut buckets = s3.list_buckets().await;
    let mut names = BTreeSet::new();
    while let Some(bucket) = buckets.try_next().await? {
        assert!(bucket.created.is_some());
        names.insert(bucket.name);
    }
    assert_eq!(names, ["albums", "photos"].map(String::from).into());
    bucket.delete().await?;
    assert_eq!(bucket.state().await?, BucketState::Missing);
    let missing = bucket.delete().await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    assert!(missing.to_string().contains("bucket photos"), "{missing}");
    server.stop().await;
    Ok(())
}

async fn object(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    let cat = bucket.object("cat.jpg");
    let missing = cat.get().await.unwrap_err();
    assert_eq!((missing.kind(), missing.s3_code()), (ErrorKind::Service, Some(S3ErrorCode::NoSuchKey)));
    assert!(missing.to_string().contains("bucket photos, key cat.jpg"), "{missing}");
    assert!(cat.head().await.unwrap_err().is_not_found());

    let put = cat.put("meow").metadata("Colour", "black & white").content_type("image/jpeg").await?;
    assert!(put.etag.is_some());
    assert_eq!(put.checksum, Some(Checksum::of(ChecksumAlgorithm::Crc32, b"meow")), "the server verified it");
    let info = cat.head().await?;
    assert_eq!((info.size, info.content_type.as_deref()), (Some(4), Some("image/jpeg")));
    assert_eq!(info.metadata["colour"], "black & white");
    assert!(info.last_modified.is_some());
    let download = cat.get().await?;
    assert_eq!(download.info().checksum, put.checksum, "the server tells the checksum, so that it is verified");
    assert_eq!(download.bytes(4).await?, "meow");

    cat.put("purr").await?;
    assert_eq!(cat.get().bytes(100).await?, "purr");
    cat.delete().await?;
    assert!(cat.head().await.unwrap_err().is_not_found());
    cat.delete().await?;
    server.stop().await;
    Ok(())
}

async fn odd_keys(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    for key in ODD_KEYS {
        let object = bucket.object(key);
        object.put(format!("of {key}")).await.map_err(|error| format!("{key:?}: {error}"))?;
        assert_eq!(object.get().bytes(1000).await?, format!("of {key}"), "{key:?}");
        assert_eq!(object.head().await?.size, Some(format!("of {key}").len() as u64), "{key:?}");
    }
    // None was taken for another.
    let mut listed = BTreeSet::new();
    let mut list = bucket.list("").max_keys(4).await;
    while let Some(object) = list.try_next().await? {
        listed.insert(object.key);
    }
    assert_eq!(listed, ODD_KEYS.map(String::from).into());
    for key in ODD_KEYS {
        let copy = bucket.object(format!("copies/{key}"));
        copy.copy_from(&bucket.object(key)).await.map_err(|error| format!("{key:?}: {error}"))?;
        assert_eq!(copy.get().bytes(1000).await?, format!("of {key}"), "{key:?}");
    }
    let outcome = bucket.delete_objects(ODD_KEYS).await?;
    assert_eq!((outcome.deleted.len(), outcome.failures.len()), (ODD_KEYS.len(), 0));
    for key in ODD_KEYS {
        assert!(bucket.object(key).head().await.unwrap_err().is_not_found(), "{key:?}");
        bucket.object(format!("copies/{key}")).delete().await?;
    }
    assert!(bucket.list("").await.try_next().await?.is_none());
    server.stop().await;
    Ok(())
}

async fn virtual_host(server: S3Server) -> Result<(), Failed> {
    let port = server.port();
    let transport = aws_sigv4_free_http_transport::hyper::HyperTransport::builder()
        .resolve("photos.localhost", ([127, 0, 0, 1], port).into())
        .build()?;
    let s3 =
        builder(&server).endpoint(server.virtual_host_endpoint()).virtual_host_style().transport(transport).build()?;
    let bucket = s3.bucket("photos");
    bucket.create().await?;
    bucket.object("a b/+").put("hello").await?;
    assert_eq!(bucket.object("a b/+").get().bytes(5).await?, "hello");
    assert_eq!(bucket.list("a ").await.try_next().await?.ok_or("an empty list")?.key, "a b/+");
    bucket.object("a b/+").delete().await?;
    bucket.delete().await?;
    server.stop().await;
    Ok(())
}

async fn sizes(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    for size in [0, 1, 4095, 4096, 65_537, 5 << 20] {
        let bytes = noise(size);
        let object = bucket.object(format!("{size}"));
        object.put(bytes.clone()).await?;
        assert_eq!(object.head().await?.size, Some(size as u64));
        assert!(object.get().bytes(size).await? == bytes, "{size} bytes came back changed");
        if size > 0 {
            let error = object.get().bytes(size - 1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response);
        }
    }
    server.stop().await;
    Ok(())
}

async fn files(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    for size in [0, 1, 3_000_001] {
        let (up, down) = (folder.path().join("up"), folder.path().join("down"));
        std::fs::write(&up, noise(size))?;
        let sent = Arc::new(Mutex::new((0, 0)));
        let progress = Arc::clone(&sent);
        bucket
            .object("file")
            .put_file(&up)
            .metadata("colour", "black")
            .on_progress(move |count, total| *progress.lock().unwrap() = (count, total))
            .await?;
        if size > 0 {
            assert_eq!(*sent.lock().unwrap(), (size as u64, size as u64));
        }
        let received = Arc::new(AtomicU64::new(0));
        let progress = Arc::clone(&received);
        let get = bucket.object("file").get().on_progress(move |count, total| {
            assert_eq!(total, Some(size as u64));
            progress.store(count, Ordering::Relaxed);
        });
        let info = get.durability(Durability::Synced).to_file(&down).await?;
        assert_eq!((info.size, received.load(Ordering::Relaxed)), (Some(size as u64), size as u64));
        assert_eq!(info.metadata["colour"], "black");
        assert!(std::fs::read(&down)? == noise(size));
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 2, "nothing temporary stays");
    server.stop().await;
    Ok(())
}

async fn ranges(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    let bytes = noise(100_000);
    let object = bucket.object("a");
    object.put(bytes.clone()).await?;
    assert_eq!(object.get().range(0..1).bytes(1).await?, bytes[..1]);
    assert_eq!(object.get().range(500..=50_000).bytes(100_000).await?, bytes[500..=50_000]);
    assert_eq!(object.get().range(99_990..).bytes(100).await?, bytes[99_990..]);
    assert_eq!(object.get().range(99_990..200_000).bytes(100).await?, bytes[99_990..]);
    assert_eq!(object.get().last_bytes(7).bytes(100).await?, bytes[99_993..]);
    let download = object.get().range(10..20).await?;
    assert_eq!((download.range(), download.length(), download.info().size), (Some((10, 19)), Some(10), Some(100_000)));
    let path = folder.path().join("part");
    object.get().range(1000..3000).to_file(&path).await?;
    assert_eq!(std::fs::read(&path)?, bytes[1000..3000]);
    let beyond = object.get().range(100_000..).await.unwrap_err();
    assert_eq!(beyond.s3_code(), Some(S3ErrorCode::InvalidRange), "{beyond}");
    server.stop().await;
    Ok(())
}

async fn lists(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    assert!(bucket.list("").await.try_next().await?.is_none());
    let keys: BTreeSet<String> = (0..25).map(|number| format!("2026/{number:02}.jpg")).collect();
    for key in &keys {
        bucket.object(key).put(key.clone()).await?;
    }
    bucket.object("2025/old.jpg").put("old").await?;
    bucket.object("top.jpg").put("top").await?;

    let before = server.requests();
    let mut list = bucket.list("2026/").max_keys(10).await;
    let mut listed = Vec::new();
    while let Some(object) = list.try_next().await? {
        assert_eq!(object.size, 11);
        assert!(object.last_modified.is_some());
        listed.push(object.key);
    }
    assert_eq!(listed, keys.iter().cloned().collect::<Vec<_>>(), "each once, in order");
    assert_eq!(server.requests() - before, 3);

    let mut list = bucket.list("2026/").start_after("2026/20.jpg").await;
    assert_eq!(list.try_next().await?.ok_or("an empty list")?.key, "2026/21.jpg");

    let mut list = bucket.list("").delimiter("/").await;
    let page = list.try_next_page().await?.ok_or("no page")?;
    assert_eq!(page.common_prefixes, ["2025/", "2026/"]);
    assert_eq!(page.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["top.jpg"]);

    let missing = client(&server).bucket("missing").list("").await.try_next().await.unwrap_err();
    assert_eq!(missing.s3_code(), Some(S3ErrorCode::NoSuchBucket), "{missing}");
    server.stop().await;
    Ok(())
}

async fn copies(server: S3Server) -> Result<(), Failed> {
    let s3 = client(&server);
    let (photos, albums) = (s3.bucket("photos"), s3.bucket("albums"));
    photos.create().await?;
    albums.create().await?;
    let cat = photos.object("cat ä+.jpg");
    cat.put("meow").metadata("colour", "black").await?;
    let copy = albums.object("copy");
    let output = copy.copy_from(&cat).await?;
    assert!(output.etag.is_some() && output.last_modified.is_some());
    assert_eq!(copy.get().bytes(4).await?, "meow");
    assert_eq!(copy.head().await?.metadata["colour"], "black");
    let missing = copy.copy_from(("photos", "missing")).await.unwrap_err();
    assert_eq!(missing.s3_code(), Some(S3ErrorCode::NoSuchKey), "{missing}");
    server.stop().await;
    Ok(())
}

async fn batches(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    for number in 0..5 {
        bucket.object(format!("there/{number}")).put("x").await?;
    }
    let before = server.requests();
    let there = (0..5).map(|number| format!("there/{number}"));
    let keys = there.chain((0..2000).map(|number| format!("not there/{number} & more")));
    let outcome = bucket.delete_objects(keys.map(ObjectToDelete::new)).await?;
    assert_eq!((outcome.deleted.len(), outcome.failures.len()), (2005, 0));
    assert_eq!(server.requests() - before, 3);
    assert!(bucket.list("").await.try_next().await?.is_none());
    server.stop().await;
    Ok(())
}

async fn protections(server: S3Server) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a");
    std::fs::write(&path, "hello")?;
    let mut number = 0;
    for payload in [PayloadSigning::Auto, PayloadSigning::Signed, PayloadSigning::Unsigned] {
        for mode in [ChecksumMode::WhenSupported, ChecksumMode::WhenRequired] {
            let s3 =
                builder(&server).payload_signing(payload).request_checksum(mode).response_checksum(mode).build()?;
            let bucket = s3.bucket(format!("bucket-{number}"));
            number += 1;
            bucket.create().await?;
            bucket.object("bytes").put("hello").await?;
            bucket.object("file").put_file(&path).await?;
            for key in ["bytes", "file"] {
                let download = bucket.object(key).get().await?;
                let known =
                    (mode == ChecksumMode::WhenSupported).then(|| Checksum::of(ChecksumAlgorithm::Crc32, b"hello"));
                assert_eq!(download.info().checksum, known, "{payload:?} {mode:?} {key}");
                assert_eq!(download.bytes(5).await?, "hello");
            }
            assert_eq!(bucket.delete_objects(["bytes", "file"]).await?.deleted.len(), 2);
        }
    }
    // The server verifies whichever checksum it is given, and stores nothing that does not have it.
    let bucket = client(&server).bucket("bucket-0");
    for algorithm in
        [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Sha256]
    {
        let object = bucket.object(algorithm.as_str());
        object.put("hello").checksum(Checksum::of(algorithm, b"hello")).await?;
        let download = object.get().await?;
        assert_eq!(download.info().checksum, Some(Checksum::of(algorithm, b"hello")));
        assert_eq!(download.bytes(5).await?, "hello");
        let refused = object.put("hello").checksum(Checksum::of(algorithm, b"other")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Service, "{algorithm:?}: {refused}");
        assert_eq!(object.get().bytes(5).await?, "hello");
    }
    server.stop().await;
    Ok(())
}

async fn passed_on(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    let bytes = noise(1 << 20);
    bucket.object("a").put(bytes.clone()).await?;
    let download = bucket.object("a").get().await?;
    let length = download.length().ok_or("no length")?;
    bucket.object("b").put_stream(length, download).unsigned_payload().await?;
    assert!(bucket.object("b").get().bytes(1 << 20).await? == bytes);
    server.stop().await;
    Ok(())
}

async fn at_once(server: S3Server) -> Result<(), Failed> {
    let bucket = client(&server).bucket("photos");
    bucket.create().await?;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let object = bucket.object(format!("{number}"));
        tasks.spawn(async move {
            object.put(format!("body of {number}")).await?;
            let bytes = object.get().bytes(100).await?;
            assert_eq!(bytes, format!("body of {number}"));
            object.delete().await
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    server.stop().await;
    Ok(())
}
