//! Contract → domain: inbound events, those of the other services.

mod conversations;
mod feedback;
mod plans;

use events::Delivered;
use fault::{Check, Fault, Kind};
use jiff::Timestamp;
use kernel::person;
use proto::redress::assignment::v1::{
    AgentChanged, AssignmentEscalated, CaseAccepted, CaseAssigned, CaseQueued, CaseUnassignable, Escalation,
};
use proto::redress::intake::v1 as wire;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{
    Complainant, Complaint, ComplaintRegistered, InformationAdded, InformationSource, Respondent,
};
use proto::redress::resolution::v1::{
    Inquiry, InvestigationCancelled, InvestigationCompleted, InvestigationRequested, RecallCaseAdded,
    RemedyKind, ShortageReported, SupervisionLevel, TaskCompleted, TaskEscalated, TaskNeedsAttention,
    TaskWrittenOff,
};
use sameness::{self, Keys, Sketch};
use triage::{Facts, Surroundings};
use vocabulary::{Channel, Matter, Outcome};

use crate::case::{History, Origin};
use crate::classifier::Classifier;
use crate::conversation::Conversation;
use crate::directory::Named;
use crate::external_event::{Event, ExternalEvent};
use crate::reading::Reading;
use crate::staff::Member;
use crate::timeline::{Information, Investigation};

/// A registered complaint, as far as a case needs it.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// What stays with the case.
    pub(crate) origin: Origin,
    /// SHA-256 of the receipt code; none for a complaint without one.
    pub(crate) receipt_hash: Option<Vec<u8>>,
    /// What happened, in the complainant's words.
    pub(crate) description: String,
    /// The product it names; empty where none.
    pub(crate) product: String,
    /// What it shares with others like it.
    pub(crate) keys: Keys,
    /// What a directory can be asked by; kept only where the tenant has one.
    pub(crate) named: Named,
    /// How it ended, if that was before it was brought here.
    pub(crate) history: Option<History>,
    /// When an authority forwarded it, if one did and said so.
    pub(crate) forwarded: Option<Timestamp>,
    /// The call or chat it came by.
    pub(crate) conversation: Conversation,
    category_hint: String,
    vulnerabilities: Vec<String>,
    reach: i64,
}

impl Registered {
    /// How long its texts are.
    pub(crate) fn bytes(&self) -> usize {
        self.origin.subject.len() + self.description.len() + self.conversation.bytes()
    }

    /// What the channel believes it is about.
    pub(crate) fn category_hint(&self) -> &str {
        &self.category_hint
    }

    /// What triage looks at.
    pub(crate) fn facts<'a>(&'a self, reading: &'a Reading, around: Surroundings) -> Facts<'a> {
        Facts {
            channel: self.origin.channel,
            subject: &self.origin.subject,
            description: &self.description,
            language: &self.origin.language,
            category_hint: &self.category_hint,
            vulnerabilities: &self.vulnerabilities,
            reach: self.reach,
            anger: reading.emotion.level,
            threats: &reading.emotion.threats,
            conversation: self.conversation.looked_at(&reading.moods),
            amount_sought: self.origin.amount_sought.as_ref(),
            named: reading.named(),
            around,
        }
    }

    /// Reads its text; with a classifier also what it is about, where the channel does
    /// not say.
    pub(crate) fn read(&self, classifier: Option<&Classifier>) -> Reading {
        let asked = classifier.filter(|_| self.category_hint.trim().is_empty());
        Reading::of(&self.origin.subject, &self.description, asked).along(&self.conversation.turns)
    }
}

/// How an agent is described.
pub(crate) fn agent(changed: AgentChanged) -> Member {
    let AgentChanged { agent_id, version, display_name, department_id: _ } = changed;
    Member { agent_id: person::folded(&agent_id), version, name: person::folded(&display_name) }
}

