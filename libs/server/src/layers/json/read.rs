//! Bodies become messages here: below the layers that know the caller and weigh what
//! arrives, so that nothing is parsed for a stranger.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use fault::{Check, Fault, Kind};
use http::header::IF_MATCH;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use kernel::Caller;
use prost::Message as _;
use tonic::Status;
use tonic::body::Body;
use transcoding::{HttpCall, Refused, bind, bind_headers, read};

use super::files::Parts;
use super::frames::{Frames, framed, too_large};
use super::spoken::{Dialect, Encoding, Spoken};
use super::webhooks::Delivery;
use crate::blocking::{Length, aside, blocking};
use crate::layers::middle::{Inner, Middle};
use crate::layers::refuse;
use crate::webhook_request::WebhookRequest;

/// JSON of that many bytes may take a millisecond to read or write.
pub(crate) const HEAVY: usize = 32 << 10;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Reads the bodies of calls that did not come as gRPC.
#[derive(Clone)]
pub(crate) struct ReadJson {
    /// Largest message.
    pub(crate) max_message_bytes: usize,
}

impl Middle for ReadJson {
    async fn handle<S: Inner>(self, mut request: Request<Body>, inner: S) -> Response<Body> {
        let Some(spoken) = request.extensions_mut().remove::<Arc<Spoken>>() else {
            return inner.answer(request).await;
        };
        let limit = self.max_message_bytes;
        let body = match spoken.dialect {
            // Its envelopes are gRPC's frames.
            Dialect::Stream(Encoding::Proto) => Ok(std::mem::take(request.body_mut())),
            Dialect::Stream(Encoding::Json) => {
                let body = std::mem::take(request.body_mut());
                let envelopes = Envelopes { body, frames: Frames::default(), spoken, limit, is_over: false };
                Ok(Body::new(envelopes))
            }
            Dialect::Upload(ref upload) => {
                Ok(Body::new(Parts::new(upload, std::mem::take(request.body_mut()), limit)))
            }
            Dialect::File(ref wanted) => {
                framed(0, &wanted.message()).map(|frame| Body::new(Full::new(frame)))
            }
            Dialect::Challenge(ref challenge) => {
                framed(0, &challenge.message()).map(|frame| Body::new(Full::new(frame)))
            }
            Dialect::Webhook(ref delivery) => {
                signed(delivery, std::mem::take(request.body_mut()), limit).await
            }
            Dialect::Rest(_) | Dialect::Unary(_) => whole(&mut request, spoken, limit).await,
        };
        match body {
            Ok(body) => {
                *request.body_mut() = body;
                inner.answer(request).await
            }
            Err(fault) => refuse(fault),
        }
    }
}

/// The message of a delivery, in its frame. Nothing of its body is read: who sends it is not
/// known yet.
async fn signed(delivery: &Delivery, body: Body, limit: usize) -> Result<Body, Fault> {
    let bytes = collected(body, limit.min(WebhookRequest::MAX_BYTES)).await?;
    Ok(Body::new(Full::new(framed(0, &delivery.message(&bytes))?)))
}

/// The one message of a request, in its frame.
async fn whole(request: &mut Request<Body>, spoken: Arc<Spoken>, limit: usize) -> Result<Body, Fault> {
    let body = std::mem::take(request.body_mut());
    let bytes = collected(body, limit).await?;
    let caller = request.extensions().get::<Caller>().filter(|_| bytes.len() > HEAVY);
    let (key, version) =
        (header(request.headers(), IDEMPOTENCY_KEY)?, header(request.headers(), IF_MATCH.as_str())?);
    let read = move || message(&spoken, &bytes, key.as_deref(), version.as_deref());
    let message = match caller {
        Some(caller) => blocking(&caller.tenant, Length::Quick, "json.read", read).await??,
        None => read()?,
    };
    Ok(Body::new(Full::new(framed(0, &message)?)))
}

async fn collected(body: Body, limit: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(error) => match error.downcast::<Status>() {
            // A layer above refused what was arriving.
            Ok(status) => Err(arriving(&status)),
            Err(error) => Err(broken().because(error)),
        },
    }
}

