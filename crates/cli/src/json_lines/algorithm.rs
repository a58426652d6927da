//! The algorithms of `sign --jsonl`: each by the signer that has it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use aws_sigv4_free_signing::{
    Acs3, ContentSha256Header, Credentials, PathEncoding, PathNormalization, Payload, RawRequest, RawSignature,
    S3SigV2, SigV2, SigV4, SigV4A, TokenPlacement,
};
use time::OffsetDateTime;

use super::{DEFAULT_EXPIRES, Line, LineError};

/// The names that `algorithm` may have.
const ALGORITHMS: [&str; 7] = [
    "AWS4-HMAC-SHA256",
    "AWS4-ECDSA-P256-SHA256",
    "GOOG4-HMAC-SHA256",
    "OSS4-HMAC-SHA256",
    "ACS3-HMAC-SHA256",
    "AWS2-QUERY",
    "AWS2-S3",
];

/// The header that makes each request to Alibaba Cloud's APIs another one.
const NONCE: &str = "x-acs-signature-nonce";

/// Where the signature goes.
#[derive(Clone, Copy)]
enum Mode {
    Headers,
    Query(Duration),
}

/// What a line comes down to.
pub(super) struct Task<'a> {
    pub(super) request: RawRequest,
    pub(super) payload: Payload<'a>,
    pub(super) credentials: Credentials,
    pub(super) now: OffsetDateTime,
}

/// Sets what a line says of a signer; all members of the family have the same settings.
macro_rules! configure {
    ($signer:expr, $line:expr) => {{
        let mut signer = $signer;
        if let Some(normalize) = $line.normalize_path {
            let normalization = if normalize { PathNormalization::Normalized } else { PathNormalization::AsIs };
            signer = signer.path_normalization(normalization);
        }
        if let Some(double) = $line.double_encode {
            signer = signer.path_encoding(if double { PathEncoding::Double } else { PathEncoding::Single });
        }
        if let Some(always) = $line.content_sha256_header {
            let header = if always { ContentSha256Header::Always } else { ContentSha256Header::WhenNeeded };
            signer = signer.content_sha256_header(header);
        }
        if $line.omit_session_token == Some(true) {
            signer = signer.token_placement(TokenPlacement::AddedAfterSigning);
        }
        signer
    }};
}

/// Signs by the algorithm that the line names.
pub(super) fn sign(line: &Line<'_>, task: &Task<'_>) -> Result<RawSignature, LineError> {
    let mode = mode(line)?;
    let (service, region) = (line.service.to_string(), line.region.to_string());
    let Task { request, payload, credentials, now } = task;
    match line.algorithm.as_deref().unwrap_or("AWS4-HMAC-SHA256") {
        "AWS4-HMAC-SHA256" => sign_sigv4(&configure!(SigV4::new(service, region), line), mode, task),
        "GOOG4-HMAC-SHA256" => sign_sigv4(&configure!(SigV4::goog4(region), line), mode, task),
        "OSS4-HMAC-SHA256" => {
            let signer = if service == "oss-cloudbox" { SigV4::oss4_cloudbox(region) } else { SigV4::oss4(region) };
            let signer = match bucket_of(request.url(), "oss", ".aliyuncs.com") {
                Some(bucket) => signer.bucket(bucket.to_owned()),
                None => signer,
            };
            sign_sigv4(&configure!(signer, line), mode, task)
        }
        "AWS4-ECDSA-P256-SHA256" => {
            let signer = configure!(SigV4A::new(service, region), line);
            Ok(match mode {
                Mode::Headers => signer.sign_raw(request, *payload, credentials, *now)?,
                Mode::Query(expires) => signer.presign_raw(request, Some(*payload), expires, credentials, *now)?,
            })
        }
        "ACS3-HMAC-SHA256" => {
            only(mode, "headers", line)?;
            sign_acs3(task)
        }
        "AWS2-QUERY" => Ok(SigV2::new().sign_raw(request, credentials, *now)?),
        "AWS2-S3" => {
            let signer = match bucket_of(request.url(), "s3", ".amazonaws.com") {
                Some(bucket) => S3SigV2::virtual_hosted(bucket),
                None => S3SigV2::path_style(),
            };
            Ok(match mode {
                Mode::Headers => signer.sign_raw(request, credentials, *now)?,
                Mode::Query(expires) => signer.presign_raw(request, expires, credentials, *now)?,
            })
        }
        _ => Err(LineError::new("unsupported_algorithm", format!("`algorithm` is none of {}", ALGORITHMS.join(", ")))),
    }
}