/// Reads a registered complaint.
pub(crate) fn registered(
    delivered: &Delivered,
    registered: ComplaintRegistered,
) -> Result<Registered, Fault> {
    let ComplaintRegistered { complaint, receipt_hash, mail_token: _ } = registered;
    // What only intake and feedback need stays where it is: names, proof.
    let Complaint {
        channel,
        complainant,
        respondent,
        subject,
        description,
        remedy_sought,
        language,
        category_hint,
        receive_time,
        channel_detail,
        matter,
        history,
        ..
    } = complaint.unwrap_or_default();
    let complainant = complainant.unwrap_or_default();
    let mut check = Check::new();
    let receive_time = check.time("complaint.receive_time", receive_time);
    let amount = remedy_sought.and_then(|remedy| remedy.amount);
    let amount_sought = check.money("complaint.remedy_sought.amount", amount);
    let (forwarded, reach) = forwarded_and_reach(channel_detail.as_ref());
    let forwarded = check.time("complaint.regulator.forward_time", forwarded);
    let history = history.map(|history| ended(&mut check, history));
    check.done("INVALID_EVENT")?;
    let respondent = respondent.unwrap_or_default();
    let named = named(&complainant, &respondent);
    let keys = Keys {
        sketch: Sketch::of(&format!("{subject}\n{description}")),
        order: sameness::number(&named.order_ref),
        phone: sameness::phone(&named.phone),
        email: sameness::email(&named.email),
    };
    let origin = Origin {
        matter: match matter {
            0 => Matter::Complaint,
            code => Matter::of(code).ok_or_else(|| unreadable("matter"))?,
        },
        channel: Channel::of(channel).ok_or_else(|| unreadable("channel"))?,
        subject,
        language,
        customer_id: complainant.customer_id,
        region: complainant.region,
        respondent_staff: respondent.staff,
        amount_sought,
        receive_time: receive_time.unwrap_or(delivered.occurred),
        traceparent: delivered.traceparent.clone(),
    };
    Ok(Registered {
        origin,
        receipt_hash: Some(receipt_hash).filter(|hash| !hash.is_empty()),
        keys,
        named,
        history,
        description,
        product: respondent.product,
        category_hint,
        vulnerabilities: complainant.vulnerabilities,
        conversation: conversations::read(channel_detail)?,
        forwarded,
        reach,
    })
}

/// When an authority forwarded it, and how many may have seen it.
fn forwarded_and_reach(detail: Option<&ChannelDetail>) -> (Option<prost_types::Timestamp>, i64) {
    match detail {
        Some(ChannelDetail::Regulator(regulator)) => (regulator.forward_time, 0),
        Some(ChannelDetail::Social(social)) => (None, social.reach),
        Some(ChannelDetail::Phone(_) | ChannelDetail::Chat(_)) | None => (None, 0),
    }
}

/// What a directory can be asked by.
fn named(complainant: &Complainant, respondent: &Respondent) -> Named {
    Named {
        customer_id: complainant.customer_id.clone(),
        email: complainant.email.clone(),
        phone: complainant.phone.clone(),
        order_ref: respondent.order_ref.clone(),
        product_ref: respondent.product.clone(),
    }
}

fn ended(check: &mut Check, history: wire::History) -> History {
    let wire::History { outcome, reasons, resolve_time, close_time } = history;
    let closed = check.time("complaint.history.close_time", close_time);
    check.ensure(closed.is_some(), "complaint.history.close_time", "is required");
    History {
        outcome: Outcome::of(outcome),
        reasons,
        resolved: check.time("complaint.history.resolve_time", resolve_time),
        closed: closed.unwrap_or_default(),
    }
}

/// A payload that is an event about a case.
pub(crate) trait IntoExternalEvent {
    /// Reads it.
    fn external_event(self) -> Result<ExternalEvent, Fault>;
}

fn unreadable(what: &str) -> Fault {
    Fault::new(Kind::Invalid, "INVALID_EVENT", format!("{what} cannot be read"))
}

#[expect(clippy::unnecessary_wraps, reason = "what every `external_event` answers")]
fn by(service: &str, cycle: i32, event: Event) -> Result<ExternalEvent, Fault> {
    Ok(ExternalEvent { cycle, actor: format!("<{service}>"), event })
}

impl IntoExternalEvent for CaseAssigned {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, department_id, agent_id, explanation } = self;
        by("assignment", cycle, Event::Assigned { department: department_id, agent: agent_id, explanation })
    }
}

