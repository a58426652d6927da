//! `aws-sign-v4`, which signs headers only.

use aws_sign_v4::{AwsSign, signing_key};
use chrono::Utc;
use http::HeaderValue;

use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, HOST, Operation, REGION, Request, SECRET_KEY, URL};

const NAME: &str = "aws-sign-v4 0.3.0";
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    match operation {
        // It knows no session token, and hashes a body itself, but leaves its header to the caller: the hash would count twice.
        Operation::Presign | Operation::GetWithToken | Operation::Post4KiB | Operation::Put1MiB => None,
        Operation::ColdKey => Some(Contender::new(
            NAME,
            || (),
            |()| {
                let mut bytes = [0; 32];
                bytes.copy_from_slice(&signing_key(&Utc::now(), SECRET_KEY, REGION, "s3").expect("a key"));
                bytes
            },
            |(), key| Signed::Key(key),
        )),
        Operation::Get => {
            let request = operation.request();
            Some(Contender::new(
                NAME,
                move || request.clone(),
                sign,
                |request, ()| Signed::Headers(request.into_parts().0.headers),
            ))
        }
    }
}

/// It gives the value of `authorization`; the other headers are the caller's.
fn sign(request: &mut Request) {
    let now = Utc::now();
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::from_static(HOST));
    headers.insert("x-amz-content-sha256", HeaderValue::from_static(EMPTY_SHA256));
    let date = HeaderValue::try_from(now.format("%Y%m%dT%H%M%SZ").to_string()).expect("a date");
    headers.insert("x-amz-date", date);
    let signature =
        AwsSign::new("GET", URL, &now, request.headers(), REGION, ACCESS_KEY, SECRET_KEY, "s3", request.body()).sign();
    request.headers_mut().insert("authorization", HeaderValue::try_from(signature).expect("text"));
}
