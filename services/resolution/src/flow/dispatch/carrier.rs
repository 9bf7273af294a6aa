//! Carries a message to an endpoint: a signed webhook, or a call of the service that the
//! department implements.

use std::time::Duration;

use bytes::Bytes;
use fault::Fault;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use proto::redress::resolution::v1::department_worker_client::DepartmentWorkerClient;
use server::Secret;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use uuid::Uuid;
use webhook::{Failure, Message, Post, Reply, Sender, Target};

use crate::delivery::{Answer, NoAnswer, Seen};
use crate::endpoint::{Endpoint, EndpointKind};
use crate::wire::deliveries::{MAX_EXCERPT, Outgoing, Read, cancel_answer, cut, task_answer};

/// Largest answer of a gRPC endpoint.
const MAX_ANSWER: usize = 64 * 1024;
/// Status of a webhook that is gone for good.
const GONE: u16 = 410;
/// Header of the W3C trace context.
const TRACEPARENT: &str = "traceparent";

/// The roads to all endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    sender: Sender,
}

/// What was heard of a department.
pub(super) struct DeliveryResult {
    pub(super) answer: Answer,
    pub(super) seen: Seen,
}

impl DeliveryResult {
    fn none(none: NoAnswer, status: impl Into<String>, reason: impl Into<String>) -> Self {
        let seen = Seen { status: status.into(), reason: reason.into(), excerpt: String::new() };
        Self { answer: Answer::None(none), seen }
    }

    fn failure(failure: Failure) -> Self {
        let none = NoAnswer { may_have_arrived: failure.may_have_arrived(), ..NoAnswer::default() };
        Self::none(none, "", failure.to_string())
    }

    fn read((answer, reason): Read, status: impl Into<String>) -> Self {
        Self { answer, seen: Seen { status: status.into(), reason, excerpt: String::new() } }
    }
}

impl Carrier {
    pub(crate) fn new(sender: Sender) -> Self {
        Self { sender }
    }

    /// Carries a message; whatever goes wrong is an answer that does not count.
    pub(super) async fn carry(
        &self,
        endpoint: &Endpoint,
        message: &Outgoing,
        delivery_id: Uuid,
        (now, traceparent): (Timestamp, &str),
    ) -> DeliveryResult {
        let Ok(target) = endpoint.url.parse::<Target>() else {
            return DeliveryResult::none(NoAnswer::default(), "", "its URL is none that can be used");
        };
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(traceparent)
            && !value.is_empty()
        {
            headers.insert(TRACEPARENT, value);
        }
        match endpoint.kind {
            EndpointKind::Webhook => match post(endpoint, message, delivery_id, now, headers) {
                Ok(post) => self.post(&target, post, message).await,
                Err(fault) => {
                    tracing::error!(fault.chain = fault.chain(), "a webhook cannot be written");
                    DeliveryResult::none(NoAnswer::default(), "", "the message cannot be written")
                }
            },
            EndpointKind::Grpc => self.call(&target, endpoint, message, headers).await,
        }
    }

    async fn post(&self, target: &Target, post: Post, message: &Outgoing) -> DeliveryResult {
        let reply = match self.sender.post(target, post).await {
            Ok(reply) => reply,
            Err(failure) => return DeliveryResult::failure(failure),
        };
        let Reply { status, retry_after, body, is_whole } = reply;
        let mut heard = match status {
            200..=299 if is_whole => DeliveryResult::read(message.read(&body), status.to_string()),
            200..=299 => DeliveryResult::read(
                (Answer::Taken, "its body is too long to be read".to_owned()),
                status.to_string(),
            ),
            _ => {
                let reason = match status {
                    300..=399 => "it answered with a redirect, which is not followed",
                    _ => "its answer is no success",
                };
                let none = NoAnswer {
                    may_have_arrived: may_have_arrived(status),
                    is_gone: status == GONE,
                    retry_after,
                };
                DeliveryResult::none(none, status.to_string(), reason)
            }
        };
        heard.seen.excerpt = cut(&String::from_utf8_lossy(&body), MAX_EXCERPT);
        heard
    }

