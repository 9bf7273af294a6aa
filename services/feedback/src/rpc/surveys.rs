//! The rpcs of `SurveyService`.

use fault::Fault;
use kernel::Caller;
use kernel::receipt::ReceiptCode;
use pg::{Db, Tx};
use proto::redress::feedback::v1::survey_service_server::SurveyService;
use proto::redress::feedback::v1::{
    ActivateQuestionnaireRequest, ActivateQuestionnaireResponse, CreateQuestionnaireRequest,
    CreateQuestionnaireResponse, GetQuestionnaireRequest, GetQuestionnaireResponse, GetSurveyRequest,
    GetSurveyResponse, ListSurveysRequest, ListSurveysResponse, SubmitSurveyRequest, SubmitSurveyResponse,
};
use server::CodeRateLimit;
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::flow::{after_outcome, follow_up};
use crate::notice::Delivery;
use crate::refusal::Refusal;
use crate::revision::Subject;
use crate::survey::{Questionnaire, Reply, Survey};
use crate::{store, wire};

const QUESTIONNAIRE: Settled<'static> =
    Settled { subject: Subject::Questionnaire, name: "", missing: Refusal::QuestionnaireNotFound };

/// Serves surveys.
pub(crate) struct Surveys {
    db: Db,
    rate_limit: CodeRateLimit,
    delivery: Delivery,
}

impl Surveys {
    /// Serves the surveys of a schema.
    pub(crate) fn new(db: Db, delivery: Delivery) -> Self {
        Self { rate_limit: CodeRateLimit::new(db.clone()), db, delivery }
    }

    /// The code somebody gives; one that is misspelt is no guess.
    fn code(survey_code: &str) -> Result<[u8; 32], Refusal> {
        ReceiptCode::parse(survey_code).map(|code| code.hash()).ok_or(Refusal::SurveyCodeUnknown)
    }

    /// Counts a wrong code as a guess; there may be too many of them.
    async fn guessed(&self, caller: &Caller, end_user: &str, fault: Fault) -> Fault {
        if fault.reason() != fault::Refusal::reason(&Refusal::SurveyCodeUnknown) {
            return fault;
        }
        self.rate_limit.wrong(caller, end_user, fault, Refusal::TooManyGuesses).await
    }
}

/// The questionnaire that a survey asks.
async fn asked(tx: &mut Tx, survey: &Survey) -> Result<Questionnaire, Fault> {
    let version = Some(survey.questionnaire);
    Ok(revisions::read(tx, QUESTIONNAIRE, version, Questionnaire::shipped()).await?.content)
}

/// What the holder of a code is asked.
async fn questions(tx: &mut Tx, code: [u8; 32]) -> Result<GetSurveyResponse, Fault> {
    let survey = store::lock_survey(tx, code).await?.ok_or(Refusal::SurveyCodeUnknown)?;
    survey.check_open(tx.now())?;
    let asked = asked(tx, &survey).await?;
    let wording = asked.wording(&survey.language).cloned().unwrap_or_default();
    let contact = store::contact(tx, survey.case_id).await?;
    let subject = contact.map(|contact| contact.subject).unwrap_or_default();
    Ok(wire::survey_questions(subject, wording, survey.expires))
}

/// Takes an answer.
async fn submit(
    tx: &mut Tx,
    delivery: &Delivery,
    code: [u8; 32],
    reply: Reply,
) -> Result<SubmitSurveyResponse, Fault> {
    let mut survey = store::lock_survey(tx, code).await?.ok_or(Refusal::SurveyCodeUnknown)?;
    let now = tx.now();
    survey.take(reply, now)?;
    store::save_survey(tx, &survey).await?;
    let low = asked(tx, &survey).await?.is_low(survey.reply.satisfaction);
    let contact = store::contact(tx, survey.case_id).await?;
    tx.join_trace(contact.as_ref().map_or("", |contact| &contact.traceparent));
    tx.emit(survey.case_id.0, &wire::answered(&survey, low));
    if low {
        follow_up::low_score(tx, delivery, survey.case_id, survey.cycle).await?;
    }
    after_outcome::give_up(tx, &[(survey.case_id, survey.cycle)]).await?;
    Ok(SubmitSurveyResponse { answer_time: Some(proto::timestamp(now)) })
}

