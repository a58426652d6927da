use super::*;
use crate::SigningErrorKind;

const NONCE: &str = "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf";
const URL: &str = "http://ecs.aliyuncs.com/?Action=DescribeRegions&Version=2014-05-26&Format=XML";

fn credentials() -> Credentials {
    Credentials::new("testid", "testsecret")
}

fn time() -> OffsetDateTime {
    // 2016-02-23T12:46:24Z
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(1_456_231_584)
}

// The worked example of the vendor's page on RPC APIs.
#[test]
fn the_published_example() {
    let signed = AcsRpc::new().sign_raw(&RawRequest::new("GET", URL), "", NONCE, &credentials(), time()).unwrap();
    assert_eq!(
        signed.string_to_sign,
        "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1\
         %26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0\
         %26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26"
    );
    assert_eq!(signed.signature, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    assert!(signed.url.ends_with("&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D"));
}

#[test]
fn an_http_request_is_signed_alike() {
    let raw = AcsRpc::new().sign_raw(&RawRequest::new("POST", URL), "b=1+2", NONCE, &credentials(), time()).unwrap();
    assert!(raw.canonical_request.ends_with("&b=1%202"), "{}", raw.canonical_request);
    let mut request = http::Request::post(URL).body(()).unwrap();
    AcsRpc::new().sign_with_form(&mut request, "b=1+2", NONCE, &credentials(), time()).unwrap();
    assert_eq!(request.uri(), &*raw.url);
    assert!(!request.uri().query().unwrap().contains("b=1"));
}

#[test]
fn a_token_is_a_parameter_and_never_shown() {
    let credentials = credentials().with_session_token("canary");
    let signed = AcsRpc::new().sign_raw(&RawRequest::new("GET", URL), "", NONCE, &credentials, time()).unwrap();
    assert!(signed.url.contains("&SecurityToken=canary&"));
    let shown = format!("{signed:?}");
    assert!(!shown.contains("canary") && !shown.contains("OLea") && !shown.contains(&signed.signature), "{shown}");
}

#[test]
fn what_can_not_be_signed_is_refused() {
    let sign = |query: &str, form: &str, nonce: &str| {
        let request = RawRequest::new("POST", format!("https://h/?{query}"));
        AcsRpc::new().sign_raw(&request, form, nonce, &credentials(), time()).unwrap_err().kind()
    };
    for name in OWN {
        let parameter = format!("{name}=x");
        assert_eq!(sign(&parameter, "", NONCE), SigningErrorKind::AlreadySigned);
        assert_eq!(sign("", &parameter, NONCE), SigningErrorKind::AlreadySigned);
    }
    assert_eq!(sign("", "", ""), SigningErrorKind::InvalidNonce);
}
