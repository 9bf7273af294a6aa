//! Proto ⇄ domain: what is offered as proof, of a complaint and of what is added to it.

use std::collections::HashMap;

use fault::{Check, Fault};
use prost::Message as _;
use proto::redress::intake::v1::Evidence;
use uuid::Uuid;

use super::attachments::{hex, read_sha256};
use super::{MAX_WORD, Reading, checked_uri};
use crate::attachment::{Attachment, IS_ANOTHERS, IS_UNKNOWN, Owner};
use crate::complaint::NewComplaint;

const MAX_EVIDENCE: usize = 50;
/// Where the evidence of a submission stands in its request.
const OF_COMPLAINT: &str = "complaint.evidence";
/// Where that of an addition does.
pub(super) const OF_ADDITION: &str = "evidence";

/// Attachments, by id.
pub(crate) type Attachments = HashMap<Uuid, Attachment>;

/// Checks evidence, but for the attachments it refers to.
pub(super) fn checked(check: &mut Check, list: &str, evidence: Vec<Evidence>) -> Vec<Evidence> {
    let evidence = check.list(list, evidence, MAX_EVIDENCE);
    let one = |(place, Evidence { kind, uri, sha256, attachment_id }): (usize, Evidence)| {
        let field = |name: &str| format!("{list}[{place}].{name}");
        let is_known = sha256.is_empty() || read_sha256(&sha256).is_some();
        check.ensure(is_known, &field("sha256"), "must be 64 hexadecimal digits");
        let kind = check.text(&field("kind"), kind, MAX_WORD);
        if attachment_id.is_empty() && uri.is_empty() {
            check.fail(&field("uri"), "is required unless attachment_id is given");
            return Evidence { kind, uri, sha256, attachment_id };
        }
        if attachment_id.is_empty() {
            let uri = checked_uri(check, &field("uri"), uri);
            return Evidence { kind, uri, sha256, attachment_id };
        }
        check.ensure(uri.is_empty(), &field("uri"), "cannot be combined with attachment_id");
        let id: Uuid = check.id(&field("attachment_id"), &attachment_id);
        Evidence { kind, uri, sha256, attachment_id: id.to_string() }
    };
    evidence.into_iter().enumerate().map(one).collect()
}

/// The attachments that evidence refers to, and their places.
fn referred(evidence: &[Evidence]) -> impl Iterator<Item = (usize, Uuid)> {
    let id = |one: &Evidence| Uuid::try_parse(&one.attachment_id).ok().filter(|id| !id.is_nil());
    evidence.iter().enumerate().filter_map(move |(place, one)| Some((place, id(one)?)))
}

/// The attachments that evidence refers to.
pub(crate) fn ids(evidence: &[Evidence]) -> Vec<Uuid> {
    referred(evidence).map(|(_, id)| id).collect()
}

/// Holds the attachments that evidence refers to against what is there, and fills in what
/// is known of them.
pub(super) fn fill(
    check: &mut Check,
    list: &str,
    evidence: &mut [Evidence],
    found: &Attachments,
    owner: Owner,
) {
    for (place, id) in referred(evidence).collect::<Vec<_>>() {
        let field = |name: &str| format!("{list}[{place}].{name}");
        let Some(attachment) = found.get(&id) else {
            check.fail(&field("attachment_id"), IS_UNKNOWN);
            continue;
        };
        if let Some(wrong) = attachment.unfit(owner) {
            check.fail(&field("attachment_id"), wrong);
        }
        let Some(sha256) = attachment.sha256.as_deref().map(hex) else { continue };
        let told = &mut evidence[place].sha256;
        check.ensure(
            told.is_empty() || *told == sha256,
            &field("sha256"),
            "is not that of the attachment; it may be left out",
        );
        *told = sha256;
    }
}

impl Reading {
    /// The attachments the submission refers to.
    pub(crate) fn attachments(&self) -> Vec<Uuid> {
        ids(&self.submission.complaint.evidence)
    }

    /// Holds them against what is there. One that was answered before is not checked again.
    pub(crate) fn check_attachments(&mut self, found: &Attachments, answered: bool) {
        let complaint = &mut self.submission.complaint;
        // Told again by its channel, it refers to attachments that it has already.
        let owner = if complaint.external_ref.is_empty() { Owner::New } else { Owner::Unclear };
        let mut aside = Check::new();
        let check = if answered { &mut aside } else { &mut self.check };
        fill(check, OF_COMPLAINT, &mut complaint.evidence, found, owner);
    }
}

/// The attachments of a complaint on its way in, and their places.
pub(super) fn of(evidence: &[Evidence]) -> Vec<(usize, Uuid)> {
    referred(evidence).collect()
}

/// The refusal of a submission whose attachments were another's by the time it was to be
/// registered.
pub(crate) fn taken(complaint: &NewComplaint, unfit: &[Uuid]) -> Fault {
    let mut check = Check::new();
    for (place, id) in &complaint.attachments {
        let field = format!("{OF_COMPLAINT}[{place}].attachment_id");
        check.ensure(!unfit.contains(id), &field, IS_ANOTHERS);
    }
    check.done("INVALID_COMPLAINT").err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Evidence as it is stored with an addition.
pub(super) fn stored(evidence: &[Evidence]) -> Vec<u8> {
    evidence.iter().flat_map(prost::Message::encode_length_delimited_to_vec).collect()
}

/// Evidence as it was stored.
pub(super) fn restored(mut bytes: &[u8]) -> Vec<Evidence> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        match Evidence::decode_length_delimited(&mut bytes) {
            Ok(one) => all.push(one),
            Err(error) => {
                tracing::error!(%error, "evidence of an addition cannot be read");
                break;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_stored_and_restored() {
        let one = Evidence { kind: "photograph".to_owned(), ..Evidence::default() };
        let all = vec![
            one,
            Evidence::default(),
            Evidence { uri: "https://a.example".to_owned(), ..Evidence::default() },
        ];
        assert_eq!(restored(&stored(&all)), all);
        assert_eq!(restored(&[]), Vec::new());
    }
}
