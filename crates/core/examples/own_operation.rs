//! An operation of your own: STS GetCallerIdentity, of a service that has no crate here.
//!
//! `AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... cargo run --example own_operation --features hyper`

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use aws_sigv4_free_core::call::{Caller, Operation, PayloadHash, Prepared};
use aws_sigv4_free_core::endpoint::{EndpointRules, Region};
use aws_sigv4_free_core::environment::Env;
use aws_sigv4_free_core::identity::Credentials;
use aws_sigv4_free_core::protocol::{rest_xml, xml};
use aws_sigv4_free_core::{Error, ServiceError};
use aws_sigv4_free_http_transport::Body;
use aws_sigv4_free_http_transport::hyper::HyperTransport;
use aws_sigv4_free_signing::SigV4;

struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    fn service(&self) -> &'static str {
        "sts"
    }

    fn name(&self) -> &'static str {
        "GetCallerIdentity"
    }

    fn prepare(&self, region: &Region) -> Result<Prepared, Error> {
        let endpoint = EndpointRules::new().resolve("sts", region)?;
        let request = http::Request::post(endpoint.uri("/")?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("Action=GetCallerIdentity&Version=2011-06-15"))
            .map_err(|cause| Error::invalid_input("the request can't be made").with_source(cause))?;
        let signer = Arc::new(SigV4::new("sts", region.to_string()));
        Ok(Prepared { request, signer, payload: PayloadHash::Body })
    }

    fn read_error(&self, head: &http::response::Parts, body: &[u8]) -> ServiceError {
        rest_xml::read_error(head, body)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let env = Env::process();
    let id = env.get("AWS_ACCESS_KEY_ID").ok_or("set AWS_ACCESS_KEY_ID")?;
    let secret = env.get("AWS_SECRET_ACCESS_KEY").ok_or("set AWS_SECRET_ACCESS_KEY")?;
    let mut credentials = Credentials::new(id, secret);
    if let Some(token) = env.get("AWS_SESSION_TOKEN") {
        credentials = credentials.with_session_token(token);
    }
    let region = Region::new(env.get("AWS_REGION").as_deref().unwrap_or("us-east-1"))?;

    let caller = Caller::builder(Arc::new(HyperTransport::new()?)).credentials(Arc::new(credentials)).build()?;
    let response = caller.call(&GetCallerIdentity, &region).await?;

    let body = response.into_body().collect(1 << 20).await?;
    let answer = xml::Element::parse(&body)?;
    let arn = answer.at(&["GetCallerIdentityResult", "Arn"]).ok_or("the answer names no identity")?;
    println!("{}", arn.text());
    Ok(())
}