impl IntoExternalEvent for CaseQueued {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, department_id, explanation } = self;
        by("assignment", cycle, Event::Queued { department: department_id, explanation })
    }
}

impl IntoExternalEvent for CaseAccepted {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, agent_id, accepter } = self;
        let actor = if accepter.is_empty() { agent_id } else { accepter };
        Ok(ExternalEvent { cycle, actor, event: Event::Accepted })
    }
}

impl IntoExternalEvent for AssignmentEscalated {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let why = match self.reason() {
            Escalation::PingPong => "to and fro between departments",
            Escalation::Rework => "reworked too often",
            Escalation::Unspecified => return Err(unreadable("reason")),
        };
        let reason = match self.supervisor_id.as_str() {
            "" => format!("{why}; nobody above can take it"),
            supervisor => format!("{why}; {supervisor} has it now"),
        };
        by("assignment", self.cycle, Event::Escalated { reason })
    }
}

impl IntoExternalEvent for CaseUnassignable {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, department_id, explanation } = self;
        by("assignment", cycle, Event::Unassignable { department: department_id, explanation })
    }
}

impl IntoExternalEvent for TaskCompleted {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let kind = match self.remedy_type.as_str() {
            "" => words(self.kind().as_str_name(), RemedyKind::Unspecified.as_str_name()),
            own => own.to_owned(),
        };
        let Self { cycle, department_id, compensation, reference, amount, recall_id, .. } = self;
        let mut check = Check::new();
        let amount = check.money("amount", amount).map(|amount| format!(" of {amount}")).unwrap_or_default();
        check.done("INVALID_EVENT")?;
        let did = if compensation { "undid" } else { "carried out" };
        let reference = match reference.as_str() {
            "" => String::new(),
            number => format!(", reference {number}"),
        };
        let work = format!("{department_id} {did} the {kind}{amount}{reference}");
        let of_plan = recall_id.is_empty();
        let event = if of_plan { Event::TaskCompleted { work } } else { Event::RecallTaskCompleted { work } };
        by("resolution", cycle, event)
    }
}

impl IntoExternalEvent for TaskNeedsAttention {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, plan_id: _, cycle, task_id: _, department_id, reason, .. } = &self;
        let why = match (self.outcome_unknown, self.rejections, self.escalated) {
            (true, ..) => "whether it was done is unknown: ".to_owned(),
            (_, times, true) => format!("handed back {times} times, a supervisor must find another way: "),
            (_, 0, _) => String::new(),
            (_, times, _) => format!("handed back ({times}): "),
        };
        let (cycle, department_id, reason) = (*cycle, department_id.clone(), format!("{why}{reason}"));
        by("resolution", cycle, Event::TaskNeedsAttention { department: department_id, reason })
    }
}

impl IntoExternalEvent for TaskWrittenOff {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let kind = match self.remedy_type.as_str() {
            "" => words(self.kind().as_str_name(), RemedyKind::Unspecified.as_str_name()),
            own => own.to_owned(),
        };
        let Self { cycle, department_id: department, amount, approver, reason, .. } = self;
        let mut check = Check::new();
        let amount = check.money("amount", amount).map(|amount| format!(" of {amount}")).unwrap_or_default();
        check.done("INVALID_EVENT")?;
        let event = Event::TaskWrittenOff { department, work: format!("{kind}{amount}"), reason };
        Ok(ExternalEvent { cycle, actor: approver, event })
    }
}

impl IntoExternalEvent for ShortageReported {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { cycle, department_id: department, sku: article, expect_time, .. } = self;
        let mut check = Check::new();
        let expected = check.time("expect_time", expect_time);
        check.ensure(expected.is_some(), "expect_time", "is required");
        check.done("INVALID_EVENT")?;
        let expected = expected.unwrap_or_default();
        by("resolution", cycle, Event::GoodsLacking { department, article, expected })
    }
}

impl IntoExternalEvent for InvestigationRequested {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let asked_for = words(self.inquiry().as_str_name(), Inquiry::Unspecified.as_str_name());
        let Self { cycle, department_id: department, question, requester, .. } = self;
        let event = Event::Investigation(Investigation::Requested { department, asked_for, question });
        Ok(ExternalEvent { cycle, actor: requester, event })
    }
}

