//! A statement on its way: read as it comes in, and sent on as its rows are known.

use std::io::{self, Read};
use std::time::Duration;

use axum::extract::multipart::Field;
use bytes::{Buf as _, Bytes};
use proto::redress::resolution::v1::ledger_service_client::LedgerServiceClient;
use proto::redress::resolution::v1::{ReconcileStatementRequest, Reconciliation};
use statements::{ROWS_MAX, Statement};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};

use crate::form::Posted;
use crate::problem::{Problem, Violation};
use crate::session::Visitor;

/// Pieces, and messages, that are taken in ahead.
const AHEAD: usize = 4;
/// Longest that a statement may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// What a browser sends, as readers read: an error where it broke off.
struct Pieces {
    receiver: Receiver<io::Result<Bytes>>,
    now: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.receiver.blocking_recv() {
                Some(next) => self.now = next?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.now.len());
        if let Some(buffer) = buffer.get_mut(..count) {
            self.now.copy_to_slice(buffer);
        }
        Ok(count)
    }
}

/// Sends a statement while it comes in. One that cannot be read to its end is not sent to its end
/// either: the call is dropped, and the server keeps nothing of it.
pub(super) async fn send(
    visitor: &Visitor,
    posted: &Posted,
    mut field: Field<'_>,
) -> Result<Reconciliation, Problem> {
    let client = visitor.client()?.within(PATIENCE);
    let (rows, messages) = channel(AHEAD);
    let first = ReconcileStatementRequest {
        request_id: posted.request_id(),
        department_id: posted.text("department").to_owned(),
        start_day: posted.text("start").to_owned(),
        end_day: posted.text("end").to_owned(),
        rows: Vec::new(),
    };
    rows.send(first).await.map_err(|error| Problem::broken(&error.to_string()))?;
    let (pieces, receiver) = channel(AHEAD);
    let currency = posted.text("currency").to_uppercase();
    let mut reading = tokio::task::spawn_blocking(move || {
        let read = read(Pieces { receiver, now: Bytes::new() }, &currency, &rows);
        // Only a statement that was read whole may end.
        read.map_err(|error| (error, rows))
    });
    let taking = async move {
        loop {
            let piece = match field.chunk().await {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => return,
                Err(error) => Err(io::Error::other(error.body_text())),
            };
            if pieces.send(piece).await.is_err() {
                // It was refused; a browser reads no answer before it has sent all.
                while let Ok(Some(_)) = field.chunk().await {}
                return;
            }
        }
    };
    let mut ledger = LedgerServiceClient::new(client.calls());
    let mut stream = Request::new(ReceiverStream::new(messages));
    stream.set_timeout(PATIENCE);
    let answering = async { ledger.reconcile_statement(stream).await };
    let (mut taking, mut answering) = (std::pin::pin!(taking), std::pin::pin!(answering));
    let mut is_taken = false;
    let done = loop {
        tokio::select! {
            () = &mut taking, if !is_taken => is_taken = true,
            answer = &mut answering => break answer.map_err(Problem::from),
            read = &mut reading => break match read {
                Ok(Ok(())) => answering.as_mut().await.map_err(Problem::from),
                Ok(Err((error, _open))) => Err(unreadable(&error)),
                Err(error) => Err(Problem::broken(&error.to_string())),
            },
        }
    };
    if done.is_err() && !is_taken {
        taking.await;
    }
    whole(done?)
}

fn whole(
    answer: tonic::Response<proto::redress::resolution::v1::ReconcileStatementResponse>,
) -> Result<Reconciliation, Problem> {
    answer
        .into_inner()
        .reconciliation
        .ok_or_else(|| Problem::broken("a reconciliation is missing from its answer"))
}

fn unreadable(error: &anyhow::Error) -> Problem {
    let violation = Violation { field: "statement".to_owned(), description: format!("{error:#}") };
    Problem { violations: vec![violation], ..Problem::own(Code::InvalidArgument, "STATEMENT_UNREADABLE") }
}

fn read(pieces: Pieces, currency: &str, rows: &Sender<ReconcileStatementRequest>) -> anyhow::Result<()> {
    let mut statement = Statement::read(Box::new(pieces), currency)?;
    loop {
        let some = statement.next(ROWS_MAX)?;
        if some.is_empty() {
            return Ok(());
        }
        let message = ReconcileStatementRequest { rows: some, ..ReconcileStatementRequest::default() };
        // Nobody listens once the server has refused it; it says why.
        if rows.blocking_send(message).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_are_one_text_and_end_where_it_broke_off() {
        let (sender, receiver) = channel(AHEAD);
        for piece in
            [Ok(Bytes::from("ab")), Ok(Bytes::new()), Ok(Bytes::from("c")), Err(io::Error::other("lost"))]
        {
            sender.send(piece).await.unwrap();
        }
        drop(sender);
        let read = tokio::task::spawn_blocking(move || {
            let (mut text, mut pieces) = (Vec::new(), Pieces { receiver, now: Bytes::new() });
            let mut one = [0];
            loop {
                match pieces.read(&mut one) {
                    Ok(0) => return (text, None),
                    Ok(_) => text.push(one[0]),
                    Err(error) => return (text, Some(error.to_string())),
                }
            }
        });
        assert_eq!(read.await.unwrap(), (b"abc".to_vec(), Some("lost".to_owned())));
    }
}
