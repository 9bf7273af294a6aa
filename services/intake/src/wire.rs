//! Proto ⇄ domain. Every field of a submission is taken by name, so that a field
//! added to the contract cannot be forgotten here.

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use kernel::receipt::ReceiptCode;
use kernel::{Caller, CaseId, Lane};
use prost::Message as _;
use proto::redress::intake::v1::{
    self as contract, Channel, Complainant, Complaint, ComplaintRegistered, GetComplaintRequest,
    ListComplaintsRequest, Matter, RegulatorDetail, RemedySought, Representative, Respondent, RowRefusal,
    SocialDetail, SubmitComplaintRequest, SubmitComplaintResponse, complaint::ChannelDetail,
};
use proto::timestamp;
use url::Url;
use uuid::Uuid;

pub(crate) mod attachments;
pub(crate) mod channels;
mod chat;
pub(crate) mod content;
pub(crate) mod evidence;
pub(crate) mod file_drops;
pub(crate) mod forms;
pub(crate) mod ivr_menus;
pub(crate) mod mailboxes;
pub(crate) mod mails;
mod phone;
pub(crate) mod posts;
pub(crate) mod prefilled;
pub(crate) mod reply_drafts;
pub(crate) mod times;
pub(crate) mod webhook_mappings;
pub(crate) mod webhook_sources;

use crate::complaint::{ExistingComplaint, Filter, KeptComplaint, NewComplaint, Registered};
use crate::ivr_menu::Held;

pub(crate) use contract::row_verdict::Verdict;

const MAX_SUBJECT: usize = 300;
const MAX_DESCRIPTION: usize = 20_000;
const MAX_WORD: usize = 200;
const MAX_EMAIL: usize = 320;
const MAX_PHONE: usize = 40;
const MAX_REGION: usize = 20;
const MAX_VULNERABILITIES: usize = 10;
const MAX_VULNERABILITY: usize = 60;
const MAX_URI: usize = 2_000;
const MAX_REMEDY: usize = 2_000;

/// A checked submission.
pub(crate) struct Submission {
    request_id: String,
    request_hash: [u8; 32],
    complaint: Complaint,
}

/// A submission being checked: its form, if one was filled in, is checked next.
pub(crate) struct Reading {
    check: Check,
    submission: Submission,
    late: times::Late,
    now: Timestamp,
}

/// Checks a submission that comes now, but for its form.
pub(crate) fn submission(request: SubmitComplaintRequest, now: Timestamp) -> Reading {
    let request_hash = pg::request_hash(&request);
    let SubmitComplaintRequest { request_id, complaint } = request;
    let mut check = Check::new();
    let request_id = check.request_id(request_id);
    check.ensure(complaint.is_some(), "complaint", "is required");
    let complaint = complaint.map(|complaint| checked(&mut check, complaint)).unwrap_or_default();
    let late = times::checked(&mut check, &complaint, now);
    phone::check_reachable(&mut check, &complaint);
    Reading { check, submission: Submission { request_id, request_hash, complaint }, late, now }
}

impl Reading {
    /// Whether it ended before it was brought here.
    pub(crate) fn is_history(&self) -> bool {
        self.submission.complaint.history.is_some()
    }

    /// Fills in what a call or a conversation leaves open; `menu` is the one in force.
    pub(crate) fn fill(&mut self, menu: Option<&Held>) {
        self.fill_call(menu);
        self.fill_chat();
        if self.submission.complaint.language.is_empty() && self.has_keys() {
            self.late.push(("complaint.language", "is required: no menu is in force that says it"));
        }
    }

    /// Whether something is wrong with it as things are now.
    pub(crate) fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Notes that: it was not answered while it was right.
    pub(crate) fn refuse_late(&mut self) {
        for (field, what) in std::mem::take(&mut self.late) {
            self.check.fail(field, what);
        }
    }

    /// The checked submission, or every violation at once.
    pub(crate) fn done(self) -> Result<Submission, Fault> {
        self.check.done("INVALID_COMPLAINT")?;
        Ok(self.submission)
    }
}

