//! The setters that the operations share which store an object.

use super::{CopyObject, PutObject};
use crate::call::Call;

macro_rules! object_headers {
    ($operation:ty) => {
        impl Call<$operation> {
            /// Stores `value` under the user's own `name`, which is kept in lower case. Both are printable ASCII; all of them
            /// together have at most 2 KiB.
            pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.metadata(name, value))
            }

            /// Sets `Content-Type`, "image/jpeg".
            pub fn content_type(self, content_type: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("content-type", content_type))
            }

            /// Sets `Cache-Control`, "max-age=3600".
            pub fn cache_control(self, cache_control: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("cache-control", cache_control))
            }

            /// Sets `Content-Disposition`, "attachment; filename=cat.jpg".
            pub fn content_disposition(self, content_disposition: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("content-disposition", content_disposition))
            }

            /// Sets `Content-Encoding`, "gzip". The bytes are stored as they are.
            pub fn content_encoding(self, content_encoding: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("content-encoding", content_encoding))
            }

            /// Sets `Content-Language`, "de".
            pub fn content_language(self, content_language: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("content-language", content_language))
            }

            /// Sets `Expires`, for caches.
            pub fn expires(self, instant: time::OffsetDateTime) -> Self {
                self.with(|operation| operation.headers.header("expires", crate::date::format_http_date(instant)))
            }

            /// Sets the storage class, "STANDARD_IA".
            pub fn storage_class(self, storage_class: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header("x-amz-storage-class", storage_class))
            }

            /// Sets any other header that the operation knows, "x-amz-server-side-encryption". It is signed. Headers that the
            /// client sets itself are refused.
            pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.with(|operation| operation.headers.header(name, value))
            }
        }
    };
}

object_headers!(PutObject);
object_headers!(CopyObject);
