use super::*;
use time::Duration as Span;

// The examples of the Amazon S3 API Reference, "Signing and authenticating REST requests (AWS signature version 2)". They
// write the date with `+0000` in the place of `GMT`, so their texts are ours but for that.

fn credentials() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Span::seconds(seconds)
}

#[track_caller]
fn check(signer: &S3SigV2, request: &RawRequest, text: &str) {
    let signed = signer.sign_raw(request, &credentials(), at(1_175_024_202)).unwrap();
    assert_eq!(signed.string_to_sign, text);
    let authorization = format!("AWS AKIAIOSFODNN7EXAMPLE:{}", signed.signature);
    assert!(signed.headers.contains(&("authorization".to_owned(), authorization)));
}

#[test]
fn the_published_signature_of_a_header() {
    let text = "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg";
    assert_eq!(sign_text(&credentials(), text.as_bytes()).unwrap(), "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
}

#[test]
fn the_texts_of_the_published_examples() {
    let hosted = S3SigV2::virtual_hosted("awsexamplebucket1");
    let url = "https://awsexamplebucket1.us-west-1.s3.amazonaws.com";
    check(
        &hosted,
        &RawRequest::new("GET", format!("{url}/photos/puppy.jpg")),
        "GET\n\n\nTue, 27 Mar 2007 19:36:42 GMT\n/awsexamplebucket1/photos/puppy.jpg",
    );
    check(
        &hosted,
        &RawRequest::new("PUT", format!("{url}/photos/puppy.jpg")).header("Content-Type", "image/jpeg"),
        "PUT\n\nimage/jpeg\nTue, 27 Mar 2007 19:36:42 GMT\n/awsexamplebucket1/photos/puppy.jpg",
    );
    check(
        &hosted,
        &RawRequest::new("GET", format!("{url}/?prefix=photos&max-keys=50&marker=puppy")),
        "GET\n\n\nTue, 27 Mar 2007 19:36:42 GMT\n/awsexamplebucket1/",
    );
    check(
        &hosted,
        &RawRequest::new("GET", format!("{url}/?acl")),
        "GET\n\n\nTue, 27 Mar 2007 19:36:42 GMT\n/awsexamplebucket1/?acl",
    );
    let upload = RawRequest::new("PUT", "http://static.example.com:8080/db-backup.dat.gz")
        .header("x-amz-acl", "public-read")
        .header("content-type", "application/x-download")
        .header("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw==")
        .header("X-Amz-Meta-ReviewedBy", "joe@example.com")
        .header("X-Amz-Meta-ReviewedBy", "jane@example.com")
        .header("X-Amz-Meta-FileChecksum", "0x02661779")
        .header("X-Amz-Meta-ChecksumAlgorithm", "crc32")
        .header("Content-Length", "5913339");
    check(
        &S3SigV2::virtual_hosted("static.example.com"),
        &upload,
        "PUT\n4gJE4saaMU4BqNR0kLY+lw==\napplication/x-download\nTue, 27 Mar 2007 19:36:42 GMT\n\
         x-amz-acl:public-read\nx-amz-meta-checksumalgorithm:crc32\nx-amz-meta-filechecksum:0x02661779\n\
         x-amz-meta-reviewedby:joe@example.com,jane@example.com\n/static.example.com/db-backup.dat.gz",
    );
    check(
        &S3SigV2::path_style(),
        &RawRequest::new("GET", "https://s3.us-west-1.amazonaws.com/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re"),
        "GET\n\n\nTue, 27 Mar 2007 19:36:42 GMT\n/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
    );
}

#[test]
fn the_published_signature_of_a_query() {
    let request = http::Request::get("https://johnsmith.s3.amazonaws.com/photos/puppy.jpg").body(()).unwrap();
    let signer = S3SigV2::virtual_hosted("johnsmith");
    let signed = signer.presign(&request, Duration::from_secs(20), &credentials(), at(1_175_139_600)).unwrap();
    let expected = "https://johnsmith.s3.amazonaws.com/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&\
                    Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D";
    assert_eq!(signed.as_str(), expected);
    assert!(!format!("{signed:?}").contains("AKIA"));
}

#[test]
fn sub_resources_are_sorted_decoded_and_without_an_equals_sign_where_empty() {
    let url =
        "https://h/b/k?uploadId=a%2Bb&prefix=x&partNumber=1&acl=&response-content-type=text%2Fplain&publicAccessBlock";
    let text = |signer: &S3SigV2| {
        let signed = signer.sign_raw(&RawRequest::new("PUT", url), &credentials(), at(0)).unwrap();
        signed.string_to_sign.lines().last().unwrap().to_owned()
    };
    let usual = S3SigV2::path_style();
    assert_eq!(text(&usual), "/b/k?acl&partNumber=1&response-content-type=text/plain&uploadId=a+b");
    assert_eq!(
        text(&usual.sub_resource("publicAccessBlock")),
        "/b/k?acl&partNumber=1&publicAccessBlock&response-content-type=text/plain&uploadId=a+b"
    );
}

#[test]
fn the_list_of_sub_resources_is_sorted_and_names_each_once() {
    assert!(SUB_RESOURCES.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_token_is_a_signed_header_or_a_parameter() {
    let credentials = credentials().with_session_token("canary+/=");
    let request = RawRequest::new("GET", "https://h/b/k").header("x-amz-meta-a", " 1\r\n  2 ").header("x-amz-z", "3");
    let signed = S3SigV2::path_style().sign_raw(&request, &credentials, at(0)).unwrap();
    let lines = "\nx-amz-meta-a:1 2\nx-amz-security-token:canary+/=\nx-amz-z:3\n/b/k";
    assert!(signed.string_to_sign.ends_with(lines), "{}", signed.string_to_sign);
    assert!(signed.headers.contains(&(TOKEN.to_owned(), "canary+/=".to_owned())));
    assert!(!format!("{signed:?}").contains("canary"));
    let signed = S3SigV2::path_style().presign_raw(&request, Duration::from_secs(60), &credentials, at(0)).unwrap();
    assert!(signed.url.contains("&x-amz-security-token=canary%2B%2F%3D&Signature="), "{}", signed.url);
    assert!(signed.string_to_sign.contains("\n60\nx-amz-meta-a:1 2\nx-amz-security-token:canary+/=\n"));
    assert!(!format!("{signed:?}").contains("canary"));
}

#[test]
fn an_http_request_is_signed_alike() {
    let mut request = http::Request::put("http://h:9000/b/k?acl").header("x-amz-acl", "private").body(()).unwrap();
    let signer = S3SigV2::path_style();
    let raw = signer.sign_raw(&RawRequest::from_http(&request), &credentials(), at(0)).unwrap();
    signer.sign(&mut request, &credentials(), at(0)).unwrap();
    assert_eq!(request.headers()["authorization"], format!("AWS AKIAIOSFODNN7EXAMPLE:{}", raw.signature));
    assert_eq!(request.headers()["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(request.headers()["host"], "h:9000");
    assert_eq!(request.uri(), "http://h:9000/b/k?acl");
}

#[test]
fn what_is_signed_already_is_refused_and_left_as_it_is() {
    let signer = S3SigV2::path_style();
    for name in ["authorization", "date", "x-amz-date", TOKEN] {
        let mut request = http::Request::get("https://h/b").header(name, "x").body(()).unwrap();
        let error = signer.sign(&mut request, &credentials(), at(0)).unwrap_err();
        assert_eq!(error.kind(), SigningErrorKind::AlreadySigned, "{name}");
        assert_eq!(request.headers().len(), 1);
    }
    for name in OWN {
        let request = http::Request::get(format!("https://h/b?{name}=x")).body(()).unwrap();
        let error = signer.presign(&request, Duration::from_secs(1), &credentials(), at(0)).unwrap_err();
        assert_eq!(error.kind(), SigningErrorKind::AlreadySigned, "{name}");
    }
}

#[test]
fn a_life_of_nothing_or_without_end_is_refused() {
    let request = http::Request::get("https://h/b").body(()).unwrap();
    for life in [Duration::ZERO, Duration::from_millis(999), Duration::MAX, Duration::from_secs(i64::MAX as u64)] {
        let error = S3SigV2::path_style().presign(&request, life, &credentials(), at(1)).unwrap_err();
        assert_eq!(error.kind(), SigningErrorKind::InvalidExpiry, "{life:?}");
    }
}
