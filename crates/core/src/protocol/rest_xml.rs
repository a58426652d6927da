//! REST with XML: the protocol of S3.

use http::response::Parts;

use super::xml::Element;
use crate::error::ServiceError;

/// Details of an error that are kept. Others may hold secrets: S3 repeats a refused session token, for one.
const DETAILS: [&str; 12] = [
    "BucketName",
    "Condition",
    "Endpoint",
    "Header",
    "Key",
    "MaxAllowedSkewMilliseconds",
    "Method",
    "Region",
    "RequestTime",
    "Resource",
    "ServerTime",
    "UploadId",
];

/// Headers that name a request, with the first that is there counting.
const REQUEST_ID_HEADERS: [&str; 3] = ["x-amz-request-id", "x-amzn-requestid", "x-amz-requestid"];

/// Reads an error: `<Error>` with `Code`, `Message`, `RequestId` and details, with or without an `<ErrorResponse>` around it.
///
/// It always gives an error. Where the body is empty, as for HEAD, or of another make, as from a proxy, the code is derived
/// from the status ("NotFound" of 404). A body that is cut short is read as far as it goes.
pub fn read_error(head: &Parts, body: &[u8]) -> ServiceError {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut error = ServiceError::new(head.status);
    let (root, _) = Element::parse_start(body);
    let found = match root.name() {
        "Error" => Some(&root),
        // S3's own wrapper, and that of the query protocol.
        "ErrorResponse" => root.child("Error"),
        "Response" => root.at(&["Errors", "Error"]),
        _ => None,
    };
    match found {
        Some(found) => {
            let text = |name: &str| found.text_of(name).or_else(|| root.text_of(name)).unwrap_or_default();
            let code = found.text_of("Code").unwrap_or_default();
            error = error.with_code(code).with_message(found.text_of("Message").unwrap_or_default());
            error = error.with_request_id(text("RequestId")).with_extended_request_id(text("HostId"));
            for name in DETAILS {
                error = error.with_detail(name, found.text_of(name).unwrap_or_default());
            }
            if let Some(bucket) = found.text_of("Bucket") {
                error = error.with_detail("BucketName", bucket);
            }
            error = error.with_signature_mismatch(found.text_of("CanonicalRequest"), found.text_of("StringToSign"));
        }
        None if body.iter().all(u8::is_ascii_whitespace) => {}
        None => error = error.with_message(&describe(head, body)),
    }
    if error.request_id().is_none() {
        let id = REQUEST_ID_HEADERS.iter().find_map(|name| header(name));
        error = error.with_request_id(id.unwrap_or_default());
    }
    if error.extended_request_id().is_none() {
        error = error.with_extended_request_id(header("x-amz-id-2").unwrap_or_default());
    }
    error.with_detail("Region", header("x-amz-bucket-region").unwrap_or_default())
}

/// What a body is that is no error of the service. Nothing of it is shown: whoever wrote it may repeat what was sent.
fn describe(head: &Parts, body: &[u8]) -> String {
    let is_page = body
        .trim_ascii_start()
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc"));
    let what = if is_page { "a web page" } else { "a body that is no error document" };
    let server = head.headers.get(http::header::SERVER).and_then(|value| value.to_str().ok());
    match server {
        Some(server) => format!("the answer is {what}, by the server {server}: a proxy may stand before the service"),
        None => format!("the answer is {what}: a proxy may stand before the service, or the endpoint be another's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> ServiceError {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        read_error(&response.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn an_error_of_s3_is_read() {
        let error = read(
            301,
            &[("x-amz-request-id", "header"), ("x-amz-id-2", "host")],
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>PermanentRedirect</Code><Message>Use the &quot;other&quot;.</Message>\
             <Endpoint>photos.s3.eu-west-1.amazonaws.com</Endpoint><Region>eu-west-1</Region><Bucket>photos</Bucket><RequestId>body</RequestId></Error>",
        );
        assert_eq!((error.status().as_u16(), error.code()), (301, "PermanentRedirect"));
        assert_eq!(error.message(), "Use the \"other\".");
        assert_eq!((error.request_id(), error.extended_request_id()), (Some("body"), Some("host")));
        assert_eq!((error.detail("BucketName"), error.detail("Region")), (Some("photos"), Some("eu-west-1")));
        assert_eq!(
            error.to_string(),
            "PermanentRedirect: Use the \"other\" (status 301, request id body, bucket photos, region eu-west-1, \
             endpoint photos.s3.eu-west-1.amazonaws.com)"
        );
    }

    #[test]
    fn a_wrapper_is_looked_through() {
        let body = "<ErrorResponse xmlns=\"urn\"><Error><Type>Sender</Type><Code>A</Code><Message>b</Message></Error><RequestId>id</RequestId></ErrorResponse>";
        let error = read(400, &[], body);
        assert_eq!((error.code(), error.message(), error.request_id()), ("A", "b", Some("id")));
    }

    #[test]
    fn an_answer_to_head_has_a_code_and_a_region() {
        let error = read(404, &[("x-amz-request-id", "id"), ("x-amz-bucket-region", "eu-west-1")], "");
        assert_eq!((error.code(), error.message(), error.request_id()), ("NotFound", "", Some("id")));
        assert_eq!(error.detail("Region"), Some("eu-west-1"));
    }

    #[test]
    fn what_a_proxy_wrote_is_told_and_not_shown() {
        let error = read(502, &[("server", "squid/6")], "<!DOCTYPE html><html><body>canary</body></html>");
        assert_eq!(error.code(), "BadGateway");
        assert!(error.message().contains("a web page, by the server squid/6"), "{error}");
        let error = read(503, &[], "{\"message\":\"canary\"}");
        assert!(!format!("{error:?}").contains("canary"), "{error}");
    }

    #[test]
    fn a_body_that_is_cut_short_is_read_as_far_as_it_goes() {
        let error = read(503, &[], "<Error><Code>SlowDown</Code><Message>Please reduce");
        assert_eq!((error.code(), error.message()), ("SlowDown", "Please reduce"));
        assert_eq!(read(503, &[], "<Error><Cod").code(), "ServiceUnavailable");
    }

    #[test]
    fn what_may_be_secret_is_dropped_or_only_named() {
        let error = read(
            403,
            &[],
            "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><AWSAccessKeyId>AKID</AWSAccessKeyId>\
             <StringToSign>canary 1</StringToSign><CanonicalRequest>PUT\n/\n\nx-amz-security-token:canary</CanonicalRequest>\
             <SignatureProvided>canary</SignatureProvided><Token-0>canary</Token-0><StringToSignBytes>canary</StringToSignBytes></Error>",
        );
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
        let view = error.signature_mismatch().unwrap();
        assert_eq!(view.string_to_sign(), Some("canary 1"));
        assert_eq!(view.canonical_request(), Some("PUT\n/\n\nx-amz-security-token:canary"));
    }
}
