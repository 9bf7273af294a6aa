//! What the templates of a case's page ask of it.

mod changes;

use std::borrow::{Borrow, Cow};

use askama::Template;
use jiff::Timestamp;
use kernel::Role;
use proto::google::r#type::Money;
use proto::redress::cases::v1::{
    Case, CaseClock, CaseState, ClockState, LinkStanding, Outcome, TimelineEntry, Visibility,
};
use proto::redress::feedback::v1::NoticeState;
use proto::redress::intake::v1::{Attachment, AttachmentState, Respondent};
use proto::redress::resolution::v1::{Plan, PlanState, RemedyType, TaskState};

use super::CaseQuery;
use super::band::{Band, WIDTH, band};
use super::load::Loaded;
use super::plan_form::PlanForm;
use crate::error_page::Shown;
use crate::form::{self, Posted};
use crate::moment::{Moment, distance, timestamp};
use crate::page::Frame;
use crate::problem::Problem;
use crate::schema::{Item, Kind};
use crate::session::Visitor;

/// Longest idempotency key.
const REQUEST_ID_MAX: usize = 100;

/// What could not be done, and what was written for it.
pub(super) struct Failed {
    /// Which form it was.
    pub(super) form: String,
    pub(super) posted: Posted,
    pub(super) problem: Problem,
}

impl Failed {
    /// Whether it was the plan editor, for a new plan or one that is revised.
    pub(super) fn is_of_plan(&self) -> bool {
        matches!(self.form.as_str(), "plan" | "revise")
    }
}

/// The plan that can be revised: it waits, or is carried out, and no revision waits.
pub(super) fn revisable(plans: &[Plan]) -> Option<&Plan> {
    let is_open = |plan: &&Plan| matches!(plan.state(), PlanState::Proposed | PlanState::Executing);
    plans.iter().filter(is_open).find(|plan| plan.pending_revision == 0)
}

/// The page of a case.
#[derive(Template)]
#[template(path = "case/page.html")]
pub(super) struct CasePage {
    f: Frame,
    v: Visitor,
    l: Loaded,
    band: Option<Band>,
    plan_form: PlanForm,
    failed: Option<Failed>,
    shown: Option<Shown>,
    done: String,
    /// The name of what was done, whose draft is over.
    over: String,
}

#[expect(clippy::unused_self, reason = "templates call methods")]
impl CasePage {
    pub(super) fn new(
        v: Visitor,
        l: Loaded,
        asked: &CaseQuery,
        failed: Option<Failed>,
        types: &[RemedyType],
    ) -> Self {
        let t = v.words;
        let f = Frame::new(&v, t.case_title(&l.case.subject), "inbox");
        let band = l.deadline.as_ref().and_then(|deadline| band(deadline, v.app.clock.now()));
        let shown = failed.as_ref().map(|failed| Shown::of(&failed.problem, &v));
        let done = super::act::done(t, &asked.done).unwrap_or_default().to_owned();
        let over = if done.is_empty() { String::new() } else { asked.done.clone() };
        let posted = failed.as_ref().filter(|failed| failed.is_of_plan()).map(|failed| &failed.posted);
        let plan_form = PlanForm::new(t, &l, revisable(&l.plans), posted, types);
        Self { f, v, l, band, plan_form, failed, shown, done, over }
    }

    fn case(&self) -> &Case {
        &self.l.case
    }

    fn subject(&self) -> &str {
        &self.f.subject
    }

    fn path(&self, rest: &str) -> String {
        self.v.app.path(&format!("/cases/{}{rest}", self.l.case.case_id))
    }

    fn path_of(&self, case: &str) -> String {
        self.v.app.path(&format!("/cases/{case}"))
    }

    /// A time, as HTML: only digits of ours are in it.
    fn time(&self, time: Option<&prost_types::Timestamp>) -> String {
        let moment = Moment::of(time, &self.v);
        moment
            .map(|moment| format!("<time datetime=\"{}\">{}</time>", moment.iso, moment.text))
            .unwrap_or_default()
    }

    fn day(&self, time: Option<&prost_types::Timestamp>) -> String {
        Moment::of(time, &self.v).map(|moment| moment.day).unwrap_or_default()
    }

    fn distance(&self, time: Option<&prost_types::Timestamp>) -> String {
        time.and_then(timestamp).map(|time| distance(&self.v, time)).unwrap_or_default()
    }

    fn is_past(&self, time: Option<&prost_types::Timestamp>) -> bool {
        time.and_then(timestamp).is_some_and(|time: Timestamp| time < self.v.app.clock.now())
    }

    fn money(&self, sum: Option<&Money>) -> String {
        crate::money::text(sum)
    }

    // --- forms ---------------------------------------------------------------

