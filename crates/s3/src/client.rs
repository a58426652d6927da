//! The client: where requests go, how they are signed, and what is remembered between them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_sigv4_free_core::call::{self, CallSummary, Caller, ErrorInSuccess, PayloadHash, Prepared};
use aws_sigv4_free_core::endpoint::{Endpoint, EndpointKind, EndpointRules, Region};
use aws_sigv4_free_core::settings::{AddressingStyle, ChecksumMode};
use aws_sigv4_free_core::{Error, ErrorKind, ServiceError};
use aws_sigv4_free_http_transport::{Body, Request, Response};
use aws_sigv4_free_signing::{PresignedUrl, SigV4};
use http::response;
use http::uri::Scheme;

use crate::address;
use crate::bucket::Bucket;
use crate::builder::{PayloadSigning, S3Builder};
use crate::call::{Call, Content, Context, Draft, Operation, Purpose, Target};
use crate::name::{self, NameRules};
use crate::operation::ListBuckets;

/// How many buckets' regions, and signers of regions, are remembered.
const REMEMBERED: usize = 4096;

/// A client of S3, or of a store that speaks it. A clone is cheap and shares everything.
///
/// # Example
/// ```no_run
/// use aws_sigv4_free_s3::S3;
///
/// # async fn example() -> Result<(), aws_sigv4_free_s3::Error> {
/// let s3 = S3::from_env().await?;
/// let mut buckets = s3.list_buckets().await;
/// while let Some(bucket) = buckets.try_next().await? {
///     println!("{}", bucket.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct S3(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) caller: Caller,
    pub(crate) region: Region,
    pub(crate) rules: EndpointRules,
    pub(crate) endpoint: Endpoint,
    pub(crate) signer: Arc<SigV4>,
    pub(crate) addressing: AddressingStyle,
    pub(crate) request_checksum: ChecksumMode,
    pub(crate) response_checksum: ChecksumMode,
    pub(crate) payload_signing: PayloadSigning,
    pub(crate) remembered: RwLock<Remembered>,
}

/// What was learnt from answers.
#[derive(Default)]
pub(crate) struct Remembered {
    regions: HashMap<String, Region>,
    signers: HashMap<Region, Arc<SigV4>>,
}

impl S3 {
    /// A client with the region, endpoint, identity and other settings of the environment and the AWS configuration files,
    /// as every AWS tool has them. The region is `us-east-1` where none is set.
    ///
    /// Nothing is sent: credentials are looked for when the first request is made.
    ///
    /// # Errors
    /// A setting or a configuration file can't be used; or the crate was built without the feature `hyper`.
    pub async fn from_env() -> Result<Self, Error> {
        crate::off_thread::run(|| Self::builder().build()).await?
    }

    /// A client to be set up. What is not set comes from the environment and the AWS configuration files.
    pub fn builder() -> S3Builder {
        S3Builder::default()
    }

    /// A bucket, which need not exist. Its name is checked by the operations on it.
    pub fn bucket(&self, name: impl Into<String>) -> Bucket {
        Bucket::new(self, name.into())
    }

    /// The buckets of the identity's account: a stream, over as many requests as it takes.
    ///
    /// API: [`ListBuckets`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html).
    pub fn list_buckets(&self) -> Call<ListBuckets> {
        Call::new(self, Target::default(), ListBuckets::default())
    }

    /// The region of requests, where nothing better is known of a bucket.
    pub fn region(&self) -> &Region {
        &self.0.region
    }

