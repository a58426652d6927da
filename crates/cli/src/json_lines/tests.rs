use super::*;

const FULL: &str = r#"{"id":"a","algorithm":"AWS4-HMAC-SHA256","mode":"headers","method":"GET",
    "url":"https://example.amazonaws.com/?b=2&a=1","headers":[["My-Header","v1"],["My-Header","v2"]],"body":"text",
    "body_base64":null,"payload":"signed","region":"us-east-1","service":"service","time":"2015-08-30T12:36:00Z",
    "access_key_id":"AKIDEXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY","session_token":null,
    "expires":3600,"normalize_path":true,"double_encode":true,"omit_session_token":false,"content_sha256_header":false}"#;

fn run(line: &str) -> Value {
    let mut out = Vec::new();
    answer(line.as_bytes(), 7, &mut out);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1, "one line out");
    assert_eq!(out.last(), Some(&b'\n'));
    serde_json::from_slice(&out).unwrap()
}

/// The smallest line, with members changed (`null` takes one out).
fn with(changes: &[(&str, Value)]) -> Value {
    let mut line: serde_json::Map<String, Value> = serde_json::from_str(
        r#"{"method":"GET","url":"https://example.amazonaws.com/","region":"us-east-1","service":"service",
            "time":"2015-08-30T12:36:00Z","access_key_id":"AKIDEXAMPLE",
            "secret_access_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}"#,
    )
    .unwrap();
    for (name, value) in changes {
        line.insert((*name).to_owned(), value.clone());
    }
    run(&Value::Object(line).to_string())
}

#[track_caller]
fn check_refused(answer: &Value, kind: &str, needle: &str) {
    assert_eq!(answer["error"]["kind"], kind, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(needle), "{message}");
    assert!(!message.contains("wJalr"), "{message}");
    assert_eq!(answer["error"]["line"], 7);
    assert!(answer.get("signature").is_none());
}

