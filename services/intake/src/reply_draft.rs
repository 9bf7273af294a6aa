//! A public reply to a post: who wrote it, who approved it, where it can be read. Pure.

use jiff::Timestamp;
use kernel::person;
use kernel::receipt::ReceiptCode;
use language::personal_details;
use posts::{Content, reply};
use uuid::Uuid;

use crate::refusal::Refusal;

/// Fewest characters of a number that is looked for in a reply.
const MIN_NUMBER: usize = 4;

kernel::numbered! {
    /// How far a reply is; numbers of the contract.
    State {
        /// Somebody has written it.
        Drafted = 1,
        /// Somebody else has approved it.
        Approved = 2,
        /// It was posted.
        Sent = 3,
    }
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplyDraft {
    /// The post that it answers.
    pub(crate) post: Uuid,
    /// The source of the post.
    pub(crate) source: String,
    /// The language that it is to be in.
    pub(crate) language: String,
    /// What it says.
    pub(crate) text: String,
    /// How far it is.
    pub(crate) state: State,
    /// Who wrote it last.
    pub(crate) drafter: String,
    /// Who approved it.
    pub(crate) approver: String,
    /// When.
    pub(crate) approved: Option<Timestamp>,
    /// Where it can be read.
    pub(crate) reply_uri: String,
    /// Who said that it was sent.
    pub(crate) sender: String,
    /// When.
    pub(crate) sent: Option<Timestamp>,
    /// Counts the changes, from 1.
    pub(crate) version: i64,
    /// When it was last changed.
    pub(crate) updated: Timestamp,
}

/// Which replies a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Those that are so far.
    pub(crate) state: Option<State>,
    /// Those to posts of a source.
    pub(crate) source: Option<String>,
}

/// What somebody writes.
#[derive(Clone, Debug)]
pub(crate) struct Wording {
    /// The text.
    pub(crate) text: String,
    /// The language that it is to be in.
    pub(crate) language: String,
    /// Who writes it.
    pub(crate) drafter: String,
}

impl ReplyDraft {
    /// One that was just written.
    pub(crate) fn new((post, source): (Uuid, String), wording: Wording, now: Timestamp) -> Self {
        let Wording { text, language, drafter } = wording;
        Self {
            post,
            source,
            language,
            text,
            state: State::Drafted,
            drafter,
            approver: String::new(),
            approved: None,
            reply_uri: String::new(),
            sender: String::new(),
            sent: None,
            version: 1,
            updated: now,
        }
    }

    /// Writes it anew: whoever approved it has not read this.
    pub(crate) fn rewrite(&mut self, wording: Wording, now: Timestamp) -> Result<(), Refusal> {
        if self.state == State::Sent {
            return Err(Refusal::ReplyAlreadySent);
        }
        let Wording { text, language, drafter } = wording;
        (self.text, self.language, self.drafter) = (text, language, drafter);
        (self.state, self.approved) = (State::Drafted, None);
        self.approver.clear();
        self.touch(now);
        Ok(())
    }

    /// Approves it.
    pub(crate) fn approve(&mut self, approver: &str, now: Timestamp) -> Result<(), Refusal> {
        if self.state != State::Drafted {
            return Err(Refusal::ReplyNotDrafted);
        }
        if person::is_same(approver, &self.drafter) {
            return Err(Refusal::OwnReply);
        }
        (self.state, self.approved) = (State::Approved, Some(now));
        approver.clone_into(&mut self.approver);
        self.touch(now);
        Ok(())
    }

    /// Notes that it was posted.
    pub(crate) fn record_sent(&mut self, sender: &str, uri: String, now: Timestamp) -> Result<(), Refusal> {
        if self.state != State::Approved {
            return Err(Refusal::ReplyNotApproved);
        }
        (self.state, self.reply_uri, self.sent) = (State::Sent, uri, Some(now));
        sender.clone_into(&mut self.sender);
        self.touch(now);
        Ok(())
    }

    fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated = now;
    }
}

