//! `object_store`, the stores of Apache Arrow.

use std::sync::Arc;

use http::Method;
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredential};
use object_store::client::{ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest};
use object_store::client::{HttpResponse, HttpService};
use object_store::path::Path;
use object_store::signer::Signer as _;

use super::at_once;
use crate::check::Signed;
use crate::harness::Contender;
use crate::operation::{ACCESS_KEY, BUCKET, EXPIRES_IN, KEY, Operation, REGION, SECRET_KEY};

const NAME: &str = "object_store 0.14.2";

pub(super) fn contender(operation: Operation) -> Option<Contender> {
    if operation == Operation::ColdKey {
        return None;
    }
    if operation == Operation::Presign {
        let store = AmazonS3Builder::new()
            .with_region(REGION)
            .with_bucket_name(BUCKET)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_virtual_hosted_style_request(true)
            .with_http_connector(Nowhere)
            .build()
            .expect("a store");
        return Some(Contender::new(
            NAME,
            || Path::from(KEY),
            move |path| at_once(store.signed_url(Method::GET, path, EXPIRES_IN)).expect("presigned").to_string(),
            |_, url| Signed::Url(url),
        ));
    }
    let credential = Arc::new(AwsCredential {
        key_id: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        token: operation.token(),
    });
    let request = operation.request();
    let input = move || -> HttpRequest { request.clone().map(Into::into) };
    let run = move |request: &mut HttpRequest| {
        AwsAuthorizer::new(&credential, "s3", REGION).try_authorize(request, None).expect("signed");
    };
    Some(Contender::new(NAME, input, run, |request, ()| Signed::Headers(request.into_parts().0.headers)))
}

/// The HTTP client of a store that is never used.
#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Self))
    }
}

#[async_trait::async_trait]
impl HttpService for Nowhere {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, std::io::Error::other("nothing is sent")))
    }
}
