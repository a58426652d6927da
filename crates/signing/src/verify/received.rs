//! A request as it arrived.

use http::Uri;

use super::{VerificationError, VerificationErrorKind as Kind};
use crate::claim::{self, Claim};
use crate::sigv4::RawRequest;
use crate::sigv4::canonical::Headers;
use crate::sigv4::headers::host_of;
use crate::sigv4::raw::Url;

/// The parts of a request as they arrived.
pub(super) struct Received<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// Lower-case names and values, in the order of their arrival.
    pub(super) headers: Vec<(&'a str, &'a [u8])>,
    /// The host of the URL, where no header names it: requests of HTTP/2 have none.
    authority: Option<String>,
}

impl<'a> Received<'a> {
    pub(super) fn of_http<B>(request: &'a http::Request<B>) -> Result<Self, VerificationError> {
        let uri: &Uri = request.uri();
        let host = host_of(uri).map_err(|error| VerificationError::new(Kind::Malformed, error.to_string()))?;
        Ok(Self {
            method: request.method().as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers: request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
            authority: host.map(str::to_owned),
        })
    }

    pub(super) fn of_raw(request: &'a RawRequest) -> Result<Self, VerificationError> {
        let url = request.url();
        let (path, query, authority) = if url.starts_with('/') {
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            (path, query, None)
        } else {
            let url = Url::parse(url).map_err(|error| VerificationError::new(Kind::Malformed, error.to_string()))?;
            (url.path, url.query.unwrap_or(""), Some(url.host()))
        };
        Ok(Self { method: request.method(), path, query, headers: request.headers().collect(), authority })
    }

    /// The one signature that the request carries.
    pub(super) fn claim(&self) -> Result<(Claim, Place), VerificationError> {
        match (Claim::in_headers(&self.headers)?, Claim::in_query(self.query)?) {
            (Some(claim), None) => Ok((claim, Place::Headers)),
            (None, Some(claim)) => Ok((claim, Place::Query)),
            (None, None) => Err(VerificationError::new(Kind::NotSigned, "the request carries no signature")),
            (Some(_), Some(_)) => {
                let message = "the request carries a signature in its headers and another in its query: one is allowed";
                Err(VerificationError::new(Kind::Malformed, message))
            }
        }
    }

    /// The headers that the signature covers, as they arrived.
    pub(super) fn signed_headers<'b>(&'b self, claim: &'b Claim) -> Result<Headers<'b>, VerificationError> {
        let mut headers = Headers::new();
        for name in &claim.signed_headers {
            let mut found = false;
            for (_, value) in self.headers.iter().filter(|(other, _)| other == name) {
                headers.push(name, value);
                found = true;
            }
            match (&self.authority, name.as_str()) {
                _ if found => {}
                (Some(authority), "host") => headers.push("host", authority.as_bytes()),
                _ => {
                    let shown: String = name.chars().take(64).filter(char::is_ascii_graphic).collect();
                    let message = format!("the signature covers the header {shown}, which did not arrive");
                    return Err(VerificationError::new(Kind::Missing, message));
                }
            }
        }
        headers.sort();
        Ok(headers)
    }

    /// The one value of a header or, failing that, of the parameter of the same name.
    pub(super) fn value(&self, header: &'static str) -> Result<Option<String>, VerificationError> {
        if let Some(value) = claim::header(&self.headers, header)? {
            return Ok(Some(value.to_owned()));
        }
        let mut found = claim::pairs(self.query).filter(|(name, _)| claim::decode(name).eq_ignore_ascii_case(header));
        let value = found.next().map(|(_, value)| claim::decode(value));
        match found.next() {
            Some(_) => Err(claim::Fault::Repeated(header).into()),
            None => Ok(value),
        }
    }
}

/// Where a signature stands.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the header `authorization`.
    Headers,
    /// In the query: a presigned URL.
    Query,
}
