use super::*;
use crate::verify::{VerificationErrorKind as Kind, Verifier};

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap()
}

fn alice() -> Credentials {
    Credentials::new("AKIDALICE", "canary-secret").with_session_token("canary-token")
}

fn policy() -> PostPolicy {
    PostPolicy::new("photos", "in/${filename}")
        .content_length(1..=100)
        .content_type_starts_with("image/")
        .metadata("Colour", "black \"and\" wh\u{ef}te")
        .tags([("a", "1"), ("<b>", "&\n")])
        .acl("private")
        .success_action_status(201)
        .success_action_redirect("https://example.com/done")
        .starts_with("x-amz-meta-note", "")
        .expires_in(Duration::from_secs(60))
}

fn form(policy: &PostPolicy) -> PostForm {
    SigV4::s3("eu-central-1").presign_post(policy, &alice(), now()).unwrap()
}

#[test]
fn the_document_is_written_in_full() {
    let form = form(&policy());
    assert_eq!(
        form.policy(),
        r#"{"expiration":"2015-08-30T12:37:00Z","conditions":[{"bucket":"photos"},["starts-with","$key","in/"],"#
            .to_owned()
            + r#"["starts-with","$content-type","image/"],{"x-amz-meta-Colour":"black \"and\" wh\u00efte"},"#
            + r#"{"tagging":"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>&lt;b&gt;</Key>"#
            + r#"<Value>&amp;&#10;</Value></Tag></TagSet></Tagging>"},{"acl":"private"},{"success_action_status":"201"},"#
            + r#"{"success_action_redirect":"https://example.com/done"},["starts-with","$x-amz-meta-note",""],"#
            + r#"["content-length-range",1,100],{"x-amz-algorithm":"AWS4-HMAC-SHA256"},"#
            + r#"{"x-amz-credential":"AKIDALICE/20150830/eu-central-1/s3/aws4_request"},{"x-amz-date":"20150830T123600Z"},"#
            + r#"{"x-amz-security-token":"canary-token"}]}"#
    );
    let names: Vec<&str> = form.fields().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "key",
            "x-amz-meta-Colour",
            "tagging",
            "acl",
            "success_action_status",
            "success_action_redirect",
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-date",
            "x-amz-security-token",
            "policy",
            "x-amz-signature"
        ]
    );
    assert_eq!(form.fields_to_fill().collect::<Vec<_>>(), ["content-type", "x-amz-meta-note"]);
    assert_eq!(form.expires_at(), now() + time::Duration::seconds(60));
    let encoded = form.fields().find(|(name, _)| *name == "policy").unwrap().1;
    assert_eq!(STANDARD.decode(encoded).unwrap(), form.policy().as_bytes());
}

