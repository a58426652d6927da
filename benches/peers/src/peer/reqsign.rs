//! `reqsign-aws-v4`, the signer of Apache OpenDAL.

use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest as _, hash};

use super::at_once;
use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, EXPIRES_IN, Operation, REGION, SECRET_KEY};

const NAME: &str = "reqsign 3.3.1";

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    if operation == Operation::ColdKey {
        return None;
    }
    let request = operation.request();
    let expires_in = (operation == Operation::Presign).then_some(EXPIRES_IN);
    let signer = Arc::new(RequestSigner::new("s3", REGION));
    let context = Context::new();
    let credential = Credential {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: operation.token(),
        expires_in: None,
    };
    let body = operation.body();
    let run = move |parts: &mut Parts| {
        // It hashes no bodies: it signs what the header says.
        if expires_in.is_none() {
            let hash = hash::hex_sha256(&body);
            parts.headers.insert("x-amz-content-sha256", HeaderValue::try_from(hash).expect("digits"));
        }
        at_once(signer.sign_request(&context, parts, Some(&credential), expires_in)).expect("signed");
    };
    let shown = move |parts: Parts, ()| match expires_in {
        Some(_) => Signed::Url(parts.uri.to_string()),
        None => Signed::Headers(parts.headers),
    };
    Some(Contender::new(NAME, move || request.clone().into_parts().0, run, shown))
}
