//! What a mail brings along becomes attachments: the mail itself, and each of its files that
//! the tenant accepts. The others stay in the mail.

use fault::Fault;
use mail::{Mail, Part};
use proto::redress::intake::v1::Evidence;

use super::{MailTaker, Taken};
use crate::attachment::{Attachment, State, media_type_of};

/// Most pieces of evidence a complaint has: the mail itself, and so many files.
const MAX_PARTS: usize = 49;
/// Longest name of a file.
const MAX_NAME: usize = 200;
/// What a mail is, as evidence.
const KIND_MAIL: &str = "e-mail";
/// What a file is that came with it.
const KIND_FILE: &str = "attachment of the e-mail";

impl MailTaker {
    /// What the mail brings along, as evidence.
    pub(super) async fn evidence(&self, taken: &mut Taken, mail: &Mail) -> Result<Vec<Evidence>, Fault> {
        let mut evidence = Vec::new();
        for (place, part) in mail.parts.iter().enumerate() {
            if place >= MAX_PARTS {
                let left = mail.parts.len() - MAX_PARTS;
                taken.mail.remark(&format!("{left} more files are in the e-mail only"));
                break;
            }
            if let Some(one) = self.file(taken, place, part).await? {
                evidence.push(one);
            }
        }
        if let Some(whole) = self.whole(taken).await? {
            evidence.insert(0, whole);
        }
        Ok(evidence)
    }

    /// The mail itself: whole from now on, and looked at by the scanner. None where that has
    /// found something in it: what it says is registered all the same.
    pub(super) async fn whole(&self, taken: &mut Taken) -> Result<Option<Evidence>, Fault> {
        let Some(id) = taken.mail.attachment else { return Ok(None) };
        let read = self.db.transact("mail.whole", &taken.tenant, async move |mut tx| {
            let found = crate::store::attachments::get(&mut tx, id).await?;
            Ok((tx, found))
        });
        let Some(mut attachment) = read.await? else { return Ok(None) };
        if attachment.is_to_be_finished() {
            attachment = self.receiver.finish(&taken.tenant, attachment).await?;
        }
        Ok(referred(taken, &attachment, KIND_MAIL))
    }

    /// A file as evidence; none where it is not accepted, which is remarked.
    async fn file(&self, taken: &mut Taken, place: usize, part: &Part) -> Result<Option<Evidence>, Fault> {
        let name = file_name(&part.name);
        if part.content.is_empty() {
            taken.mail.remark(&format!("{name} is empty"));
            return Ok(None);
        }
        let announced = Attachment {
            id: taken.mail.part_id(place),
            media_type: media_type_of(&part.media_type, &name),
            file_name: name,
            size: i64::try_from(part.content.len()).unwrap_or(i64::MAX),
            received: 0,
            declared_sha256: None,
            sha256: None,
            state: State::Receiving,
            reason: None,
            signature: String::new(),
            store: self.receiver.contents().store(),
            complaint: None,
            creator: taken.mail.subject_of_reader(),
            created: self.db.clock().now(),
        };
        let name = announced.file_name.clone();
        let Some(attachment) = self.receiver.take_whole(&taken.tenant, announced, &part.content).await?
        else {
            taken.mail.remark(&format!(
                "{name} is not accepted as an attachment (type, size or quota): it is in the e-mail only"
            ));
            return Ok(None);
        };
        Ok(referred(taken, &attachment, KIND_FILE))
    }
}

/// An attachment as evidence; none where it was refused, which is remarked.
fn referred(taken: &mut Taken, attachment: &Attachment, kind: &str) -> Option<Evidence> {
    if let Some(refusal) = attachment.refusal() {
        taken.mail.remark(&format!("{}: {refusal}", attachment.file_name));
        return None;
    }
    let is_fit = matches!(attachment.state, State::Scanning | State::Ready);
    is_fit.then(|| Evidence {
        kind: kind.to_owned(),
        attachment_id: attachment.id.to_string(),
        ..Evidence::default()
    })
}

/// The name of a file, as attachments may have it.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c == '/' || c == '\\' || c.is_control() { '_' } else { c };
    let name: String = name.trim().chars().map(plain).take(MAX_NAME).collect();
    if name.is_empty() { "attachment".to_owned() } else { name }
}
