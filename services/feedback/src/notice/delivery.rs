//! By which means a notice can reach somebody, and what keeps it from that.

use std::sync::Arc;

use super::{Contact, Kind, Means, Obstacle};
use crate::address::{OwnAddresses, is_program};
use crate::phone::e164;

/// How notices leave this house.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The means that are configured.
    pub means: Arc<[Means]>,
    /// Our own addresses, which are not written to.
    pub own: OwnAddresses,
    /// Calling code of telephone numbers that name none; empty where there is none.
    pub country: Arc<str>,
}

/// By which means a notice goes, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The means.
    pub means: Means,
    /// The address: of e-mail, or a telephone number; of a webhook what is known.
    pub recipient: String,
}

impl Delivery {
    /// By e-mail alone.
    pub fn mail(own: OwnAddresses) -> Self {
        Self { means: Arc::new([Means::Email]), own, country: Arc::default() }
    }

    /// Where a notice to a contact goes by these means; empty when that is not known.
    pub fn recipient(&self, means: Means, contact: &Contact) -> String {
        match means {
            Means::Sms => e164(&contact.phone, &self.country).unwrap_or_default(),
            // The operator's system knows more of them than we do.
            Means::Webhook if contact.recipient.is_empty() => contact.phone.clone(),
            _ => contact.recipient.clone(),
        }
    }

    /// The way a notice goes: the first of these means without an obstacle. Where there is
    /// none, the obstacle of the first one, for people to see to.
    pub fn way(&self, kind: Kind, order: &[Means], contact: &Contact) -> Result<Way, Obstacle> {
        let mut first = None;
        for means in order {
            let recipient = self.recipient(*means, contact);
            match self.obstacle(kind, *means, contact, &recipient) {
                None => return Ok(Way { means: *means, recipient }),
                Some(obstacle) => first = first.or(Some(obstacle)),
            }
        }
        Err(first.unwrap_or(Obstacle::NoTransport))
    }

    fn obstacle(&self, kind: Kind, means: Means, contact: &Contact, recipient: &str) -> Option<Obstacle> {
        // A system that mails in its turn is no way round them.
        let mailed = if means == Means::Sms { "" } else { contact.recipient.as_str() };
        match recipient {
            "" if contact.anonymous => Some(Obstacle::Anonymous),
            "" => Some(Obstacle::NoAddress),
            _ if self.own.has(mailed) => Some(Obstacle::OwnAddress),
            _ if is_program(mailed) => Some(Obstacle::AutomaticSender),
            _ if contact.automatic && kind == Kind::Acknowledgement => Some(Obstacle::AutomaticMessage),
            _ if !self.means.contains(&means) => Some(Obstacle::NoTransport),
            _ => None,
        }
    }
}