fn checked(check: &mut Check, complaint: Complaint) -> Complaint {
    let leaves = Leaves::of(&complaint);
    let Complaint {
        complaint_id: _, // output only
        channel,
        external_ref,
        complainant,
        representative,
        respondent,
        subject,
        description,
        occur_time,
        remedy_sought,
        evidence,
        language,
        category_hint,
        consent_given,
        channel_detail,
        receive_time,
        form_data,
        form_category: _, // output only, as is what follows
        form_version: _,
        completeness: _,
        matter,
        automatic,
        history,
        register_time: _,
        receive_time_by: _,
        recorder: _,
        filled_fields: _,
    } = complaint;
    let known = Channel::try_from(channel).is_ok_and(|channel| channel != Channel::Unspecified);
    check.ensure(known, "complaint.channel", "must be one of the channels");
    check.ensure(Matter::try_from(matter).is_ok(), "complaint.matter", "must be one of the matters");
    Complaint {
        complaint_id: String::new(),
        channel,
        external_ref: check.text("complaint.external_ref", external_ref, MAX_WORD),
        complainant: complainant.map(|complainant| checked_complainant(check, complainant)),
        representative: representative.map(|one| checked_representative(check, one)),
        respondent: respondent.map(|respondent| checked_respondent(check, respondent)),
        subject: text(check, leaves.subject, "complaint.subject", subject, MAX_SUBJECT),
        description: text(check, leaves.description, "complaint.description", description, MAX_DESCRIPTION),
        occur_time,
        remedy_sought: remedy_sought.map(|remedy| checked_remedy(check, remedy)),
        evidence: evidence::checked(check, "complaint.evidence", evidence),
        language: if leaves.language && language.is_empty() {
            language
        } else {
            check.language("complaint.language", language)
        },
        category_hint: check.text("complaint.category_hint", category_hint, MAX_WORD),
        consent_given,
        channel_detail: channel_detail.map(|detail| checked_detail(check, channel, detail)),
        receive_time,
        form_data: check.text("complaint.form_data", form_data, forms::MAX_ANSWER),
        form_category: String::new(),
        form_version: 0,
        completeness: None,
        matter,
        automatic,
        history,
        register_time: None,
        receive_time_by: String::new(),
        recorder: String::new(),
        filled_fields: Vec::new(),
    }
}

/// What a complaint may leave open, as it is filled in.
struct Leaves {
    subject: bool,
    description: bool,
    language: bool,
}

impl Leaves {
    fn of(complaint: &Complaint) -> Self {
        let missed = phone::is_missed(complaint);
        Self {
            subject: missed,
            description: missed || chat::has_words(complaint),
            language: phone::has_keys(complaint),
        }
    }
}

fn text(check: &mut Check, optional: bool, field: &str, text: String, most: usize) -> String {
    if optional { check.text(field, text, most) } else { check.required(field, text, most) }
}

fn checked_complainant(check: &mut Check, complainant: Complainant) -> Complainant {
    let Complainant { customer_id, display_name, email, phone, region, vulnerabilities } = complainant;
    let field = "complaint.complainant.vulnerabilities";
    let vulnerabilities = check.list(field, vulnerabilities, MAX_VULNERABILITIES);
    Complainant {
        customer_id: check.text("complaint.complainant.customer_id", customer_id, MAX_WORD),
        display_name: check.text("complaint.complainant.display_name", display_name, MAX_WORD),
        email: checked_email(check, "complaint.complainant.email", email),
        phone: check.text("complaint.complainant.phone", phone, MAX_PHONE),
        region: check.text("complaint.complainant.region", region, MAX_REGION),
        vulnerabilities: vulnerabilities
            .into_iter()
            .map(|text| check.required(field, text, MAX_VULNERABILITY))
            .collect(),
    }
}

fn checked_representative(check: &mut Check, representative: Representative) -> Representative {
    let Representative { display_name, authority, email } = representative;
    Representative {
        display_name: check.required("complaint.representative.display_name", display_name, MAX_WORD),
        authority: check.required("complaint.representative.authority", authority, MAX_WORD),
        email: checked_email(check, "complaint.representative.email", email),
    }
}

fn checked_respondent(check: &mut Check, respondent: Respondent) -> Respondent {
    let Respondent { organisation, branch, staff, product, order_ref, account_ref } = respondent;
    Respondent {
        organisation: check.text("complaint.respondent.organisation", organisation, MAX_WORD),
        branch: check.text("complaint.respondent.branch", branch, MAX_WORD),
        staff: check.text("complaint.respondent.staff", staff, MAX_WORD),
        product: check.text("complaint.respondent.product", product, MAX_WORD),
        order_ref: check.text("complaint.respondent.order_ref", order_ref, MAX_WORD),
        account_ref: check.text("complaint.respondent.account_ref", account_ref, MAX_WORD),
    }
}