    async fn call(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        message: &Outgoing,
        headers: HeaderMap,
    ) -> DeliveryResult {
        let channel = match self.sender.channel(target).await {
            Ok(channel) => channel,
            Err(failure) => return DeliveryResult::failure(failure),
        };
        let called = call(channel, message, headers, endpoint);
        match tokio::time::timeout(endpoint.timeout, called).await {
            Ok(Ok(read)) => DeliveryResult::read(read, "OK"),
            Ok(Err(status)) => refused(&status),
            Err(_) => DeliveryResult::failure(Failure::TooLate),
        }
    }
}

/// Whether a department may have done something that answers so.
fn may_have_arrived(status: u16) -> bool {
    status >= 500 || status == 408
}

fn post(
    endpoint: &Endpoint,
    message: &Outgoing,
    delivery_id: Uuid,
    now: Timestamp,
    mut headers: HeaderMap,
) -> Result<Post, Fault> {
    let (id, timestamp) = (delivery_id.to_string(), now.as_second());
    let body = message.body(now)?;
    let secrets: Vec<webhook::Secret> =
        endpoint.secrets(now).into_iter().filter_map(|secret| secret.expose().parse().ok()).collect();
    let signature = webhook::signatures(&secrets, &Message { id: &id, timestamp, body: &body });
    for (name, value) in
        [(webhook::ID, id), (webhook::TIMESTAMP, timestamp.to_string()), (webhook::SIGNATURE, signature)]
    {
        headers.insert(name, HeaderValue::from_str(&value).map_err(Fault::internal)?);
    }
    Ok(Post { headers, body: Bytes::from(body), timeout: endpoint.timeout })
}

async fn call(
    channel: Channel,
    message: &Outgoing,
    headers: HeaderMap,
    endpoint: &Endpoint,
) -> Result<Read, Status> {
    let mut client = DepartmentWorkerClient::new(channel).max_decoding_message_size(MAX_ANSWER);
    let (headers, timeout, token) = (&headers, endpoint.timeout, endpoint.secret.as_ref());
    match message {
        Outgoing::Task(request) => {
            let request = dressed(request.as_ref().clone(), headers, timeout, token)?;
            Ok(task_answer(client.deliver_task(request).await?.into_inner()))
        }
        Outgoing::Cancel(request) => {
            let request = dressed(request.clone(), headers, timeout, token)?;
            Ok(cancel_answer(client.cancel_task(request).await?.into_inner()))
        }
    }
}

/// A request with the headers of every call.
fn dressed<M>(
    message: M,
    headers: &HeaderMap,
    timeout: Duration,
    token: Option<&Secret>,
) -> Result<Request<M>, Status> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    if let Some(trace) = headers.get(TRACEPARENT).and_then(|trace| trace.to_str().ok()) {
        request.metadata_mut().insert(TRACEPARENT, trace.parse().map_err(|_| Status::internal("a trace"))?);
    }
    if let Some(token) = token {
        let bearer = format!("Bearer {}", token.expose());
        let bearer = bearer.parse().map_err(|_| Status::internal("the token cannot be shown"))?;
        request.metadata_mut().insert("authorization", bearer);
    }
    Ok(request)
}

/// A call that was not answered, or answered with a status. Of those that say why it was
/// not taken, nothing came.
fn refused(status: &Status) -> DeliveryResult {
    let is_refusal = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated
    );
    let none = NoAnswer { may_have_arrived: !is_refusal, ..NoAnswer::default() };
    let mut heard = DeliveryResult::none(none, name(status.code()), "its answer is no success");
    heard.seen.excerpt = cut(status.message(), MAX_EXCERPT);
    heard
}

/// A code as gRPC writes it: `DEADLINE_EXCEEDED`.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_as_grpc_names_them() {
        assert_eq!(name(Code::DeadlineExceeded), "DEADLINE_EXCEEDED");
        assert_eq!(name(Code::Unavailable), "UNAVAILABLE");
    }
}
