//! The signature of a form that uploads an object.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::{Kind, VerificationError, Verifier, is_equal, unsignable};
use crate::claim::{Claim, Fault, TOKEN_HEADERS, parse_time};
use crate::post_policy::document::Document;
use crate::{Credentials, Secret};

/// The most that the fields of a form may hold, without the file.
const MAX_FIELDS: usize = 1 << 20;

impl<L: Fn(&str) -> Option<Credentials>> Verifier<L> {
    /// Verifies the form of a presigned POST: the signature of its policy, that the policy has not expired, and that each of
    /// the `fields` keeps a condition of the policy.
    ///
    /// `bucket` is the one that the form was sent to, `fields` are those before the file (names in any case), and
    /// `content_length` is the size of the file in bytes. Where `${filename}` stands in a field, put the file's name there first.
    ///
    /// # Errors
    /// See [`VerificationErrorKind`](super::VerificationErrorKind).
    pub fn verify_form(
        &self,
        bucket: &str,
        fields: &[(&str, &str)],
        content_length: u64,
        now: OffsetDateTime,
    ) -> Result<VerifiedForm, VerificationError> {
        if fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_FIELDS {
            return Err(VerificationError::new(Kind::Malformed, "the fields of the form are larger than 1 MiB"));
        }
        let fields: Vec<(String, &str)> =
            fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
        let find = |wanted: &'static str| {
            let mut found = fields.iter().filter(|(name, _)| name == wanted);
            let value = found.next().map(|(_, value)| *value);
            if found.next().is_some() { Err(Fault::Repeated(wanted)) } else { Ok(value) }
        };
        let required = |wanted: &'static str| find(wanted)?.ok_or(Fault::Missing(wanted));
        if find("policy")?.is_none() && find("x-amz-signature")?.is_none() {
            return Err(VerificationError::new(Kind::NotSigned, "the form carries no signature"));
        }
        if required("x-amz-algorithm")? != crate::dialect::AWS4_HMAC_SHA256.algorithm {
            return Err(Fault::Algorithm.into());
        }
        let policy = required("policy")?;
        let signed_at = parse_time(required("x-amz-date")?)
            .ok_or(Fault::Malformed("x-amz-date", "is no time such as 20150830T123600Z"))?;
        let mut claim = Claim::new(required("x-amz-credential")?, "", signed_at, required("x-amz-signature")?)?;
        for name in TOKEN_HEADERS {
            if let Some(token) = find(name)? {
                claim.session_token = Some(Secret::from(token));
            }
        }
        self.check_scope(&claim)?;
        let signer = self.signer(&claim);
        let credentials = self.credentials(&claim)?;
        let ours = signer.sign_text(policy.as_bytes(), &credentials, claim.day).map_err(|error| unsignable(&error))?;
        if !is_equal(&ours, claim.signature.as_bytes()) {
            return Err(VerificationError::mismatch(None, policy.to_owned()));
        }
        self.check_token(&claim, &credentials)?;

        let json = STANDARD.decode(policy).ok().and_then(|json| String::from_utf8(json).ok());
        let document = json.as_deref().and_then(Document::parse).ok_or(Fault::Malformed("policy", "is no policy"))?;
        let allowed = time::Duration::try_from(self.allowed_skew).unwrap_or(time::Duration::MAX);
        if claim.signed_at - now > allowed {
            return Err(VerificationError::new(Kind::TimeTooSkewed, "the signing time is ahead of this clock"));
        }
        if document.expires_at <= now {
            return Err(VerificationError::new(Kind::Expired, "the policy has expired"));
        }
        // A signing key is good for 7 days, whatever the policy says.
        if now - claim.signed_at > time::Duration::days(7) {
            return Err(VerificationError::new(Kind::Expired, "the policy was signed more than 7 days ago"));
        }
        if let Some(field) = document.violated(bucket, &fields, content_length) {
            let shown: String = field.chars().take(64).filter(char::is_ascii_graphic).collect();
            let message = format!("the form does not keep the condition of its policy on {shown}, or has none for it");
            return Err(VerificationError::new(Kind::PolicyViolation, message));
        }
        Ok(VerifiedForm { claim, credentials, expires_at: document.expires_at })
    }
}

/// A form whose signature and policy were found good. `Debug` shows no secret.
pub struct VerifiedForm {
    claim: Claim,
    credentials: Credentials,
    expires_at: OffsetDateTime,
}

impl VerifiedForm {
    /// Who signed.
    pub fn access_key_id(&self) -> &str {
        &self.claim.access_key_id
    }

    /// The credentials that the look-up gave.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The region that was signed for.
    pub fn region(&self) -> &str {
        &self.claim.region
    }

    /// The service that was signed for.
    pub fn service(&self) -> &str {
        &self.claim.service
    }

    /// When it was signed.
    pub fn signed_at(&self) -> OffsetDateTime {
        self.claim.signed_at
    }

    /// When the policy ends.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }
}

impl fmt::Debug for VerifiedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedForm")
            .field("access_key_id", &self.claim.access_key_id)
            .field("region", &self.claim.region)
            .field("service", &self.claim.service)
            .field("signed_at", &self.claim.signed_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