impl IntoExternalEvent for InvestigationCompleted {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, task_id: _, department_id, question, findings, evidence, reference } =
            self;
        let numbered = Some(reference).filter(|one| !one.is_empty() && !evidence.contains(one));
        let mut all: Vec<String> = numbered.into_iter().collect();
        all.extend(evidence);
        let (department, evidence) = (department_id, all);
        let answered = Investigation::Answered { department, question, findings, evidence };
        by("resolution", cycle, Event::Investigation(answered))
    }
}

impl IntoExternalEvent for InvestigationCancelled {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, task_id: _, department_id: department, reason } = self;
        by("resolution", cycle, Event::Investigation(Investigation::Cancelled { department, reason }))
    }
}

impl IntoExternalEvent for RecallCaseAdded {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let Self { case_id: _, cycle, recall_id: _, sku: article, lot, notice, adder } = self;
        Ok(ExternalEvent { cycle, actor: adder, event: Event::Recalled { article, lot, notice } })
    }
}

impl IntoExternalEvent for TaskEscalated {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let whom = match self.level() {
            SupervisionLevel::Department => "it was reminded",
            SupervisionLevel::Supervisor => "its supervisor was told",
            SupervisionLevel::Head => "its head was told",
            SupervisionLevel::Unspecified => return Err(unreadable("level")),
        };
        let Self { cycle, department_id: department, recipient, .. } = self;
        let told = if recipient.is_empty() { whom.to_owned() } else { format!("{whom} ({recipient})") };
        by("resolution", cycle, Event::TaskEscalated { department, told })
    }
}

impl IntoExternalEvent for InformationAdded {
    fn external_event(self) -> Result<ExternalEvent, Fault> {
        let (from, by_complainant) = match self.source() {
            InformationSource::Complainant => ("the complainant added", true),
            InformationSource::Staff => ("staff added", false),
            InformationSource::Unspecified => return Err(unreadable("source")),
        };
        let Self { author, text, form_fields, completeness, evidence, .. } = self;
        let form = match form_fields.join(", ") {
            fields if fields.is_empty() => String::new(),
            fields => format!(" to the form: {fields}"),
        };
        let words = text.clone();
        let text = if text.is_empty() { text } else { format!(": {text}") };
        let score = completeness.map(|score| format!(" (the form is {score} % complete)"));
        let proof = match evidence.len() {
            0 => String::new(),
            1 => " a piece of evidence".to_owned(),
            count => format!(" {count} pieces of evidence"),
        };
        let what = format!("{from}{proof}{form}{text}{}", score.unwrap_or_default());
        let event = Event::InformationAdded(Information { what, words, by_complainant });
        Ok(ExternalEvent { cycle: 0, actor: author, event })
    }
}

/// `REMEDY_KIND_FEE_WAIVER` as people say it: `fee waiver`; the prefix is what it
/// has in common with the unspecified value.
fn words(name: &str, unspecified: &str) -> String {
    let prefix = unspecified.trim_end_matches("UNSPECIFIED");
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_department_did_reads_as_a_sentence() {
        let refund = TaskCompleted {
            cycle: 1,
            department_id: "finance".to_owned(),
            kind: RemedyKind::FeeWaiver.into(),
            reference: "R-7".to_owned(),
            amount: Some(proto::google::r#type::Money {
                currency_code: "CNY".to_owned(),
                units: 19,
                nanos: 0,
            }),
            ..TaskCompleted::default()
        };
        let text = |message: TaskCompleted| match message.external_event().expect("well-formed").event {
            Event::TaskCompleted { work } => work,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(refund.clone()), "finance carried out the fee waiver of CNY 19.00, reference R-7");
        let own = TaskCompleted { remedy_type: "gift-card".to_owned(), ..refund.clone() };
        assert_eq!(text(own), "finance carried out the gift-card of CNY 19.00, reference R-7");
        let undone = TaskCompleted { compensation: true, amount: None, ..refund };
        assert_eq!(text(undone), "finance undid the fee waiver, reference R-7");
    }
}