#[test]
fn the_vanilla_request_has_its_published_signature() {
    let answer = with(&[("id", 1.into())]);
    assert_eq!(answer["id"], 1);
    assert_eq!(answer["signature"], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    assert_eq!(answer["url"], "https://example.amazonaws.com/");
    assert!(answer["canonical_request"].as_str().unwrap().starts_with("GET\n/\n\nhost:example.amazonaws.com\n"));
    assert!(answer["string_to_sign"].as_str().unwrap().starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n"));
}

#[test]
fn a_full_line_answers_with_the_members_in_order() {
    let mut out = Vec::new();
    answer(FULL.replace('\n', "").as_bytes(), 1, &mut out);
    let text = String::from_utf8(out).unwrap();
    let mut from = 0;
    for name in
        ["\"id\":\"a\"", "\"canonical_request\"", "\"string_to_sign\"", "\"signature\"", "\"headers\":[[", "\"url\""]
    {
        from += text[from..].find(name).unwrap_or_else(|| panic!("{name} in {text}"));
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(value["canonical_request"].as_str().unwrap().contains("\nmy-header:v1,v2\n"));
    let headers: Vec<_> = value["headers"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap()).collect();
    assert!(headers.contains(&"authorization") && headers.contains(&"x-amz-date"), "{headers:?}");
}

#[test]
fn a_missing_or_null_id_is_null_and_others_come_back_as_they_are() {
    assert!(with(&[])["id"].is_null());
    for id in [r#""x""#, "18446744073709551616000", "[1,{\"a\":null}]", "1.50"] {
        let mut out = Vec::new();
        answer(format!(r#"{{"id":{id},"method":"GET"}}"#).as_bytes(), 1, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(&format!(r#"{{"id":{id},"error":"#)), "{text}");
    }
}

#[test]
fn query_mode_signs_the_url() {
    let answer = with(&[("mode", "query".into()), ("session_token", "to/ken".into()), ("expires", 60.into())]);
    let url = answer["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=60") && url.contains("X-Amz-Security-Token=to%2Fken"), "{url}");
    assert!(url.contains(&format!("X-Amz-Signature={}", answer["signature"].as_str().unwrap())), "{url}");
    check_refused(&with(&[("mode", "query".into()), ("expires", 0.into())]), "invalid_expires", "");
    check_refused(&with(&[("mode", "query".into()), ("expires", 604_801.into())]), "invalid_expires", "");
}

#[test]
fn s3_has_its_own_defaults_that_a_line_may_change() {
    let path = ("url", Value::from("https://b.s3.amazonaws.com/a//b/../c d%2B"));
    let request = |answer: &Value| answer["canonical_request"].as_str().unwrap().to_owned();
    let s3 = with(&[path.clone(), ("service", "s3".into())]);
    assert!(request(&s3).starts_with("GET\n/a//b/../c%20d%2B\n"), "{s3}");
    assert!(request(&s3).contains("x-amz-content-sha256:e3b0c442"));
    let other = with(std::slice::from_ref(&path));
    assert!(request(&other).starts_with("GET\n/a/c%20d%252B\n"), "{other}");
    assert!(!request(&other).contains("x-amz-content-sha256"));
    let changed = with(&[
        path,
        ("service", "s3".into()),
        ("normalize_path", true.into()),
        ("double_encode", true.into()),
        ("content_sha256_header", false.into()),
    ]);
    assert_eq!(request(&changed).lines().nth(1), request(&other).lines().nth(1));
    assert!(!request(&changed).contains("x-amz-content-sha256"));
}

#[test]
fn payloads_by_name() {
    let last = |payload: Value, body: Value| {
        let answer = with(&[("payload", payload), ("body", body)]);
        answer["canonical_request"].as_str().unwrap().lines().last().unwrap().to_owned()
    };
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(last(Value::Null, "abc".into()), abc);
    assert_eq!(last("signed".into(), "abc".into()), abc);
    assert_eq!(last("unsigned".into(), "abc".into()), "UNSIGNED-PAYLOAD");
    assert_eq!(last(abc.into(), Value::Null), abc);
    let streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    assert_eq!(last(streaming.into(), Value::Null), streaming);
    let encoded = with(&[("body_base64", "YWJj".into())]);
    assert!(encoded["canonical_request"].as_str().unwrap().ends_with(abc));
    check_refused(&with(&[("payload", "some".into())]), "invalid_member", "`payload`");
    check_refused(&with(&[("body_base64", "%%".into())]), "invalid_member", "`body_base64`");
    check_refused(&with(&[("body_base64", "YWJj".into()), ("body", "".into())]), "invalid_member", "exclude");
}

#[test]
fn a_token_can_be_left_out_of_the_signature() {
    let signed = with(&[("session_token", "token".into())]);
    let omitted = with(&[("session_token", "token".into()), ("omit_session_token", true.into())]);
    assert!(signed["canonical_request"].as_str().unwrap().contains("x-amz-security-token"));
    assert!(!omitted["canonical_request"].as_str().unwrap().contains("x-amz-security-token"));
    assert!(omitted["headers"].to_string().contains(r#"["x-amz-security-token","token"]"#));
}

#[test]
fn each_algorithm_signs() {
    for (algorithm, service, url, start, authorization) in [
        (
            "AWS4-HMAC-SHA256",
            "s3",
            "https://b.s3.amazonaws.com/k",
            "AWS4-HMAC-SHA256\n",
            "AWS4-HMAC-SHA256 Credential=",
        ),
        ("AWS4-ECDSA-P256-SHA256", "s3", "https://b.s3.amazonaws.com/k", "AWS4-ECDSA-P256-SHA256\n", "AWS4-ECDSA-"),
        ("GOOG4-HMAC-SHA256", "storage", "https://storage.googleapis.com/b/k", "GOOG4-HMAC-SHA256\n", "GOOG4-HMAC-"),
        ("OSS4-HMAC-SHA256", "oss", "https://b.oss-cn-hangzhou.aliyuncs.com/k", "OSS4-HMAC-SHA256\n", "OSS4-HMAC-"),
        ("ACS3-HMAC-SHA256", "kms", "https://kms.cn-hangzhou.aliyuncs.com/", "ACS3-HMAC-SHA256\n", "ACS3-HMAC-"),
        ("AWS2-S3", "s3", "https://b.s3.amazonaws.com/k", "GET\n", "AWS AKIDEXAMPLE:"),
    ] {
        let signed = with(&[("algorithm", algorithm.into()), ("service", service.into()), ("url", url.into())]);
        let string_to_sign = signed["string_to_sign"].as_str().unwrap_or_else(|| panic!("{signed}"));
        assert!(string_to_sign.starts_with(start), "{signed}");
        let headers = signed["headers"].as_array().unwrap();
        let is_authorization = |header: &&Value| header[0].as_str().unwrap().eq_ignore_ascii_case("authorization");
        let value = headers.iter().find(is_authorization).unwrap()[1].as_str().unwrap();
        assert!(value.starts_with(authorization), "{signed}");
    }
    let query = with(&[("algorithm", "AWS2-QUERY".into()), ("url", "https://ec2.amazonaws.com/?Action=A".into())]);
    assert!(query["url"].as_str().unwrap().contains("&Signature="), "{query}");
}

#[test]
fn a_bucket_in_the_host_is_signed_where_the_algorithm_wants_it() {
    let oss = [("algorithm", "OSS4-HMAC-SHA256".into()), ("url", "https://b.oss-cn-hangzhou.aliyuncs.com/k".into())];
    assert!(with(&oss)["canonical_request"].as_str().unwrap().starts_with("GET\n/b/k\n"));
    let s3 = [("algorithm", "AWS2-S3".into()), ("url", "https://b.s3.amazonaws.com/k".into())];
    assert!(with(&s3)["string_to_sign"].as_str().unwrap().ends_with("\n/b/k"));
}

#[test]
fn a_nonce_is_taken_from_the_headers_or_made() {
    let acs = |headers: Value| {
        let url = "https://kms.cn-hangzhou.aliyuncs.com/";
        with(&[("algorithm", "ACS3-HMAC-SHA256".into()), ("url", url.into()), ("headers", headers)])
    };
    let given = || serde_json::json!([["x-acs-signature-nonce", "n0nce"]]);
    assert!(acs(given())["canonical_request"].as_str().unwrap().contains("x-acs-signature-nonce:n0nce\n"));
    assert_eq!(acs(given())["signature"], acs(given())["signature"]);
    assert_ne!(acs(Value::Null)["signature"], acs(Value::Null)["signature"]);
    let query = with(&[("algorithm", "ACS3-HMAC-SHA256".into()), ("mode", "query".into())]);
    check_refused(&query, "invalid_member", "headers for ACS3-HMAC-SHA256");
}

#[test]
fn an_unknown_algorithm_is_refused() {
    check_refused(&with(&[("algorithm", "ROT13".into())]), "unsupported_algorithm", "none of AWS4-HMAC-SHA256");
}

#[test]
fn lines_that_are_no_requests() {
    for line in ["", "  ", "{", "nonsense", "{\"a\":1,}", "[1"] {
        let answer = run(line);
        check_refused(&answer, "invalid_json", "line 7: not JSON: ");
        assert!(answer["id"].is_null());
    }
    for line in ["1", "[]", "null", "\"wJalr\""] {
        check_refused(&run(line), "invalid_request", "not a JSON object");
    }
    let mut out = Vec::new();
    answer(b"{\"id\":\"\xff\"}", 7, &mut out);
    check_refused(&serde_json::from_slice(&out).unwrap(), "invalid_json", "not JSON");
}

#[test]
fn members_that_are_missing_or_wrong_are_named_and_values_never_repeated() {
    for name in ["method", "url", "region", "service", "time", "access_key_id", "secret_access_key"] {
        check_refused(&with(&[(name, Value::Null)]), "missing_member", &format!("`{name}` is missing"));
        check_refused(&with(&[(name, serde_json::json!({"x": "wJalr"}))]), "invalid_member", &format!("`{name}`"));
    }
    for name in ["expires", "normalize_path", "headers"] {
        check_refused(&with(&[(name, "wJalr".into())]), "invalid_member", &format!("`{name}`"));
    }
    check_refused(&with(&[("headers", serde_json::json!([["only-a-name"]]))]), "invalid_member", "`headers`");
    check_refused(&with(&[("expires", (-1).into())]), "invalid_member", "`expires`");
    check_refused(&with(&[("time", "yesterday".into())]), "invalid_time", "`time`");
    check_refused(&with(&[("mode", "both".into())]), "invalid_member", "`mode`");
    check_refused(&run(r#"{"id":1,"id":2}"#), "missing_member", "`method`");
}

#[test]
fn a_refusal_keeps_the_id() {
    let answer = run(r#"{"id":"x","method":"GET"}"#);
    check_refused(&answer, "missing_member", "`url`");
    assert_eq!(answer["id"], "x");
    assert_eq!(with(&[("id", "y".into()), ("url", "ftp://h/".into())])["id"], "y");
}

#[test]
fn what_the_signer_refuses_has_a_kind() {
    check_refused(&with(&[("url", "/relative".into())]), "invalid_url", "scheme");
    check_refused(&with(&[("region", "a/b".into())]), "invalid_scope", "region");
    check_refused(&with(&[("access_key_id", "".into())]), "invalid_credentials", "");
    check_refused(&with(&[("headers", serde_json::json!([["x", "a\r\nb"]]))]), "invalid_header", "");
    check_refused(&with(&[("headers", serde_json::json!([["authorization", "x"]]))]), "already_signed", "");
}

#[test]
fn times_in_both_forms() {
    assert_eq!(parse_time("20150830T123600Z"), parse_time("2015-08-30T12:36:00Z"));
    assert_eq!(parse_time("2015-08-30T14:36:00+02:00"), parse_time("2015-08-30T12:36:00Z"));
    for text in ["", "2015-08-30", "20150830T123600", "2015083éT12360", "99999999T999999Z"] {
        assert_eq!(parse_time(text), None, "{text}");
    }
}