    /// The hidden fields of a form, as HTML: its token, its idempotency key, the version and the
    /// last entry that were seen. Only letters, digits, dashes and dots are in it.
    fn hidden(&self, form: &str) -> String {
        let failed = self.failed_of(form);
        let again =
            failed.filter(|failed| failed.problem.is_undecided()).map(|failed| failed.posted.request_id());
        let plain = |id: &String| {
            id.len() <= REQUEST_ID_MAX && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let request_id = again.filter(plain).unwrap_or_else(form::request_id);
        let seen = self.l.timeline.last().map_or(0, |entry| entry.ordinal);
        let version = self.l.case.version;
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\"><input type=\"hidden\" name=\"{}\" value=\"{request_id}\">\
             <input type=\"hidden\" name=\"version\" value=\"{version}\"><input type=\"hidden\" name=\"seen\" value=\"{seen}\">",
            form::TOKEN,
            self.f.token,
            form::REQUEST_ID,
        )
    }

    fn failed_of(&self, form: &str) -> Option<&Failed> {
        self.failed.as_ref().filter(|failed| failed.form == form)
    }

    fn has_failed(&self, form: &str) -> bool {
        self.failed_of(form).is_some()
    }

    /// What was written into a field, else what it begins with.
    fn written<'a>(&'a self, form: &str, field: &str, begins: &'a str) -> &'a str {
        self.failed_of(form).map_or(begins, |failed| failed.posted.text(field))
    }

    fn is_chosen(&self, form: &str, field: &str, value: &str, begins: &str) -> bool {
        self.written(form, field, begins) == value
    }

    fn draft(&self, form: &str) -> String {
        format!("{}/{form}", self.l.case.case_id)
    }

    /// What happened since the form was begun, where somebody else was faster.
    fn changes(&self) -> Vec<&TimelineEntry> {
        let Some(failed) = self.failed.as_ref().filter(|failed| failed.problem.is_conflict()) else {
            return Vec::new();
        };
        let seen = failed.posted.number::<i32>("seen").unwrap_or(i32::MAX);
        self.l.timeline.iter().filter(|entry| entry.ordinal > seen).collect()
    }

    // --- what can be done ----------------------------------------------------

    fn is(&self, states: &[CaseState]) -> bool {
        states.contains(&self.l.case.state())
    }

    fn is_supervisor(&self) -> bool {
        self.v.may_act_as(Role::Supervisor)
    }

    fn works_it(&self) -> bool {
        let is_handler = !self.subject().is_empty() && self.l.case.agent_id == self.subject();
        self.is_supervisor() || (is_handler && self.v.may_act_as(Role::Agent))
    }

    fn can_accept(&self) -> bool {
        self.works_it() && self.is(&[CaseState::Assigned])
    }

    fn can_decide(&self) -> bool {
        self.works_it() && self.is(&[CaseState::Assigned, CaseState::Investigating])
    }

    fn can_note(&self) -> bool {
        self.v.may_act_as(Role::Agent)
    }

    fn can_hold(&self) -> bool {
        self.works_it() && self.is(&[CaseState::Triaged, CaseState::Assigned, CaseState::Investigating])
    }

    fn can_plan(&self) -> bool {
        let is_open = |plan: &Plan| {
            matches!(plan.state(), PlanState::Proposed | PlanState::Executing | PlanState::Cancelling)
        };
        self.works_it() && self.is(&[CaseState::Decided]) && !self.l.plans.iter().any(is_open)
    }

    fn can_close(&self) -> bool {
        self.is_supervisor() && self.is(&[CaseState::Resolved])
    }

    fn can_reopen(&self) -> bool {
        self.is_supervisor() && self.is(&[CaseState::Resolved, CaseState::Closed])
    }

    fn can_approve(&self, plan: &Plan) -> bool {
        self.is_supervisor() && plan.state() == PlanState::Proposed && plan.proposer != self.subject()
    }

    fn is_own(&self, plan: &Plan) -> bool {
        plan.state() == PlanState::Proposed && plan.proposer == self.subject()
    }

    fn can_cancel(&self, plan: &Plan) -> bool {
        self.works_it() && matches!(plan.state(), PlanState::Proposed | PlanState::Executing)
    }

    fn can_do_nothing(&self) -> bool {
        let closing = self.can_close() || self.can_reopen();
        !(self.can_accept() || self.can_decide() || self.can_note() || self.can_plan() || closing)
    }

    // --- what is shown -------------------------------------------------------

