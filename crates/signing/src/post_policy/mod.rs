//! Presigned POST: a form that lets a browser upload an object, within the conditions of a signed policy.

pub(crate) mod document;
pub(crate) mod json;

use std::fmt;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sigv4_free_http_transport::redact::REDACTED;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::error::{SigningError, SigningErrorKind};
use crate::sigv4::presign::expiry;
use crate::timestamp::Timestamp;
use crate::{Credentials, SigV4};

/// What S3 puts in the place of the uploaded file's name.
const FILE_NAME: &str = "${filename}";
/// A policy lives an hour unless it is told otherwise.
const DEFAULT_EXPIRY: Duration = Duration::from_secs(60 * 60);
/// Fields that the signature sets, or that no policy covers.
const RESERVED: [&str; 11] = [
    "awsaccesskeyid",
    "bucket",
    "file",
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-s3session-token",
    "x-amz-security-token",
    "x-amz-signature",
    "key",
];

/// What a browser may upload with a form, and until when.
///
/// S3 holds each field of the form against the conditions, and refuses a field that has none. Names of fields are compared
/// without regard to case.
///
/// # Example
/// ```
/// use aws_sigv4_free_signing::{Credentials, PostPolicy, SigV4};
/// use std::time::Duration;
/// use time::OffsetDateTime;
///
/// let policy = PostPolicy::new("photos", "in/${filename}")
///     .content_length(1..=10 << 20)
///     .content_type_starts_with("image/")
///     .metadata("colour", "black")
///     .success_action_status(201)
///     .expires_in(Duration::from_secs(600));
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// let form = SigV4::s3("eu-central-1").presign_post(&policy, &credentials, OffsetDateTime::UNIX_EPOCH)?;
/// // Hidden inputs of the form, in this order, before the one of the file.
/// let names: Vec<&str> = form.fields().map(|(name, _)| name).collect();
/// assert_eq!(
///     names,
///     [
///         "key", "x-amz-meta-colour", "success_action_status", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "policy",
///         "x-amz-signature"
///     ]
/// );
/// // What the page itself fills in.
/// assert_eq!(form.fields_to_fill().collect::<Vec<_>>(), ["content-type"]);
/// # Ok::<(), aws_sigv4_free_signing::SigningError>(())
/// ```
///
/// Source: "Creating an HTML form (using AWS signature version 4)" and "POST policy" in the Amazon S3 API Reference.
#[derive(Clone)]
pub struct PostPolicy {
    bucket: String,
    key: Key,
    conditions: Vec<Condition>,
    content_length: Option<RangeInclusive<u64>>,
    expires_in: Duration,
}

#[derive(Clone)]
enum Key {
    Exact(String),
    /// The field, and what it has to start with.
    FileName(String, String),
    StartsWith(String),
}

#[derive(Clone)]
enum Condition {
    /// A field of the form with this value.
    Exact(String, String),
    /// A field that the page fills in.
    StartsWith(String, String),
}

