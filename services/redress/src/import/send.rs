//! Registers rows in chunks; a chunk that breaks off is sent again.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use client::Client;
use imports::{Row, sentence};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::row_verdict;
use proto::redress::intake::v1::{
    Complaint, RowRefusal, RowVerdict, SubmitComplaintResponse, SubmitComplaintsRequest,
};
use tonic::{Code, Request, Status};

/// Most rows of one stream.
pub(crate) const MAX_CHUNK: usize = 500;
/// Bytes of rows after which a stream is full.
pub(crate) const MAX_CHUNK_BYTES: usize = 8 << 20;
/// How often a chunk is sent before the import gives up.
const ATTEMPTS: u32 = 8;
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// Longest that one chunk may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes of a row's key.
const KEY_BYTES: usize = 16;

/// What became of a row.
pub(crate) struct Verdict {
    /// The row.
    pub(crate) number: u64,
    /// Its idempotency key.
    pub(crate) request_id: String,
    /// Whether it was registered before.
    pub(crate) before: bool,
    /// What became of it.
    pub(crate) outcome: Result<SubmitComplaintResponse, RowRefusal>,
}

/// Registers the rows of one file.
pub(crate) struct Sender {
    client: Client,
}

impl Sender {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Registers rows, each on its own; a verdict for each, in their order. Fails
    /// only when the server cannot be reached for long.
    pub(crate) async fn send(&self, rows: Vec<Row>) -> Result<Vec<Verdict>, Status> {
        let mut verdicts = Vec::with_capacity(rows.len());
        let mut open = Vec::new();
        for (place, Row { number, key, complaint }) in rows.into_iter().enumerate() {
            let request_id = URL_SAFE_NO_PAD.encode(&key[..KEY_BYTES]);
            let outcome = match complaint {
                Ok(complaint) => {
                    open.push((place, request(&request_id, complaint)));
                    Err(refusal(Code::Unknown, "NO_VERDICT", "the server said nothing of this row"))
                }
                Err(wrong) => Err(refusal(Code::InvalidArgument, "UNREADABLE_ROW", &sentence(&wrong))),
            };
            verdicts.push(Verdict { number, request_id, before: false, outcome });
        }
        self.register(open, &mut verdicts).await?;
        Ok(verdicts)
    }

    /// Sends rows until each has a verdict that stays; `open` are their places in
    /// `verdicts`.
    async fn register(
        &self,
        mut open: Vec<(usize, SubmitComplaintsRequest)>,
        verdicts: &mut [Verdict],
    ) -> Result<(), Status> {
        let mut pause = PAUSE_FIRST;
        for attempt in 1..=ATTEMPTS {
            if open.is_empty() {
                return Ok(());
            }
            match self.stream(open.iter().map(|(_, request)| request.clone()).collect()).await {
                Ok(answers) => {
                    for ((place, _), answer) in open.iter().zip(answers) {
                        // A row sent again may have been registered by the first try.
                        verdicts[*place].before = answer.registered_before && attempt == 1;
                        verdicts[*place].outcome = outcome(answer);
                    }
                    open.retain(|(place, _)| is_passing(&verdicts[*place]));
                }
                // One of them is more than the server takes in one message.
                Err(status) if status.code() == Code::OutOfRange => {
                    return Box::pin(self.apart(open, verdicts, &status)).await;
                }
                Err(status) if attempt == ATTEMPTS || !may_come_right(status.code()) => return Err(status),
                Err(_) => {}
            }
            if !open.is_empty() && attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Ok(())
    }

    /// Sends rows in halves, so that a refusal of the stream is one row's alone.
    async fn apart(
        &self,
        mut open: Vec<(usize, SubmitComplaintsRequest)>,
        verdicts: &mut [Verdict],
        status: &Status,
    ) -> Result<(), Status> {
        if let [(place, _)] = open.as_slice() {
            verdicts[*place].outcome = Err(refusal(status.code(), "ROW_TOO_LARGE", status.message()));
            return Ok(());
        }
        let rest = open.split_off(open.len() / 2);
        self.register(open, verdicts).await?;
        self.register(rest, verdicts).await
    }

    async fn stream(&self, requests: Vec<SubmitComplaintsRequest>) -> Result<Vec<RowVerdict>, Status> {
        let mut stream = Request::new(tokio_stream::iter(requests));
        stream.set_timeout(PATIENCE);
        let answer = IntakeServiceClient::new(self.client.calls()).submit_complaints(stream).await?;
        Ok(answer.into_inner().verdicts)
    }
}

/// Whether a row was refused for a reason that will pass.
fn is_passing(verdict: &Verdict) -> bool {
    verdict.outcome.as_ref().is_err_and(|refused| may_come_right(Code::from_i32(refused.code)))
}

fn may_come_right(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::Unknown
    )
}

fn request(request_id: &str, complaint: Complaint) -> SubmitComplaintsRequest {
    SubmitComplaintsRequest { request_id: request_id.to_owned(), complaint: Some(complaint) }
}

fn outcome(answer: RowVerdict) -> Result<SubmitComplaintResponse, RowRefusal> {
    match answer.verdict {
        Some(row_verdict::Verdict::Registered(registered)) => Ok(registered),
        Some(row_verdict::Verdict::Refused(refused)) => Err(refused),
        None => Err(refusal(Code::Unknown, "NO_VERDICT", "the server said nothing of this row")),
    }
}

fn refusal(code: Code, reason: &str, message: &str) -> RowRefusal {
    RowRefusal {
        code: code.into(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        violations: Vec::new(),
    }
}
