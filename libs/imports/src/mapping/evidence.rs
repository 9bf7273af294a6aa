//! Columns that name proof: where it lies, or which attachment it is.

use proto::redress::intake::v1::{Complaint, Evidence};

use crate::problem::{Kind, Problem};

/// What the fields of evidence begin with.
const ROOT: &str = "evidence.";

/// What a column says of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Kind,
    Uri,
    AttachmentId,
}

impl Part {
    /// Every part, with its heading.
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("evidence.kind", Self::Kind),
        ("evidence.uri", Self::Uri),
        ("evidence.attachment_id", Self::AttachmentId),
    ];

    /// The part a field names, if it is one of evidence.
    pub(super) fn named(field: &str) -> Option<anyhow::Result<Self>> {
        field.strip_prefix(ROOT)?;
        let found = Self::ALL.iter().find(|(name, _)| *name == field).map(|(_, part)| *part);
        Some(
            found.ok_or_else(|| {
                anyhow::anyhow!("complaint.{field}: evidence has kind, uri and attachment_id")
            }),
        )
    }
}

/// What the cells of a row say of evidence.
#[derive(Debug, Default)]
pub(super) struct Offered {
    kinds: Vec<String>,
    uris: Vec<String>,
    attachments: Vec<String>,
}

impl Offered {
    /// Takes a cell: several in one are between separators.
    pub(super) fn add(&mut self, part: Part, cell: &str, separator: Option<&str>) {
        let list = match part {
            Part::Kind => &mut self.kinds,
            Part::Uri => &mut self.uris,
            Part::AttachmentId => &mut self.attachments,
        };
        let parts: Vec<&str> =
            separator.map_or_else(|| vec![cell], |separator| cell.split(separator).collect());
        list.extend(parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
    }

    /// Gives the complaint its evidence: links first, attachments then. One kind is that of
    /// all; several are as many as there are links and attachments, in this order.
    pub(super) fn give(self, complaint: &mut Complaint) -> Result<(), Problem> {
        let Self { kinds, uris, attachments } = self;
        let links = uris.into_iter().map(|uri| Evidence { uri, ..Evidence::default() });
        let here =
            attachments.into_iter().map(|attachment_id| Evidence { attachment_id, ..Evidence::default() });
        let mut evidence: Vec<Evidence> = links.chain(here).collect();
        // A constant kind is no evidence by itself.
        if kinds.len() > 1 && kinds.len() != evidence.len() {
            let why = format!("names {} kinds of {} pieces of evidence", kinds.len(), evidence.len());
            return Err(Problem {
                field: Some("complaint.evidence.kind".to_owned()),
                ..Problem::of_row(Kind::Evidence, why)
            });
        }
        for (place, piece) in evidence.iter_mut().enumerate() {
            piece.kind = kinds.get(place).or(kinds.first()).cloned().unwrap_or_default();
        }
        complaint.evidence = evidence;
        Ok(())
    }
}
