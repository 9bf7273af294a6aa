//! What the contracts promise of every rpc, held against every rpc: a request that
//! is wrong is refused with its reason and everything that is wrong with it, an id
//! that nothing has is refused with the reason the contract names. An rpc without
//! its lines here fails the test.

mod attachments;
mod capabilities;
mod complainants;
mod extremes;
mod file_drops;
mod knowledge;
mod learning;
mod mailboxes;
mod never_invalid;
mod never_unknown;
mod posts;
mod prefilling;
mod reasons;
mod revisions;
mod subscriptions;
mod table;
mod texts;
mod training;
mod unknown;
mod voices;

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use proto::redress::intake::v1::SubmitComplaintsRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::row_verdict::Verdict;
use serde_json::Deserializer;
use testkit::{CallerChannel, House, request_id, violations};
use tests::SERVICES;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use crate::house::comment;
use crate::twice::{contracts, path, rpcs};
use never_invalid::NEVER_INVALID;
use never_unknown::NEVER_UNKNOWN;
use table::{INVALID, Invalid};
use unknown::{UNKNOWN, Unknown};

/// The id of nothing.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// As the tables name it: `CaseService.GetCase`.
fn name(method: &MethodDescriptor) -> String {
    format!("{}.{}", method.parent_service().name(), method.name())
}

/// Every request that is wrong.
fn invalid() -> impl Iterator<Item = &'static Invalid> {
    INVALID
        .iter()
        .chain(attachments::INVALID)
        .chain(complainants::INVALID)
        .chain(learning::INVALID)
        .chain(revisions::INVALID)
        .chain(knowledge::INVALID)
        .chain(training::INVALID)
        .chain(subscriptions::INVALID)
        .chain(mailboxes::INVALID)
        .chain(posts::INVALID)
        .chain(prefilling::INVALID)
        .chain(file_drops::INVALID)
        .chain(voices::INVALID)
}

/// Every request for what does not exist.
fn unknown() -> impl Iterator<Item = &'static Unknown> {
    UNKNOWN
        .iter()
        .chain(attachments::UNKNOWN)
        .chain(complainants::UNKNOWN)
        .chain(learning::UNKNOWN)
        .chain(revisions::UNKNOWN)
        .chain(knowledge::UNKNOWN)
        .chain(training::UNKNOWN)
        .chain(subscriptions::UNKNOWN)
        .chain(mailboxes::UNKNOWN)
        .chain(posts::UNKNOWN)
        .chain(prefilling::UNKNOWN)
        .chain(file_drops::UNKNOWN)
        .chain(voices::UNKNOWN)
}

/// Every rpc, by name.
pub(crate) fn methods() -> BTreeMap<String, MethodDescriptor> {
    rpcs(&contracts()).into_iter().map(|method| (name(&method), method)).collect()
}

/// What the contract says of an rpc, and of its service as a whole.
fn said(method: &MethodDescriptor) -> String {
    let file = method.parent_file();
    comment(&file, method.path()) + &comment(&file, method.parent_service().path())
}

#[test]
fn every_rpc_has_its_lines() {
    let all: BTreeSet<String> = methods().into_keys().collect();
    let lines = |tested: Vec<&str>, exempt: &[(&str, &str)]| {
        let named: Vec<String> =
            tested.into_iter().chain(exempt.iter().map(|(rpc, _)| *rpc)).map(str::to_owned).collect();
        assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len(), "an rpc has two lines");
        named.into_iter().collect::<BTreeSet<_>>()
    };
    assert_eq!(lines(invalid().map(|line| line.rpc).collect(), NEVER_INVALID), all);
    assert_eq!(lines(unknown().map(|line| line.rpc).collect(), NEVER_UNKNOWN), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_all_that_is_wrong() {
    let house = House::open(&SERVICES).await;
    let methods = methods();
    let mut otherwise = Vec::new();
    for line in invalid() {
        let method = &methods[line.rpc];
        let answer = ask(house.channel(), method, line.request).await;
        let told =
            answer.as_ref().map_err(|status| (status.code(), testkit::reason(status), violations(status)));
        let fields: Vec<String> = line.fields.iter().map(ToString::to_string).collect();
        if told != Err((Code::InvalidArgument, line.reason.to_owned(), fields)) {
            otherwise.push(format!("{}: {answer:?}", line.rpc));
        }
        let said = said(method);
        if said.contains("INVALID_ARGUMENT/") && !said.contains(&format!("INVALID_ARGUMENT/{}", line.reason))
        {
            otherwise.push(format!("{}: the contract names another reason than {}", line.rpc, line.reason));
        }
    }
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_found_for_the_reason_the_contract_names() {
    let house = House::open(&SERVICES).await;
    let methods = methods();
    let mut otherwise = Vec::new();
    for line in unknown() {
        let method = &methods[line.rpc];
        let answer = ask(house.channel(), method, line.request).await;
        let told = answer.as_ref().map_err(|status| (status.code(), testkit::reason(status)));
        if told != Err((Code::NotFound, line.reason.to_owned())) {
            otherwise.push(format!("{}: {answer:?}", line.rpc));
        }
        if !said(method).contains(line.reason) {
            otherwise.push(format!("{}: the contract does not name {}", line.rpc, line.reason));
        }
    }
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_row_is_refused_by_its_verdict() {
    let house = House::open(&SERVICES).await;
    let rows = futures::stream::iter([SubmitComplaintsRequest::default()]);
    let answer = IntakeServiceClient::new(house.channel()).submit_complaints(rows).await.unwrap();
    let verdicts = answer.into_inner().verdicts;
    assert_eq!(verdicts.len(), 1);
    let Some(Verdict::Refused(refusal)) = &verdicts[0].verdict else { panic!("registered: {verdicts:?}") };
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument as i32, "INVALID_COMPLAINT"));
    let fields: Vec<_> = refusal.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["request_id", "complaint"]);
    house.done().await;
}

/// Calls an rpc with a request written in JSON, and takes the first message of the
/// answer, be it the only one or one of many.
pub(crate) async fn ask(line: CallerChannel, method: &MethodDescriptor, request: &str) -> Result<(), Status> {
    ask_for_bytes(line, method, request).await.map(drop)
}

/// As [`ask`]; the first message of the answer as it is on the wire.
pub(crate) async fn ask_for_bytes(
    line: CallerChannel,
    method: &MethodDescriptor,
    request: &str,
) -> Result<Bytes, Status> {
    let json = request.replace("$ID", NOBODY).replace("$KEY", &request_id());
    let message = DynamicMessage::deserialize(method.input(), &mut Deserializer::from_str(&json))
        .unwrap_or_else(|error| panic!("{}: {error}", method.full_name()));
    send(line, method, Bytes::from(message.encode_to_vec())).await
}

/// Same with a request as it is on the wire.
pub(crate) async fn send(
    line: CallerChannel,
    method: &MethodDescriptor,
    request: Bytes,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(line);
    grpc.ready().await.unwrap();
    let request = Request::new(request);
    let answer = grpc.server_streaming(request, path(method).parse().unwrap(), Raw).await?;
    Ok(answer.into_inner().message().await?.unwrap_or_default())
}

/// Messages as they are on the wire.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