#[tonic::async_trait]
impl SurveyService for Surveys {
    async fn create_questionnaire(
        &self,
        request: Request<CreateQuestionnaireRequest>,
    ) -> Result<Response<CreateQuestionnaireResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (wanted, note) = wire::created(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let made = revisions::create(&mut tx, QUESTIONNAIRE, wanted, note, &caller.subject).await?;
            Ok((tx, CreateQuestionnaireResponse { questionnaire: Some(wire::questionnaire(made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn activate_questionnaire(
        &self,
        request: Request<ActivateQuestionnaireRequest>,
    ) -> Result<Response<ActivateQuestionnaireResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let version = wire::activated(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let shipped = Questionnaire::shipped();
            let put = revisions::activate(&mut tx, QUESTIONNAIRE, version, shipped, &caller.subject).await?;
            Ok((tx, ActivateQuestionnaireResponse { questionnaire: Some(wire::questionnaire(put)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_questionnaire(
        &self,
        request: Request<GetQuestionnaireRequest>,
    ) -> Result<Response<GetQuestionnaireResponse>, Status> {
        let caller = server::caller(&request)?;
        let version = wire::version_of(request.into_inner().version)?;
        let read = self.db.transact("questionnaire.get", &caller.tenant, async move |mut tx| {
            let read = revisions::read(&mut tx, QUESTIONNAIRE, version, Questionnaire::shipped()).await?;
            Ok((tx, read))
        });
        Ok(Response::new(GetQuestionnaireResponse { questionnaire: Some(wire::questionnaire(read.await?)) }))
    }

    async fn get_survey(
        &self,
        request: Request<GetSurveyRequest>,
    ) -> Result<Response<GetSurveyResponse>, Status> {
        let caller = server::caller(&request)?;
        let GetSurveyRequest { survey_code, end_user } = request.into_inner();
        let code = Self::code(&survey_code).map_err(Fault::from)?;
        let read = self.db.transact("survey.get", &caller.tenant, async move |mut tx| {
            let read = questions(&mut tx, code).await?;
            Ok((tx, read))
        });
        match read.await {
            Ok(read) => Ok(Response::new(read)),
            Err(fault) => Err(self.guessed(&caller, &end_user, fault).await.into()),
        }
    }

    async fn submit_survey(
        &self,
        request: Request<SubmitSurveyRequest>,
    ) -> Result<Response<SubmitSurveyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (survey_code, end_user, reply) = wire::submitted(request)?;
        let code = Self::code(&survey_code);
        let caller = context.caller.clone();
        let delivery = self.delivery.clone();
        let done = self.db.mutate(context, async move |mut tx, _| {
            let answer = submit(&mut tx, &delivery, code?, reply).await?;
            Ok((tx, answer))
        });
        match done.await {
            Ok(done) => Ok(server::reply(done)),
            Err(fault) if code.is_ok() => Err(self.guessed(&caller, &end_user, fault).await.into()),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn list_surveys(
        &self,
        request: Request<ListSurveysRequest>,
    ) -> Result<Response<ListSurveysResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::SurveyListQuery { filter, page, after } = wire::surveys_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("surveys.list", &caller.tenant, async move |mut tx| {
            let now = tx.now();
            let surveys = store::surveys(&mut tx, filter, &wanted, after, now).await?;
            Ok((tx, (surveys, now)))
        });
        let (surveys, now) = listed.await?;
        let rows = surveys.into_iter().map(|survey| (survey.id.to_string(), wire::survey(survey, now)));
        let (surveys, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListSurveysResponse { surveys, next_page_token }))
    }
}
