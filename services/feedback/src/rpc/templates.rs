//! The rpcs of `TemplateService`.

use fault::Fault;
use kernel::{Caller, CaseId, Role};
use pg::{Db, Tx};
use proto::redress::feedback::v1::template_service_server::TemplateService;
use proto::redress::feedback::v1::{
    ActivateTemplateRequest, ActivateTemplateResponse, CreateTemplateRequest, CreateTemplateResponse,
    GetQuietHoursRequest, GetQuietHoursResponse, GetTemplateRequest, GetTemplateResponse,
    ListTemplatesRequest, ListTemplatesResponse, PreviewTemplateRequest, PreviewTemplateResponse,
    SetQuietHoursRequest, SetQuietHoursResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::letter::template::Template;
use crate::letter::trial::{Places, write_of};
use crate::letter::{self, Letter};
use crate::notice::Contact;
use crate::quiet::QuietHours;
use crate::refusal::Refusal;
use crate::revision::Subject;
use crate::wire::{TemplateKey, Trial, Wanted};
use crate::{store, wire};

/// There is one version after another, and the latest holds.
const QUIET_HOURS: Settled<'static> =
    Settled { subject: Subject::QuietHours, name: "", missing: Refusal::TemplateNotFound };

/// Serves templates.
pub(crate) struct Templates {
    db: Db,
}

impl Templates {
    /// Serves the templates of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

fn settled(name: &str) -> Settled<'_> {
    Settled { subject: Subject::Template, name, missing: Refusal::TemplateNotFound }
}

fn shipped(key: &TemplateKey) -> Result<Template, Fault> {
    letter::shipped(key.kind, key.language).cloned().ok_or_else(|| Refusal::TemplateNotFound.into())
}

/// What a template is tried on, as it was read.
struct Material {
    /// What the next notice of the case has to say, and to whom.
    case: Option<(Option<Places>, Contact)>,
    /// Whether the caller may see that.
    shown: bool,
    /// What the latest notices had to say.
    latest: Vec<(CaseId, Places)>,
}

/// Reads what a template is tried on.
async fn material(tx: &mut Tx, caller: &Caller, key: &TemplateKey, trial: Trial) -> Result<Material, Fault> {
    let latest = store::latest_places(tx, key.kind, key.language, trial.latest).await?;
    let Some(case) = trial.case else { return Ok(Material { case: None, shown: true, latest }) };
    let contact = store::contact(tx, case).await?.ok_or(Refusal::ContactNotFound)?;
    let profile = store::profiles(tx, &[case]).await?.remove(&case).unwrap_or_default();
    let recused = profile.recused.contains(&caller.subject.to_lowercase());
    let last = store::last_places(tx, key.kind, key.language, case).await?;
    let shown = caller.roles.may_act_as(Role::Reader) && !recused;
    Ok(Material { case: Some((last, contact)), shown, latest })
}

/// Writes a template on a sample, or on the case; and tries it on the latest notices.
fn preview(wanted: &Wanted, material: Material) -> Result<PreviewTemplateResponse, Fault> {
    let Wanted { key, template, note: _ } = wanted;
    let Material { case, shown, latest } = material;
    let mut answer = PreviewTemplateResponse {
        tried_count: i32::try_from(latest.len()).unwrap_or(i32::MAX),
        failures: wire::failures(key, template, &latest),
        ..PreviewTemplateResponse::default()
    };
    let Some((last, contact)) = case else {
        let written = letter::preview(key.kind, key.language, template);
        let Letter { subject, body, .. } = written.map_err(|flaw| Fault::internal(flaw.problem))?;
        return Ok(PreviewTemplateResponse { subject, body, ..answer });
    };
    let (places, sampled) = Places::next(key.kind, key.language, last, &contact);
    let places = if shown { places } else { places.masked() };
    (answer.subject, answer.body) = write_of(template, key.kind, &places).map_err(wire::stopped)?;
    answer.sampled_places = sampled.into_iter().map(str::to_owned).collect();
    answer.masked = !shown;
    answer.other_language = wire::is_in_another(key, &contact.language);
    Ok(answer)
}

/// Puts hours in force: their version is made and activated in one.
async fn quieten(tx: &mut Tx, quiet: QuietHours, note: String, by: &str) -> Result<QuietHours, Fault> {
    let made = revisions::create(tx, QUIET_HOURS, quiet.clone(), note, by).await?;
    revisions::activate(tx, QUIET_HOURS, made.version, quiet, by).await.map(|put| put.content)
}

#[tonic::async_trait]
impl TemplateService for Templates {
    async fn create_template(
        &self,
        request: Request<CreateTemplateRequest>,
    ) -> Result<Response<CreateTemplateResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let check = move || wire::made_template(request);
        let Wanted { key, template, note } =
            server::blocking(&context.caller.tenant, Length::Quick, "template.check", check).await??;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let name = key.name();
            let made = revisions::create(&mut tx, settled(&name), template, note, &caller.subject).await?;
            Ok((tx, CreateTemplateResponse { template: Some(wire::template(&name, made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn activate_template(
        &self,
        request: Request<ActivateTemplateRequest>,
    ) -> Result<Response<ActivateTemplateResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wire::TemplateVersionRef { key, version }, latest) = wire::put_template(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let key = key.ok_or(Refusal::TemplateNotFound)?;
            let (name, shipped) = (key.name(), shipped(&key)?);
            let put = revisions::activate(&mut tx, settled(&name), version, shipped, &caller.subject).await?;
            let notices = store::latest_places(&mut tx, key.kind, key.language, latest).await?;
            server::aside(latest > 0, || {
                wire::still_sound(&key, &put.content)?;
                wire::all_written(&wire::failures(&key, &put.content, &notices))
            })?;
            Ok((tx, ActivateTemplateResponse { template: Some(wire::template(&name, put)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_template(
        &self,
        request: Request<GetTemplateRequest>,
    ) -> Result<Response<GetTemplateResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::TemplateVersionRef { key, version } = wire::template_of(request.into_inner())?;
        let key = key.ok_or(Fault::from(Refusal::TemplateNotFound))?;
        let name = key.name();
        let read = self.db.transact("template.get", &caller.tenant, async |mut tx| {
            let read = revisions::read(&mut tx, settled(&name), version, shipped(&key)?).await?;
            Ok((tx, read))
        });
        Ok(Response::new(GetTemplateResponse { template: Some(wire::template(&name, read.await?)) }))
    }

    async fn list_templates(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (page, after) = wire::templates_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("templates.list", &caller.tenant, async move |mut tx| {
            let listed = store::revisions::<Template>(&mut tx, Subject::Template, &wanted, after).await?;
            Ok((tx, listed))
        });
        let rows = listed
            .await?
            .into_iter()
            .map(|(name, revision)| (wire::template_key(&name, &revision), wire::template(&name, revision)));
        let (templates, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListTemplatesResponse { templates, next_page_token }))
    }

    async fn preview_template(
        &self,
        request: Request<PreviewTemplateRequest>,
    ) -> Result<Response<PreviewTemplateResponse>, Status> {
        let caller = server::caller(&request)?;
        let read = move || wire::previewed(request.into_inner());
        let (wanted, trial) =
            server::blocking(&caller.tenant, Length::Quick, "template.check", read).await??;
        let (reader, key) = (caller.clone(), wanted.key.clone());
        let read = self.db.transact("template.material", &caller.tenant, async move |mut tx| {
            let material = material(&mut tx, &reader, &key, trial).await?;
            Ok((tx, material))
        });
        let material = read.await?;
        let preview = move || preview(&wanted, material);
        Ok(Response::new(
            server::blocking(&caller.tenant, Length::Quick, "template.preview", preview).await??,
        ))
    }

    async fn set_quiet_hours(
        &self,
        request: Request<SetQuietHoursRequest>,
    ) -> Result<Response<SetQuietHoursResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (quiet, note) = wire::quieted(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let put = quieten(&mut tx, quiet, note, &caller.subject).await?;
            Ok((tx, SetQuietHoursResponse { quiet_hours: Some(wire::quiet_hours(put)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_quiet_hours(
        &self,
        request: Request<GetQuietHoursRequest>,
    ) -> Result<Response<GetQuietHoursResponse>, Status> {
        let caller = server::caller(&request)?;
        let read = self.db.transact("quiet_hours.get", &caller.tenant, async move |mut tx| {
            let read = store::revisions_in_force::<QuietHours>(&mut tx, Subject::QuietHours).await?.pop();
            Ok((tx, read))
        });
        let quiet_hours = read.await?.map(|(_, revision)| wire::quiet_hours(revision.content));
        Ok(Response::new(GetQuietHoursResponse { quiet_hours }))
    }
}
