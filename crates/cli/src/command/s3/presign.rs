//! `sigv4 s3 presign`.

use std::time::Duration;

use aws_sigv4_free_http_transport::Body;
use clap::{Args, ValueEnum};
use time::format_description::well_known::Rfc3339;

use crate::context::{Context, call_failure};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::s3_uri::S3Uri;

/// The options of `presign`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sigv4 s3 presign s3://photos/cat.jpg
  sigv4 s3 presign s3://photos/cat.jpg --expires-in 604800
  curl -T cat.jpg \"$(sigv4 s3 presign s3://photos/cat.jpg --method PUT)\"

Nothing is sent: the object need not exist. Whoever has the URL can use it: treat it as a password.")]
pub(crate) struct Arguments {
    #[arg(value_name = "S3URI")]
    uri: S3Uri,

    /// How long the URL works: 1 to 604800 seconds; no longer than the credentials do
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    expires_in: u64,

    /// What the URL is for
    #[arg(long, value_enum, value_name = "METHOD", default_value = "GET", ignore_case = true)]
    method: Method,

    /// The content type that an upload has to have
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Method {
    /// Read the object
    Get,
    /// Store the object
    Put,
    /// Ask for its size and metadata
    Head,
    /// Delete it
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Head => "HEAD",
            Self::Delete => "DELETE",
        }
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let uri = &arguments.uri;
    if uri.key.is_empty() {
        return Err(Failure::usage(format!("the key is missing: write s3://{}/key", uri.bucket)));
    }
    if arguments.content_type.is_some() && arguments.method != Method::Put {
        return Err(Failure::usage("--content-type belongs to --method PUT"));
    }
    if context.global.no_sign_request {
        return Err(Failure::usage("a presigned URL is a signature: --no-sign-request leaves nothing of it"));
    }
    let s3 = super::client(context)?;
    let object = s3.bucket(&uri.bucket).object(&uri.key);
    let expires_in = Duration::from_secs(arguments.expires_in);
    let url = context.block_on(async {
        let url = match arguments.method {
            Method::Get => object.presign_get(expires_in).await,
            Method::Put => {
                let mut put = object.put(Body::empty());
                if let Some(content_type) = &arguments.content_type {
                    put = put.content_type(content_type);
                }
                put.presign(expires_in).await
            }
            Method::Head => object.presign_head(expires_in).await,
            Method::Delete => object.presign_delete(expires_in).await,
        };
        url.map_err(|error| call_failure(&error))
    })?;
    let expires_at = context.now().checked_add(time::Duration::seconds(arguments.expires_in.cast_signed()));
    let expires_at = expires_at.and_then(|at| at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok());
    let fields = [
        ("Method", arguments.method.as_str().into()),
        ("Url", url.as_str().into()),
        ("ExpiresAt", expires_at.map_or(serde_json::Value::Null, Into::into)),
    ];
    Output::new().record(context.global.output, &fields, url.as_str())?;
    Ok(Exit::Success)
}