/// What a body broke off with: more bytes at once than are worked on, or the connection.
fn arriving(status: &Status) -> Fault {
    if status.code() == tonic::Code::ResourceExhausted {
        let sentence = "the server is working on as many bytes as it can; try again";
        return Fault::new(Kind::Exhausted, "OVERLOADED", sentence).retry_after(RETRY);
    }
    broken()
}

/// When one whose request was refused is told to come back.
const RETRY: std::time::Duration = std::time::Duration::from_millis(250);

fn broken() -> Fault {
    Fault::new(Kind::Invalid, "UNREADABLE_MESSAGE", "the request broke off")
}

/// A header that is there at most once, and text.
fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        Ok(text) if values.next().is_none() => Ok(Some(text.to_owned())),
        _ => {
            let mut check = Check::new();
            check.fail(name, "must be there once, in ASCII");
            check.done(INVALID).map(|()| None)
        }
    }
}

const INVALID: &str = "INVALID_REQUEST";

fn message(
    spoken: &Spoken,
    body: &[u8],
    idempotency_key: Option<&str>,
    if_match: Option<&str>,
) -> Result<Vec<u8>, Fault> {
    let input = &spoken.rpc().input;
    let asked = HttpCall { body, idempotency_key, if_match, ..HttpCall::default() };
    let request = match &spoken.dialect {
        Dialect::Rest(call) => {
            bind(input, &call.route, &HttpCall { variables: &call.variables, query: &call.query, ..asked })
        }
        Dialect::Unary(Encoding::Proto) | Dialect::Stream(Encoding::Proto) => return Ok(body.to_vec()),
        // Bytes of a file, or a signed body, are no message.
        Dialect::Upload(_) | Dialect::File(_) | Dialect::Webhook(_) | Dialect::Challenge(_) => {
            return Err(Fault::internal("a file was read as a message"));
        }
        Dialect::Unary(Encoding::Json) | Dialect::Stream(Encoding::Json) => {
            read(input, body).and_then(|request| bind_headers(request, &asked))
        }
    };
    request.map(|request| request.encode_to_vec()).map_err(fault)
}

fn fault(refused: Refused) -> Fault {
    let sentence = refused.to_string();
    match refused {
        Refused::NoJson(_) => Fault::new(Kind::Invalid, "UNREADABLE_JSON", sentence),
        Refused::TooManyValues => Fault::new(Kind::Invalid, "TOO_MANY_VALUES", sentence),
        Refused::TooDeep => Fault::new(Kind::Invalid, "TOO_DEEP", sentence),
        Refused::Fields(violations, more) => {
            let mut check = Check::new();
            for violation in violations {
                check.fail(&violation.field, violation.description);
            }
            match check.done(INVALID) {
                Err(fault) => fault.and_more(more),
                Ok(()) => Fault::new(Kind::Invalid, INVALID, sentence),
            }
        }
    }
}

/// Connect's envelopes of JSON, as gRPC's frames.
struct Envelopes {
    body: Body,
    frames: Frames,
    spoken: Arc<Spoken>,
    limit: usize,
    is_over: bool,
}

impl Envelopes {
    /// The next message that is there.
    fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        match self.frames.next(self.limit)? {
            None => Ok(None),
            Some((0, json)) => {
                let read = || message(&self.spoken, &json, None, None);
                framed(0, &aside(json.len() > HEAVY, read)?).map(Some)
            }
            Some(_) => {
                let sentence = "an envelope of the request has flags that this server does not know";
                Err(Fault::new(Kind::Invalid, "UNKNOWN_ENVELOPE", sentence))
            }
        }
    }
}

impl HttpBody for Envelopes {
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
            match self.next() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(Frame::data(frame)))),
                Ok(None) => {}
                Err(fault) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(fault.into())));
                }
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.frames.push(&bytes);
                    }
                }
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => {
                    self.is_over = true;
                    if !self.frames.is_empty() {
                        return Poll::Ready(Some(Err(broken().into())));
                    }
                }
            }
        }
    }
}
