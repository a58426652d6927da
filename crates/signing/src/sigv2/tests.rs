use super::*;
use time::{Date, Month, Time};

const TIME: OffsetDateTime = {
    match (Date::from_calendar_date(2011, Month::October, 3), Time::from_hms(15, 19, 30)) {
        (Ok(date), Ok(time)) => OffsetDateTime::new_utc(date, time),
        _ => panic!("a time that is none"),
    }
};

fn credentials() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

const URL: &str = "https://elasticmapreduce.amazonaws.com?Action=DescribeJobFlows&Version=2009-03-31";

// The example of the AWS General Reference, "Signature Version 2 signing process". Its time has no `Z`; ours has, as those of
// other clients.
#[test]
fn the_published_example() {
    let signed = SigV2::new().sign_raw(&RawRequest::new("GET", URL), &credentials(), TIME).unwrap();
    assert_eq!(
        signed.string_to_sign,
        "GET\nelasticmapreduce.amazonaws.com\n/\n\
         AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Action=DescribeJobFlows&SignatureMethod=HmacSHA256&SignatureVersion=2&\
         Timestamp=2011-10-03T15%3A19%3A30Z&Version=2009-03-31"
    );
    let published = signed.string_to_sign.replace("19%3A30Z", "19%3A30");
    let signature = sign_text(&credentials(), published.as_bytes()).unwrap();
    assert_eq!(signature, "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=");
    assert_eq!(signed.signature, sign_text(&credentials(), signed.string_to_sign.as_bytes()).unwrap());
    assert!(signed.url.starts_with("https://elasticmapreduce.amazonaws.com/?AWSAccessKeyId="));
    assert!(signed.url.ends_with("&Version=2009-03-31&Signature=66aU6xgCtR7V6ESsGvYrAArQmwGutKSbh8Mn7kSko9E%3D"));
}

#[test]
fn an_http_request_is_signed_alike() {
    let mut request = http::Request::get(URL).body(()).unwrap();
    SigV2::new().sign(&mut request, &credentials(), TIME).unwrap();
    let raw = SigV2::new().sign_raw(&RawRequest::new("GET", URL), &credentials(), TIME).unwrap();
    assert_eq!(request.uri(), &*raw.url);
    assert_eq!(request.headers()["host"], "elasticmapreduce.amazonaws.com");
}

#[test]
fn the_host_is_in_lower_case_and_keeps_a_port_of_its_own() {
    for (url, host) in [
        ("http://EC2.Example:80/", "ec2.example"),
        ("https://ec2.example:443/", "ec2.example"),
        ("https://ec2.example:8773/", "ec2.example:8773"),
    ] {
        let signed = SigV2::new().sign_raw(&RawRequest::new("GET", url), &credentials(), TIME).unwrap();
        assert_eq!(signed.string_to_sign.lines().nth(1), Some(host));
    }
    let request = RawRequest::new("GET", "https://10.0.0.1/").header("Host", "EC2.example");
    let signed = SigV2::new().sign_raw(&request, &credentials(), TIME).unwrap();
    assert_eq!(signed.string_to_sign.lines().nth(1), Some("ec2.example"));
    assert!(signed.headers.is_empty());
}

#[test]
fn a_token_is_a_parameter_and_never_shown() {
    let credentials = credentials().with_session_token("canary+/=");
    let request = RawRequest::new("GET", URL);
    let signed = SigV2::new().sign_raw(&request, &credentials, TIME).unwrap();
    assert!(signed.url.contains("&SecurityToken=canary%2B%2F%3D&"));
    assert!(signed.string_to_sign.contains("&SecurityToken=canary%2B%2F%3D&"));
    let shown = format!("{signed:?}");
    assert!(!shown.contains("canary") && !shown.contains(&signed.signature), "{shown}");
}

#[test]
fn a_form_is_signed_and_comes_out_sorted() {
    let request = http::Request::post("https://elasticmapreduce.amazonaws.com/").body(()).unwrap();
    let form = "Version=2009-03-31&Name=a+b%2Bc&Action=X";
    let body = SigV2::new().sign_form(&request, form, &credentials(), TIME).unwrap();
    assert!(body.starts_with("AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Action=X&Name=a%20b%2Bc&SignatureMethod="), "{body}");
    assert!(body.contains("&Version=2009-03-31&Signature="), "{body}");
    let request = http::Request::post("https://elasticmapreduce.amazonaws.com/?a=b").body(()).unwrap();
    let error = SigV2::new().sign_form(&request, form, &credentials(), TIME).unwrap_err();
    assert_eq!(error.kind(), SigningErrorKind::InvalidUrl);
}

#[test]
fn what_is_signed_already_is_refused_and_left_as_it_is() {
    for name in OWN {
        let url = format!("https://h/?{name}=x");
        let mut request = http::Request::get(&url).body(()).unwrap();
        let error = SigV2::new().sign(&mut request, &credentials(), TIME).unwrap_err();
        assert_eq!(error.kind(), SigningErrorKind::AlreadySigned, "{name}");
        assert_eq!(request.uri(), &*url);
        assert!(request.headers().is_empty());
    }
}

#[test]
fn what_can_not_be_signed_is_refused() {
    let sign = |url: &str, credentials: &Credentials| {
        SigV2::new().sign_raw(&RawRequest::new("GET", url), credentials, TIME).unwrap_err().kind()
    };
    assert_eq!(sign("h/a", &credentials()), SigningErrorKind::InvalidUrl);
    assert_eq!(sign("https://h/", &Credentials::new("", "secret")), SigningErrorKind::InvalidCredentials);
    let bad_token = credentials().with_session_token("a b");
    assert_eq!(sign("https://h/", &bad_token), SigningErrorKind::InvalidCredentials);
}
