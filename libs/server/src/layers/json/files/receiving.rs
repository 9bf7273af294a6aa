//! A body of bytes as the parts that the rpc takes in: as they arrive, never more than one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use fault::{Fault, Kind};
use http_body::{Body as HttpBody, Frame};
use prost::Message as _;
use proto::redress::intake::v1::UploadAttachmentRequest;
use tonic::Status;
use tonic::body::Body;

use super::Upload;
use crate::layers::json::frames::framed;

/// Most bytes of a part.
const MOST: usize = 256 << 10;

/// The parts of an upload.
pub(crate) struct Parts {
    body: Body,
    /// What has arrived and is not handed on yet.
    arrived: Bytes,
    /// Whose they are; in the first part, which has no bytes: it is there without any, too.
    id: Option<String>,
    offset: i64,
    /// How many are still to come, where that was said.
    left: Option<u64>,
    most: usize,
    is_over: bool,
}

impl Parts {
    /// Of a body, in messages of at most so many bytes.
    pub(crate) fn new(upload: &Upload, body: Body, max_message_bytes: usize) -> Self {
        Self {
            body,
            arrived: Bytes::new(),
            id: Some(upload.id.clone()),
            offset: upload.offset,
            left: upload.length,
            most: MOST.min(max_message_bytes / 2).max(1),
            is_over: false,
        }
    }

    fn part(&mut self, attachment_id: String, data: &[u8]) -> Result<Bytes, Fault> {
        let offset = self.offset;
        self.offset = offset.saturating_add(i64::try_from(data.len()).map_err(Fault::internal)?);
        let part = UploadAttachmentRequest { attachment_id, offset, data: data.to_vec() };
        framed(0, &part.encode_to_vec())
    }

    /// The next part of what is here.
    fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        if let Some(id) = self.id.take() {
            return Some(self.part(id, &[]));
        }
        if self.arrived.is_empty() {
            return None;
        }
        let data = self.arrived.split_to(self.most.min(self.arrived.len()));
        Some(self.part(String::new(), &data))
    }

    /// Notes that bytes have come; refuses more of them than were said.
    fn arrive(&mut self, bytes: Bytes) -> Result<(), Fault> {
        if let Some(left) = &mut self.left {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            *left = left.checked_sub(length).ok_or_else(|| other_length("more"))?;
        }
        self.arrived = bytes;
        Ok(())
    }
}

fn other_length(how: &str) -> Fault {
    let sentence = format!("the body has {how} bytes than Content-Range says");
    Fault::new(Kind::Invalid, "INVALID_REQUEST", sentence)
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            if let Some(part) = self.next() {
                self.is_over = part.is_err();
                return Poll::Ready(Some(part.map(Frame::data).map_err(Status::from)));
            }
            let arrived = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map_or(Ok(()), |bytes| self.arrive(bytes)),
                Some(Err(status)) => {
                    let sentence = "the request broke off; go on from receivedBytes";
                    Err(Fault::new(Kind::Invalid, "UNREADABLE_MESSAGE", sentence).because(status))
                }
                None => {
                    self.is_over = true;
                    if self.left.is_some_and(|left| left > 0) { Err(other_length("fewer")) } else { Ok(()) }
                }
            };
            if let Err(fault) = arrived {
                self.is_over = true;
                return Poll::Ready(Some(Err(fault.into())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;
    use crate::layers::json::frames::Frames;

    /// The parts of a body: where each begins, and its bytes; and the reason it ended for.
    async fn parts(bytes: &'static [u8], length: Option<u64>, most: usize) -> (Vec<(i64, usize)>, String) {
        let upload = Upload { id: "a".to_owned(), offset: 5, length };
        let mut body = Parts::new(&upload, Body::new(Full::new(Bytes::from_static(bytes))), most * 2);
        let (mut frames, mut found, mut reason) = (Frames::default(), Vec::new(), String::new());
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => frames.push(&frame.into_data().expect("bytes")),
                Err(status) => reason = testkit::reason(&status),
            }
        }
        while let Some((_, message)) = frames.next(usize::MAX).unwrap() {
            let part = UploadAttachmentRequest::decode(message).unwrap();
            assert_eq!(part.attachment_id, if found.is_empty() { "a" } else { "" });
            found.push((part.offset, part.data.len()));
        }
        (found, reason)
    }

    #[tokio::test]
    async fn a_body_comes_in_parts_of_a_most_after_one_that_says_whose_it_is() {
        assert_eq!(parts(b"", None, 4).await, (vec![(5, 0)], String::new()));
        let expected = vec![(5, 0), (5, 4), (9, 4), (13, 2)];
        assert_eq!(parts(b"0123456789", None, 4).await, (expected.clone(), String::new()));
        assert_eq!(parts(b"0123456789", Some(10), 4).await, (expected.clone(), String::new()));
        assert_eq!(parts(b"0123456789", Some(11), 4).await, (expected, "INVALID_REQUEST".to_owned()));
        assert_eq!(parts(b"0123456789", Some(9), 4).await, (vec![(5, 0)], "INVALID_REQUEST".to_owned()));
    }
}