impl PostPolicy {
    /// A policy for one key. `${filename}` in it stands for the name of the file that is uploaded; then only what comes before
    /// it is certain. The form lives an hour unless [`expires_in`](Self::expires_in) says otherwise.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        let key = key.into();
        let key = match key.find(FILE_NAME) {
            Some(at) => Key::FileName(key.clone(), key[..at].to_owned()),
            None => Key::Exact(key),
        };
        Self::with_key(bucket, key)
    }

    /// A policy for keys that start with `prefix`; the page fills in the field `key`. An empty prefix allows every key.
    pub fn with_key_prefix(bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self::with_key(bucket, Key::StartsWith(prefix.into()))
    }

    fn with_key(bucket: impl Into<String>, key: Key) -> Self {
        Self { bucket: bucket.into(), key, conditions: Vec::new(), content_length: None, expires_in: DEFAULT_EXPIRY }
    }

    /// Sets how long the form can be used: 1 second to 7 days, fractions cut off. It ends sooner where the credentials do.
    #[must_use]
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = expires_in;
        self
    }

    /// Sets how large the file may be, in bytes.
    #[must_use]
    pub fn content_length(mut self, bytes: RangeInclusive<u64>) -> Self {
        self.content_length = Some(bytes);
        self
    }

    /// Sets the media type of the object.
    #[must_use]
    pub fn content_type(self, media_type: impl Into<String>) -> Self {
        self.field("content-type", media_type)
    }

    /// Lets the page set the media type of the object to one that starts with `prefix`, such as `image/`.
    #[must_use]
    pub fn content_type_starts_with(self, prefix: impl Into<String>) -> Self {
        self.starts_with("content-type", prefix)
    }

    /// Sets one entry of the object's metadata. `name` goes without `x-amz-meta-`.
    #[must_use]
    pub fn metadata(self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.field(format!("x-amz-meta-{}", name.as_ref()), value)
    }

    /// Sets the tags of the object: keys and values.
    #[must_use]
    pub fn tags<K: AsRef<str>, V: AsRef<str>>(self, tags: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut document = String::from("<Tagging><TagSet>");
        for (key, value) in tags {
            let _ = write!(
                document,
                "<Tag><Key>{}</Key><Value>{}</Value></Tag>",
                escaped(key.as_ref()),
                escaped(value.as_ref())
            );
        }
        document.push_str("</TagSet></Tagging>");
        self.field("tagging", document)
    }

    /// Sets the canned access control list, such as `public-read`. Buckets refuse it where such lists are turned off, as they
    /// are in new ones.
    #[must_use]
    pub fn acl(self, acl: impl Into<String>) -> Self {
        self.field("acl", acl)
    }

    /// Sets the status of the answer: 200, 201 (with a document that describes the object) or 204 (the default of S3).
    #[must_use]
    pub fn success_action_status(self, status: u16) -> Self {
        self.field("success_action_status", status.to_string())
    }

    /// Sets where the browser is sent after the upload; S3 adds bucket, key and entity tag to the query.
    #[must_use]
    pub fn success_action_redirect(self, url: impl Into<String>) -> Self {
        self.field("success_action_redirect", url)
    }

    /// Sets any other field to a value.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conditions.push(Condition::Exact(name.into(), value.into()));
        self
    }

    /// Lets the page fill in any other field with a value that starts with `prefix`; an empty one allows every value.
    #[must_use]
    pub fn starts_with(mut self, name: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.conditions.push(Condition::StartsWith(name.into(), prefix.into()));
        self
    }

    fn check(&self) -> Result<(), SigningError> {
        let refuse = |message: String| Err(SigningError::new(SigningErrorKind::InvalidPolicy, message));
        if self.bucket.is_empty() {
            return refuse("the bucket of the policy is empty".into());
        }
        if matches!(&self.key, Key::Exact(key) if key.is_empty()) {
            return refuse("the key of the policy is empty: name one, or allow a prefix".into());
        }
        if self.content_length.as_ref().is_some_and(RangeInclusive::is_empty) {
            return refuse("the least size of the file is above the largest".into());
        }
        let mut names: Vec<String> = Vec::new();
        for condition in &self.conditions {
            let (Condition::Exact(name, _) | Condition::StartsWith(name, _)) = condition;
            let name = name.to_ascii_lowercase();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"$".contains(&byte)) {
                return refuse("the name of a field is empty, or holds a character that it can't".into());
            }
            if RESERVED.contains(&name.as_str()) {
                return refuse(format!("the field {name} is set by the policy itself"));
            }
            if names.contains(&name) {
                return refuse(format!("the field {name} has two conditions"));
            }
            if let ("success_action_status", Condition::Exact(_, value)) = (name.as_str(), condition)
                && !["200", "201", "204"].contains(&value.as_str())
            {
                return refuse("success_action_status is none of 200, 201 and 204".into());
            }
            names.push(name);
        }
        Ok(())
    }

    /// The fields before those of the signature.
    fn fields(&self) -> Vec<(String, String)> {
        let key = match &self.key {
            Key::Exact(key) | Key::FileName(key, _) => Some(("key".to_owned(), key.clone())),
            Key::StartsWith(_) => None,
        };
        let exact = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Exact(name, value) => Some((name.clone(), value.clone())),
            Condition::StartsWith(..) => None,
        });
        key.into_iter().chain(exact).collect()
    }

    /// The policy document.
    fn document(&self, expires_at: OffsetDateTime, signature_fields: &[(&str, &str)]) -> Result<String, SigningError> {
        let mut out = String::from("{\"expiration\":");
        json::write_string(&mut out, &iso_time(expires_at)?);
        out.push_str(",\"conditions\":[");
        let mut separator = "";
        let mut equal = |out: &mut String, name: &str, value: &str| {
            out.push_str(std::mem::replace(&mut separator, ","));
            out.push('{');
            json::write_string(out, name);
            out.push(':');
            json::write_string(out, value);
            out.push('}');
        };
        let starts_with = |out: &mut String, name: &str, prefix: &str| {
            out.push_str(",[\"starts-with\",");
            json::write_string(out, &format!("${name}"));
            out.push(',');
            json::write_string(out, prefix);
            out.push(']');
        };
        equal(&mut out, "bucket", &self.bucket);
        match &self.key {
            Key::Exact(key) => equal(&mut out, "key", key),
            Key::FileName(_, prefix) | Key::StartsWith(prefix) => starts_with(&mut out, "key", prefix),
        }
        for condition in &self.conditions {
            match condition {
                Condition::Exact(name, value) => equal(&mut out, name, value),
                Condition::StartsWith(name, prefix) => starts_with(&mut out, name, prefix),
            }
        }
        if let Some(bytes) = &self.content_length {
            let _ = write!(out, ",[\"content-length-range\",{},{}]", bytes.start(), bytes.end());
        }
        for (name, value) in signature_fields {
            equal(&mut out, name, value);
        }
        out.push_str("]}");
        Ok(out)
    }
}