fn mode(line: &Line<'_>) -> Result<Mode, LineError> {
    match line.mode.as_deref().unwrap_or("headers") {
        "headers" => Ok(Mode::Headers),
        "query" => Ok(Mode::Query(Duration::from_secs(line.expires.unwrap_or(DEFAULT_EXPIRES)))),
        _ => Err(LineError::new("invalid_member", "`mode` has to be headers or query")),
    }
}

/// Refuses a mode that the algorithm does not have.
fn only(mode: Mode, name: &str, line: &Line<'_>) -> Result<(), LineError> {
    match mode {
        Mode::Headers => Ok(()),
        Mode::Query(_) => {
            let algorithm = line.algorithm.as_deref().unwrap_or_default();
            Err(LineError::new("invalid_member", format!("`mode` has to be {name} for {algorithm}")))
        }
    }
}

fn sign_sigv4(signer: &SigV4, mode: Mode, task: &Task<'_>) -> Result<RawSignature, LineError> {
    let Task { request, payload, credentials, now } = task;
    Ok(match mode {
        Mode::Headers => signer.sign_raw(request, *payload, credentials, *now)?,
        Mode::Query(expires) => signer.presign_raw(request, Some(*payload), expires, credentials, *now)?,
    })
}

/// The nonce is a header of the line, or a random one.
fn sign_acs3(task: &Task<'_>) -> Result<RawSignature, LineError> {
    let mut request = RawRequest::new(task.request.method(), task.request.url());
    let mut nonce = None;
    for (name, value) in task.request.headers() {
        if name == NONCE {
            nonce = Some(String::from_utf8_lossy(value).into_owned());
        } else {
            request = request.header(name, value);
        }
    }
    let nonce = nonce.unwrap_or_else(random_nonce);
    Ok(Acs3::new().sign_raw(&request, task.payload, &nonce, &task.credentials, task.now)?)
}

/// 128 bits that no other request has.
fn random_nonce() -> String {
    let bits = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", bits(), bits())
}

/// The bucket that a host names: `bucket.s3.eu-west-1.amazonaws.com`. `None` for a host that names the service alone.
fn bucket_of<'a>(url: &'a str, service: &str, domain: &str) -> Option<&'a str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.split(':').next()?;
    let inner = host.len().checked_sub(domain.len()).and_then(|end| {
        let (inner, tail) = host.split_at_checked(end)?;
        tail.eq_ignore_ascii_case(domain).then_some(inner)
    })?;
    let names_service = |label: &str| {
        label.get(..service.len()).is_some_and(|start| start.eq_ignore_ascii_case(service))
            && matches!(label.as_bytes().get(service.len()), None | Some(b'-'))
    };
    // A bucket's name may hold dots, and may look like the service's: the last label that names the service does.
    let labels: Vec<&str> = inner.split('.').collect();
    let at = labels.iter().rposition(|label| names_service(label))?;
    let length: usize = labels.get(..at)?.iter().map(|label| label.len() + 1).sum();
    inner.get(..length.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_read_off_the_host() {
        for (url, bucket) in [
            ("https://photos.s3.amazonaws.com/k", Some("photos")),
            ("https://a.b.s3.eu-west-1.amazonaws.com:443/k", Some("a.b")),
            ("https://photos.s3-eu-west-1.amazonaws.com", Some("photos")),
            ("https://s3.amazonaws.com/photos", None),
            ("https://S3.us-west-2.AMAZONAWS.COM/photos", None),
            ("https://localhost:9000/photos", None),
            ("nonsense", None),
        ] {
            assert_eq!(bucket_of(url, "s3", ".amazonaws.com"), bucket, "{url}");
        }
        let oss = "https://photos.oss-cn-hangzhou.aliyuncs.com/k";
        assert_eq!(bucket_of(oss, "oss", ".aliyuncs.com"), Some("photos"));
        assert_eq!(bucket_of("https://oss-cn-hangzhou.aliyuncs.com/", "oss", ".aliyuncs.com"), None);
    }

    #[test]
    fn nonces_differ() {
        assert_eq!(random_nonce().len(), 32);
        assert_ne!(random_nonce(), random_nonce());
    }
}