fn checked_remedy(check: &mut Check, remedy: RemedySought) -> RemedySought {
    let RemedySought { text, amount } = remedy;
    let field = "complaint.remedy_sought.amount";
    if let Some(money) = check.money(field, amount.clone()) {
        check.ensure(money.minor >= 0, field, "must not be negative");
    }
    RemedySought { text: check.text("complaint.remedy_sought.text", text, MAX_REMEDY), amount }
}

fn checked_detail(check: &mut Check, channel: i32, detail: ChannelDetail) -> ChannelDetail {
    let (field, of, detail) = match detail {
        ChannelDetail::Phone(detail) => {
            ("complaint.phone", Channel::Phone, ChannelDetail::Phone(phone::checked(check, detail)))
        }
        ChannelDetail::Chat(detail) => {
            ("complaint.chat", Channel::Chat, ChannelDetail::Chat(chat::checked(check, detail)))
        }
        ChannelDetail::Social(detail) => {
            ("complaint.social", Channel::Social, ChannelDetail::Social(checked_social(check, detail)))
        }
        ChannelDetail::Regulator(RegulatorDetail { authority, reference, forward_time }) => {
            let authority = check.text("complaint.regulator.authority", authority, MAX_WORD);
            let reference = check.text("complaint.regulator.reference", reference, MAX_WORD);
            let detail = RegulatorDetail { authority, reference, forward_time };
            ("complaint.regulator", Channel::Regulator, ChannelDetail::Regulator(detail))
        }
    };
    check.ensure(channel == i32::from(of), field, "belongs to another channel");
    detail
}

fn checked_social(check: &mut Check, detail: SocialDetail) -> SocialDetail {
    let SocialDetail { author, uri, reach, post_time, origin_uri } = detail;
    check.ensure(reach >= 0, "complaint.social.reach", "must not be negative");
    let optional = |check: &mut Check, field: &str, uri: String| {
        if uri.is_empty() { uri } else { checked_uri(check, field, uri) }
    };
    SocialDetail {
        author: check.text("complaint.social.author", author, MAX_WORD),
        uri: optional(check, "complaint.social.uri", uri),
        reach,
        post_time,
        origin_uri: optional(check, "complaint.social.origin_uri", origin_uri),
    }
}

fn checked_email(check: &mut Check, field: &str, email: String) -> String {
    // Whether an address works is learnt by writing to it; this keeps out what
    // cannot be one, and header injection.
    let plausible = email.is_empty()
        || email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        });
    check.ensure(plausible, field, "must be an e-mail address");
    check.text(field, email, MAX_EMAIL)
}