    /// Where requests go, in that region.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The way to the network that all calls share.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn request_checksum(&self) -> ChecksumMode {
        self.0.request_checksum
    }

    pub(crate) fn response_checksum(&self) -> ChecksumMode {
        self.0.response_checksum
    }

    pub(crate) fn is_aws(&self) -> bool {
        self.0.endpoint.kind() == EndpointKind::Aws
    }

    /// Whether an object's bytes have to be signed: where nothing else protects them on their way.
    pub(crate) fn signs_objects(&self) -> bool {
        match self.0.payload_signing {
            PayloadSigning::Signed => true,
            PayloadSigning::Unsigned => false,
            PayloadSigning::Auto => self.0.endpoint.scheme() != &Scheme::HTTPS,
        }
    }

    pub(crate) async fn call<O: Operation>(&self, target: &Target, operation: &O) -> Result<Response, Error> {
        let asked = self.region_of(target);
        let response = self.0.caller.call(&Bound { client: self, target, operation }, &asked).await?;
        if let (Some(summary), Some(bucket)) = (response.extensions().get::<CallSummary>(), &target.bucket)
            && (summary.region != asked || target.region.is_some())
        {
            self.remember(bucket, &summary.region);
        }
        Ok(response)
    }

    pub(crate) async fn presign<O: Operation>(
        &self,
        target: &Target,
        operation: &O,
        expires_in: Duration,
    ) -> Result<PresignedUrl, Error> {
        let in_operation = |error: Error| error.in_operation("s3", O::NAME);
        let region = self.region_of(target);
        let prepared = self.prepare(target, operation, &region, Purpose::Presign).map_err(in_operation)?;
        let caller = &self.0.caller;
        let credentials = caller.identity().await.map_err(in_operation)?.ok_or_else(|| {
            let message = "a presigned URL needs credentials, and this client is anonymous";
            in_operation(Error::new(ErrorKind::Credentials, message))
        })?;
        let now = caller.now();
        let signed = prepared.signer.presign(&prepared.request, expires_in, &credentials, now);
        let url = signed.map_err(|error| {
            // The signer's own words say what is wrong with the argument.
            in_operation(Error::invalid_input(error.to_string()).with_source(error))
        })?;
        if let Some(end) = credentials.expires_at() {
            if end <= now {
                let message = "a presigned URL needs credentials that have not expired: log in again, or renew them";
                return Err(in_operation(Error::new(ErrorKind::Credentials, message)));
            }
            if end - now < expires_in {
                let seconds = (end - now).whole_seconds();
                tracing::warn!("the presigned URL ends with its temporary credentials, in {seconds} s");
            }
        }
        Ok(url)
    }

    fn prepare<O: Operation>(
        &self,
        target: &Target,
        operation: &O,
        region: &Region,
        purpose: Purpose,
    ) -> Result<Prepared, Error> {
        let endpoint = self.endpoint_in(region)?;
        if let Some(bucket) = &target.bucket {
            let rules = match endpoint.kind() {
                EndpointKind::Aws if O::CREATES_BUCKET => NameRules::Create,
                _ => address::name_rules(self.0.addressing, &endpoint),
            };
            name::check_bucket(bucket, rules).map_err(Error::invalid_input)?;
        }
        if let Some(key) = &target.key {
            name::check_key(key).map_err(Error::invalid_input)?;
        }
        let draft = operation.draft(Context { client: self, region, purpose })?;
        let Draft { method, query, headers, body, content } = draft;
        let uri = address::uri(self.0.addressing, &endpoint, target.bucket.as_deref(), target.key.as_deref(), &query)?;
        let payload = match content {
            Content::Document => PayloadHash::Body,
            Content::Object { .. } | Content::Unsigned if body.length() == Some(0) => PayloadHash::Body,
            Content::Unsigned => PayloadHash::Unsigned,
            Content::Object { .. } if !self.signs_objects() => PayloadHash::Unsigned,
            Content::Object { sha256: Some(hash) } => PayloadHash::Sha256(hash),
            Content::Object { sha256: None } => PayloadHash::Body,
        };
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        *request.body_mut() = body;
        Ok(Prepared { request, signer: self.signer_in(region), payload })
    }

    fn region_of(&self, target: &Target) -> Region {
        if let Some(region) = &target.region {
            return region.clone();
        }
        let remembered = self.0.remembered.read().unwrap_or_else(PoisonError::into_inner);
        let found = target.bucket.as_ref().and_then(|bucket| remembered.regions.get(bucket));
        found.unwrap_or(&self.0.region).clone()
    }

    pub(crate) fn remember(&self, bucket: &str, region: &Region) {
        let mut remembered = self.0.remembered.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever walks through more buckets than this asks some of them again.
        if remembered.regions.len() >= REMEMBERED {
            remembered.regions.clear();
        }
        remembered.regions.insert(bucket.to_owned(), region.clone());
    }

    /// The endpoint of a region. A store of one's own has one endpoint, whatever it calls its regions.
    fn endpoint_in(&self, region: &Region) -> Result<Cow<'_, Endpoint>, Error> {
        if *region == self.0.region || !self.is_aws() {
            return Ok(Cow::Borrowed(&self.0.endpoint));
        }
        Ok(Cow::Owned(self.0.rules.resolve("s3", region)?))
    }

    fn signer_in(&self, region: &Region) -> Arc<SigV4> {
        if *region == self.0.region {
            return Arc::clone(&self.0.signer);
        }
        if let Some(signer) = self.0.remembered.read().unwrap_or_else(PoisonError::into_inner).signers.get(region) {
            return Arc::clone(signer);
        }
        let signer = Arc::new(SigV4::s3(region.as_str().to_owned()));
        let mut remembered = self.0.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.signers.len() >= REMEMBERED {
            remembered.signers.clear();
        }
        Arc::clone(remembered.signers.entry(region.clone()).or_insert(signer))
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.0.endpoint)
            .field("addressing", &self.0.addressing)
            .field("request_checksum", &self.0.request_checksum)
            .field("response_checksum", &self.0.response_checksum)
            .field("payload_signing", &self.0.payload_signing)
            .field("caller", &self.0.caller)
            .finish()
    }
}

/// An operation with its client and its target: what the pipeline calls.
struct Bound<'a, O> {
    client: &'a S3,
    target: &'a Target,
    operation: &'a O,
}

impl<O: Operation> call::Operation for Bound<'_, O> {
    fn service(&self) -> &'static str {
        "s3"
    }

    fn name(&self) -> &'static str {
        O::NAME
    }

    fn prepare(&self, region: &Region) -> Result<Prepared, Error> {
        self.client.prepare(self.target, self.operation, region, Purpose::Send)
    }

    fn read_error(&self, head: &response::Parts, body: &[u8]) -> ServiceError {
        crate::call::read_error(self.target, head, body)
    }

    fn error_in_success(&self) -> ErrorInSuccess {
        O::ERROR_IN_SUCCESS
    }

    fn redirected_region(&self, head: &response::Parts, error: &ServiceError) -> Option<Region> {
        crate::call::redirected_region(head, error).filter(|_| O::FOLLOWS_REGION)
    }
}