// A field may hold anything: only names are shown.
impl fmt::Debug for PostPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .conditions
            .iter()
            .map(|condition| {
                let (Condition::Exact(name, _) | Condition::StartsWith(name, _)) = condition;
                name.as_str()
            })
            .collect();
        f.debug_struct("PostPolicy")
            .field("bucket", &self.bucket)
            .field("fields", &names)
            .field("content_length", &self.content_length)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl SigV4 {
    /// Signs a policy: the fields of a form with which whoever has them can upload what the policy allows.
    ///
    /// The form is sent as `multipart/form-data` to the URL of the bucket, the file as its last field.
    ///
    /// # Errors
    /// [`InvalidPolicy`](SigningErrorKind::InvalidPolicy), [`InvalidExpiry`](SigningErrorKind::InvalidExpiry), and those of the
    /// credentials and the scope.
    ///
    /// Source: "Authenticating Requests: Browser-Based Uploads Using POST" in the Amazon S3 API Reference.
    pub fn presign_post(
        &self,
        policy: &PostPolicy,
        credentials: &Credentials,
        now: OffsetDateTime,
    ) -> Result<PostForm, SigningError> {
        policy.check()?;
        let token_field = self.form_token_field().ok_or_else(|| {
            let message = "forms are signed with AWS4-HMAC-SHA256 only, and this signer is for another algorithm";
            SigningError::new(SigningErrorKind::InvalidPolicy, message)
        })?;
        let seconds = expiry(policy.expires_in).map_err(|error| {
            let message = error.to_string().replace("presigned URL", "presigned form");
            SigningError::new(error.kind(), message)
        })?;
        let timestamp = Timestamp::new(now)?;
        let expires_at = now.checked_add(time::Duration::seconds(i64::from(seconds))).ok_or_else(|| {
            SigningError::new(SigningErrorKind::InvalidTime, "the policy would end after the year 9999")
        })?;
        let date = String::from_utf8_lossy(timestamp.as_bytes()).into_owned();
        let credential =
            format!("{}/{}/{}/{}/aws4_request", credentials.access_key_id(), &date[..8], self.region(), self.service());
        let mut of_signature =
            vec![("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", &credential), ("x-amz-date", &date)];
        if let Some(token) = credentials.session_token() {
            of_signature.push((token_field, token.expose_secret()));
        }
        let document = policy.document(expires_at, &of_signature)?;
        let encoded = STANDARD.encode(&document);
        let signature = self.sign_text(encoded.as_bytes(), credentials, timestamp.day())?;
        let mut fields = policy.fields();
        fields.extend(of_signature.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        fields.push(("policy".to_owned(), encoded));
        fields.push(("x-amz-signature".to_owned(), String::from_utf8_lossy(&signature).into_owned()));
        let open_key = matches!(policy.key, Key::StartsWith(_)).then(|| "key".to_owned());
        let open = policy.conditions.iter().filter_map(|condition| match condition {
            Condition::StartsWith(name, _) => Some(name.clone()),
            Condition::Exact(..) => None,
        });
        Ok(PostForm { fields, to_fill: open_key.into_iter().chain(open).collect(), document, expires_at })
    }
}

/// The fields of a form that S3 accepts. Whoever has them can upload until they expire: `Debug` shows no value of a field.
#[derive(Clone, PartialEq, Eq)]
pub struct PostForm {
    fields: Vec<(String, String)>,
    to_fill: Vec<String>,
    document: String,
    expires_at: OffsetDateTime,
}

impl PostForm {
    /// The fields with their values, in order: those of the object, then `x-amz-algorithm`, `x-amz-credential`, `x-amz-date`,
    /// `x-amz-security-token` where there is a token, `policy`, `x-amz-signature`. The file comes after them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The fields, taken out.
    pub fn into_fields(self) -> Vec<(String, String)> {
        self.fields
    }

    /// The names of the fields that the page has to fill in, since the policy leaves their values open.
    pub fn fields_to_fill(&self) -> impl Iterator<Item = &str> {
        self.to_fill.iter().map(String::as_str)
    }

    /// The policy document: JSON. It holds the session token, where there is one.
    pub fn policy(&self) -> &str {
        &self.document
    }

    /// When the form ends.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }
}

impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<(&str, &str)> = self.fields().map(|(name, _)| (name, REDACTED)).collect();
        f.debug_struct("PostForm")
            .field("fields", &fields)
            .field("to_fill", &self.to_fill)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// `2015-08-30T12:36:00Z`.
fn iso_time(at: OffsetDateTime) -> Result<String, SigningError> {
    let timestamp = Timestamp::new(at)?;
    let digits = String::from_utf8_lossy(timestamp.as_bytes()).into_owned();
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    Ok(format!("{}-{}-{}T{}:{}:{}Z", part(0..4), part(4..6), part(6..8), part(9..11), part(11..13), part(13..15)))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A parser would turn these into spaces or line breaks.
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests;
