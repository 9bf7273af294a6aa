//! Bytes in a bucket of a store that speaks S3: Amazon's, MinIO, Ceph, Garage and others.
//!
//! - [`Place`] is where they lie, as `s3://bucket/prefix` and an endpoint say.
//! - [`Bucket`] puts, gets, copies and deletes one object a call, and lists a page of them. Each
//!   call ends within [`TIME_LIMIT`], that of a whole file or a copy within more; no more of them
//!   than [`MAX_CALLS`] are under way at once, and who finds no place is told so within that time.
//!
//! Only these calls are made, and nothing is asked of the store beyond them: no conditions, no
//! multipart. Attachments need the first three only. They are signed by `rusty-s3`, with signed
//! addresses that hold for a minute; how they are encrypted where they lie is the bucket's
//! business.
#![warn(clippy::missing_errors_doc)]

mod bucket;
mod place;

pub use bucket::{Bucket, Failure, InvalidAuthority, Listed, MAX_CALLS, MAX_OBJECT, ObjectPage, TIME_LIMIT};
pub use place::{Credentials, InvalidPlace, Place};
