//! The rpcs of `ReportService`.

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kernel::TenantId;
use pg::{Db, Tx};
use proto::redress::feedback::v1::report_service_server::ReportService;
use proto::redress::feedback::v1::{
    CreateReportRequest, CreateReportResponse, DownloadReportRequest, DownloadReportResponse,
    GetReportRequest, GetReportResponse, GetReportSchedulesRequest, GetReportSchedulesResponse,
    ListReportsRequest, ListReportsResponse, ReportFile, UpdateReportSchedulesRequest,
    UpdateReportSchedulesResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::flow::reports;
use crate::refusal::Refusal;
use crate::report::{CHUNK, Definition, MAX_WAITING, Report, Schedules};
use crate::wire::Download;
use crate::{store, wire};

/// Serves reports.
pub(crate) struct Reports {
    db: Db,
}

impl Reports {
    /// Serves the reports of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    async fn read(&self, tenant: &TenantId, id: Uuid) -> Result<Report, Fault> {
        let read = self.db.transact("report.get", tenant, async move |mut tx| {
            let report = store::report(&mut tx, id).await?;
            Ok((tx, report))
        });
        Ok(read.await?.ok_or(Refusal::ReportNotFound)?)
    }
}

/// Has a report made.
async fn create(tx: &mut Tx, definition: &Definition, creator: &str) -> Result<Report, Fault> {
    if store::waiting_reports(tx).await? >= MAX_WAITING {
        return Err(Refusal::TooManyReports.into());
    }
    let id = tx.new_id();
    store::insert_report(tx, id, definition, Some(creator)).await?;
    tx.notify(reports::TOPIC);
    Ok(store::report(tx, id).await?.ok_or(Refusal::ReportNotFound)?)
}

/// Replaces the schedules.
async fn update(tx: &mut Tx, wanted: Schedules, expected: i64) -> Result<Schedules, Fault> {
    let current = store::hold_report_schedules(tx).await?;
    if current.version != expected {
        return Err(Fault::version_mismatch(current.version));
    }
    store::save_report_schedules(tx, &wanted).await?;
    reports::schedule(tx).await?;
    Ok(wanted)
}

/// A file, part by part: each is read when the one before has been taken.
fn parts(
    db: Db,
    tenant: TenantId,
    of: Download,
    file: ReportFile,
) -> BoxStream<'static, Result<DownloadReportResponse, Status>> {
    let left = usize::try_from(file.size_bytes).unwrap_or(0).div_ceil(CHUNK);
    let first = DownloadReportResponse { file: Some(file), data: Vec::new() };
    let rest = stream::try_unfold((db, tenant, 0_i32), move |(db, tenant, ordinal)| async move {
        if usize::try_from(ordinal).is_ok_and(|ordinal| ordinal >= left) {
            return Ok(None);
        }
        let read = db.transact("report.chunk", &tenant, async move |mut tx| {
            let data = store::report_chunk(&mut tx, of.report, (of.language, of.format), ordinal).await?;
            Ok((tx, data))
        });
        // It may have been forgotten meanwhile.
        let data = read.await?.ok_or_else(|| Fault::from(Refusal::ReportFileNotFound))?;
        Ok::<_, Status>(Some((DownloadReportResponse { file: None, data }, (db, tenant, ordinal + 1))))
    });
    stream::once(async move { Ok(first) }).chain(rest).boxed()
}

#[tonic::async_trait]
impl ReportService for Reports {
    type DownloadReportStream = BoxStream<'static, Result<DownloadReportResponse, Status>>;

    async fn create_report(
        &self,
        request: Request<CreateReportRequest>,
    ) -> Result<Response<CreateReportResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let definition = wire::created_report(request, self.db.clock().now())?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let report = create(&mut tx, &definition, &caller.subject).await?;
            Ok((tx, CreateReportResponse { report: Some(wire::report(&report)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_report(
        &self,
        request: Request<GetReportRequest>,
    ) -> Result<Response<GetReportResponse>, Status> {
        let caller = server::caller(&request)?;
        let id = wire::report_key(request.into_inner())?;
        let report = self.read(&caller.tenant, id).await?;
        Ok(Response::new(GetReportResponse { report: Some(wire::report(&report)) }))
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Result<Response<ListReportsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::ReportListQuery { page, after } = wire::reports_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("reports.list", &caller.tenant, async move |mut tx| {
            let reports = store::reports(&mut tx, &wanted, after).await?;
            Ok((tx, reports))
        });
        let rows = listed.await?;
        let rows = rows.iter().map(|report| (report.id.to_string(), wire::report(report)));
        let (reports, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListReportsResponse { reports, next_page_token }))
    }

    async fn download_report(
        &self,
        request: Request<DownloadReportRequest>,
    ) -> Result<Response<Self::DownloadReportStream>, Status> {
        let caller = server::caller(&request)?;
        let of = wire::download(request.into_inner())?;
        let report = self.read(&caller.tenant, of.report).await?;
        let mut files = report.files.iter();
        let file = files.find(|file| (file.language, file.format) == (of.language, of.format));
        let file = file.ok_or_else(|| Fault::from(Refusal::ReportFileNotFound))?;
        let file = wire::report_file(report.definition.term, file);
        Ok(Response::new(parts(self.db.clone(), caller.tenant, of, file)))
    }

    async fn get_report_schedules(
        &self,
        request: Request<GetReportSchedulesRequest>,
    ) -> Result<Response<GetReportSchedulesResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetReportSchedulesRequest {} = request.into_inner();
        let read = self.db.transact("report_schedules.get", &caller.tenant, async move |mut tx| {
            let schedules = store::report_schedules(&mut tx).await?;
            Ok((tx, schedules))
        });
        let schedules = Some(wire::report_schedules(read.await?));
        Ok(Response::new(GetReportSchedulesResponse { schedules }))
    }

    async fn update_report_schedules(
        &self,
        request: Request<UpdateReportSchedulesRequest>,
    ) -> Result<Response<UpdateReportSchedulesResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wanted, expected) = wire::wanted_report_schedules(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let schedules = update(&mut tx, wanted, expected).await?;
            Ok((tx, UpdateReportSchedulesResponse { schedules: Some(wire::report_schedules(schedules)) }))
        });
        Ok(server::reply(done.await?))
    }
}
