//! The ways intake says no.

use fault::{Kind, Refusal as Refuses};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key was used for another submission.
    KeyReused,
    /// The channel's number is another complaint's.
    ExternalRefReused,
    /// There is no such complaint for this tenant.
    ComplaintNotFound,
    /// No form serves the category, or it has no such version.
    FormNotFound,
    /// A bulk submission has more rows than one stream may have.
    TooManyRows,
    /// More submissions wait than the queue holds.
    QueueFull,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::KeyReused => "this request_id was used for another request; take a new one",
            Self::ExternalRefReused => {
                "external_ref is the number of another complaint of this channel; give this one its own, \
                 or let the channel's numbers repeat"
            }
            Self::ComplaintNotFound => "there is no complaint with this id",
            Self::FormNotFound => "there is no form for this category",
            Self::TooManyRows => "a stream may have 10 000 rows; send the rest in another",
            Self::QueueFull => "too many submissions are waiting; try again shortly",
        })
    }
}

impl Refuses for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::KeyReused | Self::ExternalRefReused => Kind::Exists,
            Self::ComplaintNotFound | Self::FormNotFound => Kind::NotFound,
            Self::TooManyRows => Kind::Invalid,
            Self::QueueFull => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::ExternalRefReused => "EXTERNAL_REF_REUSED",
            Self::ComplaintNotFound => "COMPLAINT_NOT_FOUND",
            Self::FormNotFound => "FORM_NOT_FOUND",
            Self::TooManyRows => "TOO_MANY_ROWS",
            Self::QueueFull => "OVERLOADED",
        }
    }
}