/// A URI that people are going to click on: nothing that a browser would run
/// (`javascript:`, `data:`), and nothing on their own machine (`file:`).
fn checked_uri(check: &mut Check, field: &str, uri: String) -> String {
    let uri = check.text(field, uri, MAX_URI);
    // A parser passes over line ends and tabs within, a reader over blanks around it:
    // neither is to see another URI than the other.
    let whole = !uri.contains(|c: char| c.is_whitespace() || c.is_control());
    let web =
        whole && Url::parse(&uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    check.ensure(web, field, "must be an http or https URI with a host");
    uri
}

/// By what a complaint is known to those who may not see it.
pub(crate) struct Signs {
    /// Hash of its receipt code.
    pub(crate) receipt_hash: [u8; 32],
    /// Token of mails about it.
    pub(crate) mail_token: String,
}

/// A submission with what registration gives it, now.
pub(crate) fn new_complaint(
    submission: Submission,
    (caller, lane): (&Caller, Lane),
    id: CaseId,
    now: Timestamp,
    Signs { receipt_hash, mail_token }: Signs,
) -> NewComplaint {
    let Submission { request_id, request_hash, mut complaint } = submission;
    // A clock a little ahead of ours states what is just coming.
    let stated = complaint.receive_time.and_then(moment).map(|stated| stated.min(now));
    let received = stated.unwrap_or(now);
    complaint.complaint_id = id.to_string();
    complaint.receive_time = Some(timestamp(received));
    complaint.register_time = Some(timestamp(now));
    complaint.receive_time_by = stated.map(|_| caller.subject.to_string()).unwrap_or_default();
    complaint.recorder = caller.subject.to_string();
    let customer = complaint.complainant.as_ref().map(|complainant| complainant.customer_id.clone());
    let (channel, external_ref) = (complaint.channel, complaint.external_ref.clone());
    let content = content::hash(&complaint);
    let attachments = evidence::of(&complaint.evidence);
    let event =
        ComplaintRegistered { complaint: Some(complaint), receipt_hash: receipt_hash.to_vec(), mail_token };
    NewComplaint {
        tenant: caller.tenant.clone(),
        id,
        request_id,
        request_hash,
        channel: i16::try_from(channel).unwrap_or(0),
        external_ref: Some(external_ref).filter(|text| !text.is_empty()),
        content,
        customer_id: customer.filter(|text| !text.is_empty()),
        receipt_hash,
        registered: now,
        received,
        event: event.encode_to_vec(),
        traceparent: pg::trace::current(),
        lane,
        attachments,
    }
}

fn moment(time: prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok().map(kernel::time::micros)
}

/// A complaint that stands where a submission wanted to go. What it says is read off
/// its registration: rows of before have no hash.
pub(crate) fn existing(row: KeptComplaint) -> Result<ExistingComplaint, Fault> {
    let KeptComplaint {
        complaint_id,
        position,
        lane,
        request_id,
        request_hash,
        channel,
        external_ref,
        event,
    } = row;
    let complaint = complaint(&event)?;
    let received = complaint.receive_time.and_then(moment);
    Ok(ExistingComplaint {
        id: CaseId(complaint_id),
        received: received.ok_or_else(|| Fault::internal("a registration without its time"))?,
        position,
        lane: Lane::of(lane.into()),
        request_id,
        request_hash,
        channel,
        external_ref,
        content: content::hash(&complaint),
    })
}

/// The answer to a submission.
pub(crate) fn registered(registered: &Registered, receipt: &ReceiptCode) -> SubmitComplaintResponse {
    SubmitComplaintResponse {
        complaint_id: registered.id.to_string(),
        receipt_code: receipt.to_string(),
        receive_time: Some(timestamp(registered.received)),
        already_registered: registered.already,
    }
}

/// Why a row was refused.
pub(crate) fn refused(fault: &Fault) -> RowRefusal {
    let violation = |violation: &fault::Violation| contract::FieldViolation {
        field: violation.field.clone(),
        description: violation.description.clone(),
    };
    RowRefusal {
        code: fault.kind().code() as i32,
        reason: fault.reason().to_owned(),
        message: fault.message().to_owned(),
        violations: fault.violations().iter().map(violation).collect(),
    }
}

/// That a row was refused, where there is no room to say why.
pub(crate) fn refused_briefly(fault: &Fault) -> RowRefusal {
    RowRefusal {
        code: fault.kind().code() as i32,
        reason: fault.reason().to_owned(),
        message: "it is not valid; too many rows were refused to say why: send it alone".to_owned(),
        violations: Vec::new(),
    }
}

/// The id a read asks for.
pub(crate) fn complaint_id(request: GetComplaintRequest) -> Result<CaseId, Fault> {
    let GetComplaintRequest { complaint_id } = request;
    let mut check = Check::new();
    let id = check.id("complaint_id", &complaint_id);
    check.done("INVALID_COMPLAINT_ID")?;
    Ok(id)
}

/// The complaint an event tells of.
pub(crate) fn complaint(event: &[u8]) -> Result<Complaint, Fault> {
    let registered = ComplaintRegistered::decode(event).map_err(Fault::internal)?;
    let mut complaint =
        registered.complaint.ok_or_else(|| Fault::internal("a registration without its complaint"))?;
    // Before a time of receipt could be stated, it was that of the registration.
    complaint.register_time = complaint.register_time.or(complaint.receive_time);
    Ok(complaint)
}

/// What a list request asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) before: Option<Uuid>,
}

/// Checks a list request.
pub(crate) fn list(request: ListComplaintsRequest) -> Result<List, Fault> {
    let ListComplaintsRequest { page_size, page_token, channel, customer_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("{channel} {customer_id}"));
    let before = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    check.ensure(Channel::try_from(channel).is_ok(), "channel", "must be one of the channels");
    check.ensure(channel == 0 || customer_id.is_empty(), "customer_id", "cannot be combined with channel");
    let customer_id = check.text("customer_id", customer_id, MAX_WORD);
    check.done("INVALID_LIST")?;
    let filter = match (channel, customer_id) {
        (0, customer) if customer.is_empty() => Filter::All,
        (0, customer) => Filter::Customer(customer),
        (channel, _) => Filter::Channel(i16::try_from(channel).unwrap_or(0)),
    };
    Ok(List { page, filter, before })
}