#[test]
fn a_prefix_leaves_the_key_to_the_page() {
    let form = form(&PostPolicy::with_key_prefix("photos", "in/"));
    assert!(form.fields().all(|(name, _)| name != "key"));
    assert_eq!(form.fields_to_fill().collect::<Vec<_>>(), ["key"]);
    assert!(form.policy().contains(r#"["starts-with","$key","in/"]"#));
    assert_eq!(form.expires_at(), now() + time::Duration::hours(1));
}

#[test]
fn policies_that_cannot_hold_are_refused() {
    let refuse =
        |policy: PostPolicy| SigV4::s3("eu-central-1").presign_post(&policy, &alice(), now()).unwrap_err().kind();
    let plain = || PostPolicy::new("photos", "key");
    for policy in [
        PostPolicy::new("", "key"),
        PostPolicy::new("photos", ""),
        plain().content_length(RangeInclusive::new(2, 1)),
        plain().field("", "x"),
        plain().field("a b", "x"),
        plain().field("a\"b", "x"),
        plain().field("$a", "x"),
        plain().field("Policy", "x"),
        plain().field("key", "x"),
        plain().starts_with("X-Amz-Signature", "x"),
        plain().acl("private").field("ACL", "public-read"),
        plain().content_type("a").content_type_starts_with("b"),
        plain().success_action_status(302),
    ] {
        assert_eq!(refuse(policy.clone()), SigningErrorKind::InvalidPolicy, "{policy:?}");
    }
    for seconds in [0, 604_801] {
        assert_eq!(refuse(plain().expires_in(Duration::from_secs(seconds))), SigningErrorKind::InvalidExpiry);
    }
    let error =
        SigV4::s3("eu-central-1").presign_post(&plain().expires_in(Duration::ZERO), &alice(), now()).unwrap_err();
    assert_eq!(error.to_string(), "a presigned form lives from 1 second to 7 days (604800 s), not 0 s");
    let google = SigV4::goog4("auto").presign_post(&plain(), &alice(), now()).unwrap_err();
    assert_eq!(google.kind(), SigningErrorKind::InvalidPolicy);
    let express = SigV4::s3_express("us-east-1").presign_post(&plain(), &alice(), now()).unwrap();
    assert!(express.fields().any(|(name, value)| (name, value) == ("x-amz-s3session-token", "canary-token")));
    let verifier = Verifier::new(|_: &str| Some(alice()));
    verifier.verify_form("photos", &express.fields().collect::<Vec<_>>(), 0, now()).unwrap();
    let no_region = SigV4::s3("").presign_post(&plain(), &alice(), now()).unwrap_err();
    assert_eq!(no_region.kind(), SigningErrorKind::InvalidScope);
}

#[test]
fn nothing_secret_is_shown() {
    let form = form(&policy());
    let shown = format!("{form:?} {:?}", policy().field("x-amz-meta-a", "canary"));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(form.fields().all(|(name, value)| name != "x-amz-signature" || !shown.contains(value)));
}

// "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)", Amazon S3 API Reference.
const PUBLISHED: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6\
    ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZC\
    J9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBs\
    b2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMj\
    M2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10\
    YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdC\
    J9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBd\
    DQp9";

#[test]
fn the_published_form_is_accepted() {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let fields = [
        ("key", "user/user1/cat.jpg"),
        ("acl", "public-read"),
        ("success_action_redirect", "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"),
        ("Content-Type", "image/jpeg"),
        ("x-amz-meta-uuid", "14365123651274"),
        ("x-amz-server-side-encryption", "AES256"),
        ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Date", "20151229T000000Z"),
        ("x-amz-meta-tag", ""),
        ("Policy", PUBLISHED),
        ("X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"),
    ];
    let verifier = Verifier::new(move |_: &str| Some(credentials.clone()));
    let then = OffsetDateTime::from_unix_timestamp(1_451_347_200).unwrap();
    let verified = verifier.verify_form("sigv4examplebucket", &fields, 5, then).unwrap();
    assert_eq!((verified.region(), verified.service()), ("us-east-1", "s3"));
    assert_eq!(verified.expires_at(), then + time::Duration::hours(36));
    let late = verifier.verify_form("sigv4examplebucket", &fields, 5, then + time::Duration::hours(36));
    assert_eq!(late.unwrap_err().kind(), Kind::Expired);
}

#[test]
fn a_form_is_held_against_its_policy() {
    let form = form(&policy());
    let verifier = Verifier::new(|id: &str| (id == "AKIDALICE").then(alice)).region("eu-central-1");
    let good: Vec<(&str, &str)> = form
        .fields()
        .chain([("Content-Type", "image/png"), ("x-amz-meta-note", "hello"), ("x-ignore-me", "x")])
        .collect();
    let kind = |bucket: &str, fields: &[(&str, &str)], length: u64| {
        verifier.verify_form(bucket, fields, length, now()).err().map(|error| error.kind())
    };
    let with = |name: &'static str, value: &'static str| {
        let mut fields = good.clone();
        match fields.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
        fields
    };
    let without = |name: &str| good.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>();
    assert_eq!(kind("photos", &good, 100), None);
    assert_eq!(verifier.verify_form("photos", &good, 1, now()).unwrap().access_key_id(), "AKIDALICE");
    let violated = Some(Kind::PolicyViolation);
    assert_eq!(kind("photos", &good, 0), violated);
    assert_eq!(kind("photos", &good, 101), violated);
    assert_eq!(kind("other", &good, 1), violated);
    assert_eq!(kind("photos", &with("key", "out/a"), 1), violated);
    assert_eq!(kind("photos", &with("key", "in/a"), 1), None);
    assert_eq!(kind("photos", &with("acl", "public-read"), 1), violated);
    assert_eq!(kind("photos", &with("content-type", "text/html"), 1), violated);
    assert_eq!(kind("photos", &with("content-type", "image/png, text/html"), 1), violated);
    assert_eq!(kind("photos", &without("Content-Type"), 1), violated);
    assert_eq!(kind("photos", &without("x-amz-meta-note"), 1), violated);
    assert_eq!(kind("photos", &with("x-amz-meta-note", ""), 1), None);
    assert_eq!(kind("photos", &with("x-amz-meta-other", "1"), 1), violated);
    assert_eq!(kind("photos", &with("x-amz-signature", "0"), 1), Some(Kind::SignatureMismatch));
    assert_eq!(kind("photos", &with("policy", PUBLISHED), 1), Some(Kind::SignatureMismatch));
    assert_eq!(kind("photos", &with("x-amz-date", "20150830T000000Z"), 1), violated);
    assert_eq!(kind("photos", &with("x-amz-date", "20150831T000000Z"), 1), Some(Kind::ScopeDateMismatch));
    assert_eq!(kind("photos", &with("x-amz-algorithm", "AWS4-HMAC-SHA1"), 1), Some(Kind::UnsupportedAlgorithm));
    assert_eq!(kind("photos", &with("x-amz-security-token", "other"), 1), Some(Kind::InvalidToken));
    assert_eq!(kind("photos", &without("x-amz-security-token"), 1), Some(Kind::InvalidToken));
    assert_eq!(kind("photos", &without("x-amz-credential"), 1), Some(Kind::Missing));
    assert_eq!(kind("photos", &[("key", "a")], 1), Some(Kind::NotSigned));
    let twice: Vec<_> = good.iter().copied().chain([("Policy", "x")]).collect();
    assert_eq!(kind("photos", &twice, 1), Some(Kind::Malformed));
}
