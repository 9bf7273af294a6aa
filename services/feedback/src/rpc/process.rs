//! The rpc of `ProcessService`.

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kernel::TenantId;
use pg::Db;
use proto::redress::feedback::v1::process_service_server::ProcessService;
use proto::redress::feedback::v1::{ExportProcessLogRequest, ExportProcessLogResponse, ProcessLogSummary};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::flow::{figures, rebuild};
use crate::kpi::window::begin;
use crate::process::{EventPlace, MAX_CASES, MAX_EVENTS, ProcessCase, ProcessEvent, Pseudonyms};
use crate::{store, wire};

/// Serves process logs.
pub(crate) struct Processes {
    db: Db,
}

impl Processes {
    /// Serves the process logs of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// What is sent next.
#[derive(Clone)]
enum Next {
    /// The cases after one.
    Cases(Option<ProcessCase>),
    /// The events of a page of cases after one, of which the last is named.
    Events { cases: Vec<Uuid>, after: Option<EventPlace>, last: ProcessCase },
    /// How much was sent.
    Summary,
    /// Nothing.
    End,
}

/// A log that is being sent: page by page, each in a transaction of its own, so that a slow
/// reader holds nothing.
struct Export {
    db: Db,
    tenant: TenantId,
    days: store::ExportedDays,
    names: Pseudonyms,
    next: Next,
    sent: ProcessLogSummary,
}

impl Export {
    /// The next message; none after the last.
    async fn message(&mut self) -> Result<Option<ExportProcessLogResponse>, Fault> {
        match std::mem::replace(&mut self.next, Next::End) {
            Next::Cases(after) => self.cases(after).await.map(Some),
            Next::Events { cases, after, last } => self.events(cases, after, last).await.map(Some),
            Next::Summary => Ok(Some(ExportProcessLogResponse {
                summary: Some(self.sent),
                ..ExportProcessLogResponse::default()
            })),
            Next::End => Ok(None),
        }
    }

    async fn cases(&mut self, after: Option<ProcessCase>) -> Result<ExportProcessLogResponse, Fault> {
        let days = self.days;
        let read = self.db.transact("process.cases", &self.tenant, async move |mut tx| {
            rebuild::refuse_while_rebuilding(&mut tx).await?;
            let cases = store::process_cases(&mut tx, days, after.as_ref()).await?;
            Ok((tx, cases))
        });
        let cases = read.await?;
        self.sent.case_count += i64::try_from(cases.len()).unwrap_or(0);
        let told = cases.iter().map(|case| wire::process_case(case, &self.names)).collect();
        let ids = cases.iter().map(|case| case.case_id.0).collect();
        self.next = match cases.into_iter().last() {
            Some(last) => Next::Events { cases: ids, after: None, last },
            None => Next::Summary,
        };
        Ok(ExportProcessLogResponse { cases: told, ..ExportProcessLogResponse::default() })
    }

    async fn events(
        &mut self,
        cases: Vec<Uuid>,
        after: Option<EventPlace>,
        last: ProcessCase,
    ) -> Result<ExportProcessLogResponse, Fault> {
        let of = cases.clone();
        let read = self.db.transact("process.events", &self.tenant, async move |mut tx| {
            rebuild::refuse_while_rebuilding(&mut tx).await?;
            let events = store::process_events(&mut tx, &of, after).await?;
            Ok((tx, events))
        });
        let events = read.await?;
        self.sent.event_count += i64::try_from(events.len()).unwrap_or(0);
        let place = events.last().map(ProcessEvent::place).filter(|_| events.len() == MAX_EVENTS);
        self.next = match place {
            Some(after) => Next::Events { cases, after: Some(after), last },
            None if cases.len() == MAX_CASES => Next::Cases(Some(last)),
            None => Next::Summary,
        };
        let events = events.into_iter().map(|event| wire::process_event(event, &self.names)).collect();
        Ok(ExportProcessLogResponse { events, ..ExportProcessLogResponse::default() })
    }
}

#[tonic::async_trait]
impl ProcessService for Processes {
    type ExportProcessLogStream = BoxStream<'static, Result<ExportProcessLogResponse, Status>>;

    async fn export_process_log(
        &self,
        request: Request<ExportProcessLogRequest>,
    ) -> Result<Response<Self::ExportProcessLogStream>, Status> {
        let caller = server::caller(&request)?;
        let (start, end) = wire::exported_days(request.into_inner())?;
        let read = self.db.transact("process.begin", &caller.tenant, async move |mut tx| {
            rebuild::refuse_while_rebuilding(&mut tx).await?;
            let settings = store::kpi_settings(&mut tx).await?;
            let names = Pseudonyms::of(tx.new_token(), tx.new_token());
            Ok((tx, (figures::zone(&settings), names)))
        });
        let (zone, names) = read.await?;
        let days = (begin(start, &zone), begin(end, &zone));
        let (db, sent) = (self.db.clone(), ProcessLogSummary::default());
        let export = Export { db, tenant: caller.tenant, days, names, next: Next::Cases(None), sent };
        let messages = stream::try_unfold(export, |mut export| async move {
            let message = export.message().await?;
            Ok::<_, Status>(message.map(|message| (message, export)))
        });
        Ok(Response::new(messages.boxed()))
    }
}
