//! This crate.

use aws_sigv4_free_signing::{Credentials, Payload, SigV4};

use super::{KEPT, THIS};
use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, EXPIRES_IN, Operation, REGION, Request, SECRET_KEY, now};

fn credentials(operation: Operation) -> Credentials {
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY);
    match operation.token() {
        Some(token) => credentials.with_session_token(token),
        None => credentials,
    }
}

/// A presigned URL, whose key is kept.
pub(super) fn with_kept_key() -> Contender {
    presign(KEPT)
}

fn presign(name: &'static str) -> Contender {
    let (signer, request, credentials) =
        (SigV4::s3(REGION), Operation::Presign.request(), credentials(Operation::Presign));
    Contender::new(
        name,
        move || request.clone(),
        move |request| signer.presign(request, EXPIRES_IN, &credentials, now()).expect("presigned").into_string(),
        |_, url| Signed::Url(url),
    )
}

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    let signer = SigV4::s3(REGION);
    let request = operation.request();
    Some(match operation {
        Operation::Presign => presign(THIS),
        // The key is not public: it is derived for a presigned URL whose credentials are new, and the caller takes the time of
        // one whose key is kept from that.
        Operation::ColdKey => Contender::new(
            THIS,
            move || (request.clone(), credentials(operation)),
            move |(request, credentials)| {
                signer.presign(request, EXPIRES_IN, credentials, now()).expect("presigned").into_string()
            },
            |_, url| Signed::Url(url),
        ),
        _ => {
            let (credentials, body) = (credentials(operation), operation.body());
            Contender::new(
                THIS,
                move || request.clone(),
                move |request: &mut Request| {
                    signer.sign(request, Payload::bytes(&body), &credentials, now()).expect("signed");
                },
                |request, ()| Signed::Headers(request.into_parts().0.headers),
            )
        }
    })
}
