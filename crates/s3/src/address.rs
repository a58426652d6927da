//! Where a bucket and its objects are: host, path, query.

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::endpoint::{Endpoint, EndpointKind};
use aws_sigv4_free_core::settings::AddressingStyle;
use http::Uri;

use crate::encode;
use crate::name::{self, NameRules};

/// The query of a request, percent-encoded as it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    /// Adds a name without a value, as sub-resources are: `?uploads`.
    pub(crate) fn flag(mut self, name: &str) -> Self {
        self.separate();
        self.0.push_str(&encode::query(name));
        self.0.push('=');
        self
    }

    /// Adds a name with its value.
    pub(crate) fn pair(self, name: &str, value: &str) -> Self {
        let mut query = self.flag(name);
        query.0.push_str(&encode::query(value));
        query
    }

    /// Adds a name with its value, if there is one.
    pub(crate) fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
    }
}

/// How strictly names of buckets are judged that are used, not created.
pub(crate) fn name_rules(style: AddressingStyle, endpoint: &Endpoint) -> NameRules {
    // Whoever asks for path style on AWS may have a bucket from before today's rules.
    let legacy = endpoint.kind() == EndpointKind::Custom || style == AddressingStyle::Path;
    if legacy { NameRules::Legacy } else { NameRules::Use }
}

/// The URI of a bucket's object, of a bucket, or of the service.
///
/// `Auto` puts the bucket into the host where that works. It does not work for names that no host has, for names with a
/// period over HTTPS (no certificate matches), and where the endpoint is an IP address, `localhost` or a name without a
/// period.
pub(crate) fn uri(
    style: AddressingStyle,
    endpoint: &Endpoint,
    bucket: Option<&str>,
    key: Option<&str>,
    query: &Query,
) -> Result<Uri, Error> {
    let mut path = String::from("/");
    let mut host = None;
    if let Some(bucket) = bucket {
        if is_virtual_host(style, endpoint, bucket) {
            host = Some(endpoint.with_host_prefix(bucket).map_err(|error| {
                Error::invalid_input(format!("the bucket {} can't be addressed by its host", name::shown(bucket)))
                    .with_source(error)
            })?);
        } else {
            path.push_str(&encode::query(bucket));
            if key.is_some() {
                path.push('/');
            }
        }
    }
    if let Some(key) = key {
        path.push_str(&encode::path(key));
    }
    if !query.0.is_empty() {
        path.push('?');
        path.push_str(&query.0);
    }
    Ok(host.as_ref().unwrap_or(endpoint).uri(&path)?)
}

fn is_virtual_host(style: AddressingStyle, endpoint: &Endpoint, bucket: &str) -> bool {
    match style {
        AddressingStyle::Path => false,
        AddressingStyle::Virtual => true,
        _ => {
            let host = endpoint.host().trim_end_matches('.');
            let takes_prefixes = host.contains('.') && !endpoint.is_ip_address();
            let covered = !bucket.contains('.') || endpoint.scheme() != &http::uri::Scheme::HTTPS;
            takes_prefixes && covered && name::is_host_label(bucket)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4_free_core::endpoint::{EndpointRules, Region};

    fn aws() -> Endpoint {
        EndpointRules::new().resolve("s3", &Region::new("eu-west-1").unwrap()).unwrap()
    }

    fn custom(url: &str) -> Endpoint {
        EndpointRules::new()
            .endpoint_url(url.parse().unwrap())
            .resolve("s3", &Region::new("us-east-1").unwrap())
            .unwrap()
    }

    #[track_caller]
    fn check(addressing: AddressingStyle, endpoint: &Endpoint, bucket: &str, key: Option<&str>, expected: &str) {
        let found = uri(addressing, endpoint, Some(bucket), key, &Query::default()).unwrap();
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn aws_takes_buckets_in_the_host_where_a_certificate_matches() {
        let auto = AddressingStyle::Auto;
        check(auto, &aws(), "photos", None, "https://photos.s3.eu-west-1.amazonaws.com/");
        check(auto, &aws(), "photos", Some("cat.jpg"), "https://photos.s3.eu-west-1.amazonaws.com/cat.jpg");
        check(auto, &aws(), "my.photos", Some("a"), "https://s3.eu-west-1.amazonaws.com/my.photos/a");
        check(
            AddressingStyle::Path,
            &aws(),
            "Old_Photos",
            Some("a"),
            "https://s3.eu-west-1.amazonaws.com/Old_Photos/a",
        );
        check(AddressingStyle::Virtual, &aws(), "my.photos", None, "https://my.photos.s3.eu-west-1.amazonaws.com/");
    }

    #[test]
    fn a_custom_endpoint_takes_them_in_the_host_only_if_it_can() {
        let auto = AddressingStyle::Auto;
        check(auto, &custom("http://127.0.0.1:9000"), "photos", Some("a"), "http://127.0.0.1:9000/photos/a");
        check(auto, &custom("http://[::1]:9000"), "photos", None, "http://[::1]:9000/photos");
        check(auto, &custom("http://localhost:9000"), "photos", Some("a"), "http://localhost:9000/photos/a");
        check(auto, &custom("http://minio:9000"), "photos", Some("a"), "http://minio:9000/photos/a");
        check(auto, &custom("https://s3.example.com"), "photos", Some("a"), "https://photos.s3.example.com/a");
        check(auto, &custom("https://s3.example.com"), "Photos", Some("a"), "https://s3.example.com/Photos/a");
        check(auto, &custom("http://s3.example.com"), "my.photos", None, "http://my.photos.s3.example.com/");
        check(auto, &custom("http://h.example/services/s3"), "t:b", Some("a"), "http://h.example/services/s3/t%3Ab/a");
        check(AddressingStyle::Virtual, &custom("http://localhost:1"), "abc", None, "http://abc.localhost:1/");
    }

    #[test]
    fn a_key_is_sent_as_it_is() {
        let check = |key, path: &str| {
            check(AddressingStyle::Path, &custom("http://h"), "b", Some(key), &format!("http://h/b/{path}"));
            check(AddressingStyle::Virtual, &custom("http://h"), "b", Some(key), &format!("http://b.h/{path}"));
        };
        check("a//b", "a//b");
        check("../a/./b/..", "../a/./b/..");
        check("/lead", "/lead");
        check("trail/", "trail/");
        check("a b+c=d%2b?#é", "a%20b%2Bc%3Dd%252b%3F%23%C3%A9");
        check("\r\n\0\u{7f}", "%0D%0A%00%7F");
    }

    #[test]
    fn a_name_that_is_no_host_is_refused_and_named() {
        let error = uri(AddressingStyle::Virtual, &aws(), Some("evil.example/"), None, &Query::default()).unwrap_err();
        assert!(error.to_string().contains("\"evil.example/\""), "{error}");
        assert!(
            uri(AddressingStyle::Virtual, &custom("http://127.0.0.1"), Some("abc"), None, &Query::default()).is_err()
        );
    }

    #[test]
    fn a_query_is_encoded() {
        let query =
            Query::default().flag("uploads").pair("prefix", "a/b c").optional("x", None).optional("y", Some(""));
        let found = uri(AddressingStyle::Path, &custom("http://h"), Some("b"), None, &query).unwrap();
        assert_eq!(found.to_string(), "http://h/b?uploads=&prefix=a%2Fb%20c&y=");
        assert_eq!(
            uri(AddressingStyle::Auto, &aws(), None, None, &Query::default()).unwrap(),
            "https://s3.eu-west-1.amazonaws.com/"
        );
    }
}