    /// How a state looks: what waits, what runs, what is over.
    fn state_class(&self) -> &'static str {
        match self.l.case.state() {
            CaseState::Closed | CaseState::Resolved => "good",
            CaseState::Withdrawn | CaseState::OutOfScope | CaseState::Merged => "quiet",
            CaseState::Received | CaseState::Triaged => "warn",
            _ => "main-tone",
        }
    }

    fn task_class(&self, state: impl Borrow<i32>) -> &'static str {
        match TaskState::try_from(*state.borrow()) {
            Ok(TaskState::Completed) => "good",
            Ok(TaskState::NeedsAttention | TaskState::OutcomeUnknown) => "bad",
            Ok(TaskState::Leased | TaskState::AwaitingStock) => "warn",
            _ => "quiet",
        }
    }

    fn notice_class(&self, state: impl Borrow<i32>) -> &'static str {
        match NoticeState::try_from(*state.borrow()) {
            Ok(NoticeState::Delivered) => "good",
            Ok(NoticeState::Undelivered) => "bad",
            _ => "quiet",
        }
    }

    fn clock_class(&self, clock: &CaseClock) -> &'static str {
        match clock.state() {
            ClockState::Running if clock.breached || self.is_past(clock.due_time.as_ref()) => "bad",
            ClockState::Running => "main-tone",
            ClockState::Paused => "warn",
            ClockState::Met if !clock.breached => "good",
            _ => "quiet",
        }
    }

    fn clock_key(&self, kind: impl Borrow<i32>) -> &'static str {
        let kind = proto::redress::cases::v1::ClockKind::try_from(*kind.borrow()).unwrap_or_default();
        kind.as_str_name().trim_start_matches("CLOCK_KIND_")
    }

    fn is_explained(&self, kind: impl Borrow<i32>) -> bool {
        self.l
            .deadline
            .as_ref()
            .and_then(|deadline| deadline.clock.as_ref())
            .is_some_and(|clock| clock.kind == *kind.borrow())
    }

    /// What an entry says, in the language of the page.
    fn said<'a>(&self, entry: &'a TimelineEntry) -> Cow<'a, str> {
        crate::sentences::told(self.v.words, entry.kind(), &entry.text)
    }

    /// The newest first.
    fn entries(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.l.timeline.iter().rev()
    }

    /// Earlier complaints of the same person, without this one.
    fn earlier(&self) -> Vec<&proto::redress::cases::v1::ComplainantCase> {
        let all = self.l.history.iter().flat_map(|history| &history.cases);
        all.filter(|earlier| earlier.case_id != self.l.case.case_id).collect()
    }

    fn other_of<'a>(&self, link: &'a proto::redress::cases::v1::CaseLink) -> &'a str {
        if link.earlier_case_id == self.l.case.case_id { &link.later_case_id } else { &link.earlier_case_id }
    }

    fn is_suggested(&self, standing: impl Borrow<i32>) -> bool {
        *standing.borrow() == i32::from(LinkStanding::Suggested)
    }

    fn can_be_fetched(&self, paper: &Attachment) -> bool {
        paper.state() == AttachmentState::Ready
    }

    fn size(&self, bytes: impl Borrow<i64>) -> String {
        const KILO: i64 = 1024;
        let bytes = *bytes.borrow();
        match bytes {
            ..KILO => format!("{bytes} B"),
            KILO..0x10_0000 => format!("{} kB", bytes / KILO),
            _ => format!("{} MB", bytes / KILO / KILO),
        }
    }

    fn percent(&self, share: f64) -> String {
        format!("{:.0} %", share * 100.0)
    }

    fn unconfirmed(&self) -> Option<String> {
        let reading = self.l.reading.as_ref().filter(|reading| reading.unconfirmed)?;
        let guess = reading.guess.as_ref()?;
        self.can_note().then(|| self.v.words.category_unconfirmed(self.percent(guess.confidence)))
    }

    /// What else a supervisor may do once there is an outcome: its name, and how it reads.
    fn endings(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.v.words;
        let all =
            [("close", t.close_case(), self.can_close()), ("reopen", t.reopen_case(), self.can_reopen())];
        all.into_iter().filter(|(.., allowed)| *allowed).map(|(action, label, _)| (action, label)).collect()
    }

    /// What is known of whom a complaint is about.
    fn about<'a>(&self, about: &'a Respondent) -> Vec<(&'static str, &'a str)> {
        let t = self.v.words;
        let all = [
            (t.department(), about.branch.as_str()),
            (t.about_whom(), about.staff.as_str()),
            (t.product_word(), about.product.as_str()),
            (t.order_ref(), about.order_ref.as_str()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn outcomes(&self) -> [(&'static str, &'static str); 3] {
        let name = |outcome: Outcome| self.v.words.outcome(i32::from(outcome));
        [("1", name(Outcome::Upheld)), ("2", name(Outcome::PartlyUpheld)), ("3", name(Outcome::NotUpheld))]
    }

    fn visibilities(&self) -> [(&'static str, &'static str); 3] {
        let name = |visibility: Visibility| self.v.words.visibility(i32::from(visibility));
        [
            ("2", name(Visibility::Internal)),
            ("3", name(Visibility::Restricted)),
            ("1", name(Visibility::Public)),
        ]
    }

    fn band_width(&self) -> f64 {
        WIDTH
    }
}