/// Everything that keeps a text from being said in public about a post. The number of its case
/// is what a reply refers to.
pub(crate) fn unfit(text: &str, (content, reference): (&Content, &str), most: i32) -> Vec<String> {
    let mut wrong = Vec::new();
    let length = reply::length(text);
    if length > usize::try_from(most).unwrap_or_default() {
        wrong.push(format!("is {length} long as networks count, and may be {most}"));
    }
    let said = text.replace(reference, " ");
    let text = said.as_str();
    for detail in personal_details(text) {
        wrong.push(format!("has {} in line {}, column {}", detail.kind, detail.line, detail.column));
    }
    let is_of_code = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.split(|c| !is_of_code(c)).any(|word| ReceiptCode::parse(word).is_some()) {
        wrong.push("has a receipt code: whoever reads it could follow the complaint".to_owned());
    }
    let folded = posts::folded(text);
    let says = |number: &str| number.chars().count() >= MIN_NUMBER && folded.contains(&posts::folded(number));
    for (number, what) in [
        (&content.customer_id, "has the author's customer number"),
        (&content.order_ref, "has the number of the order"),
        (&content.email, "has the author's e-mail address"),
        (&content.phone, "has the author's telephone number"),
    ] {
        if says(number) {
            wrong.push(what.to_owned());
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use kernel::receipt::ReceiptKey;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn wording(drafter: &str) -> Wording {
        Wording { text: "Sorry".to_owned(), language: "en".to_owned(), drafter: drafter.to_owned() }
    }

    fn drafted() -> ReplyDraft {
        ReplyDraft::new((Uuid::from_u128(1), "x".to_owned()), wording("Ann"), at(0))
    }

    #[test]
    fn a_reply_is_approved_by_somebody_else_and_sent_once_it_is() {
        let mut one = drafted();
        assert_eq!(one.record_sent("tool", String::new(), at(1)), Err(Refusal::ReplyNotApproved));
        assert_eq!(one.approve(" ANN ", at(1)), Err(Refusal::OwnReply));
        assert_eq!(one.approve("bob", at(1)), Ok(()));
        assert_eq!(one.approve("cy", at(1)), Err(Refusal::ReplyNotDrafted));
        assert_eq!(one.rewrite(wording("bob"), at(2)), Ok(()));
        assert_eq!((one.state, one.approver.as_str(), one.approved), (State::Drafted, "", None));
        assert_eq!(one.approve("Bob", at(3)), Err(Refusal::OwnReply), "who changed it has written it");
        assert_eq!(one.approve("ann", at(3)), Ok(()));
        assert_eq!(one.record_sent("tool", "https://x.example/9".to_owned(), at(4)), Ok(()));
        assert_eq!((one.state, one.version, one.updated), (State::Sent, 5, at(4)));
        assert_eq!(one.rewrite(wording("ann"), at(5)), Err(Refusal::ReplyAlreadySent));
    }

    #[test]
    fn nothing_personal_is_said_in_public() {
        let code = ReceiptCode::derive(&ReceiptKey::new(&[7; 32]).expect("a key"), Uuid::from_u128(1));
        let content = Content {
            customer_id: "C-4711".to_owned(),
            order_ref: "A-99".to_owned(),
            phone: "12".to_owned(),
            ..Content::default()
        };
        let wrong = |text: &str| unfit(text, (&content, "01890000-0000-7000-8000-138001380001"), 280).len();
        assert_eq!(
            wrong("@ann we are sorry, 12 of us look into it: 01890000-0000-7000-8000-138001380001"),
            0
        );
        assert_eq!(wrong("call 13800138000"), 1);
        assert_eq!(wrong("write to ann@example.org"), 1);
        assert_eq!(wrong(&format!("回执码{code}")), 1);
        assert_eq!(wrong("customer ｃ-4711, order a-99"), 2);
        assert_eq!(wrong(&"x".repeat(281)), 1);
        assert_eq!((wrong(&"长".repeat(140)), wrong(&"长".repeat(141))), (0, 1));
    }
}
