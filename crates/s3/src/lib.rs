#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod bucket;
mod builder;
mod call;
mod checksum;
mod client;
mod date;
mod encode;
mod error;
mod file;
mod local_path;
mod metadata;
mod name;
mod object;
mod off_thread;
mod operation;
#[cfg(test)]
mod test_support;
mod xml;

pub use aws_sigv4_free_core::call::RetryPolicy;
pub use aws_sigv4_free_core::clock::Clock;
pub use aws_sigv4_free_core::endpoint::Region;
pub use aws_sigv4_free_core::identity::{Credentials, ProvideCredentials};
pub use aws_sigv4_free_core::settings::{AddressingStyle, ChecksumMode, Settings};
pub use aws_sigv4_free_core::{Error, ErrorKind, ServiceError};
pub use aws_sigv4_free_http_transport::{Body, Bytes, ChunkSource, Transport};
pub use aws_sigv4_free_signing::PresignedUrl;
pub use bucket::{Bucket, BucketState};
pub use builder::{PayloadSigning, S3Builder};
pub use call::Call;
pub use checksum::{Checksum, ChecksumAlgorithm};
pub use client::S3;
pub use error::{ErrorExt, S3ErrorCode};
pub use file::target::Durability;
pub use local_path::{UnsafeKey, local_path};
pub use metadata::ObjectInfo;
pub use object::Object;
pub use operation::{
    BucketList, BucketPage, BucketSummary, ContentMd5, CopyObject, CopyObjectOutput, CopySource, CreateBucket,
    DeleteBucket, DeleteFailure, DeleteObject, DeleteObjectOutput, DeleteObjects, DeleteObjectsOutput, DeletedObject,
    Download, GetObject, HeadBucket, HeadBucketOutput, HeadObject, ListBuckets, ListObjects, ObjectList, ObjectPage,
    ObjectSummary, ObjectToDelete, PutObject, PutObjectOutput,
};
