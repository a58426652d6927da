//! `aws-sigv4`, the signer of the AWS SDK.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, EXPIRES_IN, Operation, REGION, Request, SECRET_KEY};

const NAME: &str = "aws-sigv4 1.6.4";

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    let request = operation.request();
    let identity: Identity =
        aws_credential_types::Credentials::new(ACCESS_KEY, SECRET_KEY, operation.token(), None, "bench").into();
    Some(match operation {
        Operation::ColdKey => Contender::new(
            NAME,
            || (),
            |()| {
                let key = v4::generate_signing_key(SECRET_KEY, SystemTime::now(), REGION, "s3");
                let mut bytes = [0; 32];
                bytes.copy_from_slice(key.as_ref());
                bytes
            },
            |(), key| Signed::Key(key),
        ),
        Operation::Presign => Contender::new(
            NAME,
            move || request.clone(),
            move |request: &mut Request| apply(request, &identity, true),
            |request, ()| Signed::Url(request.uri().to_string()),
        ),
        _ => Contender::new(
            NAME,
            move || request.clone(),
            move |request: &mut Request| apply(request, &identity, false),
            |request, ()| Signed::Headers(request.into_parts().0.headers),
        ),
    })
}

fn apply(request: &mut Request, identity: &Identity, presign: bool) {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    if presign {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(EXPIRES_IN);
    } else {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let parameters = v4::SigningParams::builder()
        .identity(identity)
        .region(REGION)
        .name("s3")
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .expect("all parameters")
        .into();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
    let body = if presign { SignableBody::UnsignedPayload } else { SignableBody::Bytes(request.body()) };
    let signable =
        SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, body).expect("signable");
    let (instructions, _) = sign(signable, &parameters).expect("signed").into_parts();
    instructions.apply_to_request_http1x(request);
}
