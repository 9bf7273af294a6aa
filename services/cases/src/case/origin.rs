//! What a case begins with: what is known of its complaint.

use jiff::Timestamp;
use kernel::{Money, person};
use language::IdentifyingKind;
use vocabulary::{Channel, Matter};

/// What is known of a complaint when its case is opened; never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Complaint or report.
    pub(crate) matter: Matter,
    /// The road it came by.
    pub(crate) channel: Channel,
    /// One line, in the complainant's words.
    pub(crate) subject: String,
    /// Language to answer in.
    pub(crate) language: String,
    /// The organisation's number for the customer; empty when unknown.
    pub(crate) customer_id: String,
    /// Where the complainant is, in the organisation's own words; empty when unknown.
    pub(crate) region: String,
    /// Member of staff complained about; empty when none.
    pub(crate) respondent_staff: String,
    /// Sum asked for, where one was named.
    pub(crate) amount_sought: Option<Money>,
    /// When the complaint counts as received.
    pub(crate) receive_time: Timestamp,
    /// Trace context of the submission.
    pub(crate) traceparent: String,
}

impl Origin {
    /// Whom of the staff it is about, as names are compared; none where it is about nobody.
    pub(crate) fn respondent(&self) -> Option<String> {
        Some(person::folded(&self.respondent_staff)).filter(|name| !name.is_empty())
    }

    /// What says who somebody is: training cases are told without it. Of a field that is added
    /// it is decided here.
    pub(crate) fn identifying(&self) -> Vec<(IdentifyingKind, &str)> {
        let Self {
            matter: _,
            channel: _,
            // In the complainant's words, and read for what is in them.
            subject: _,
            language: _,
            customer_id,
            region: _,
            respondent_staff,
            amount_sought: _,
            receive_time: _,
            traceparent: _,
        } = self;
        let all = [(IdentifyingKind::Account, customer_id), (IdentifyingKind::Name, respondent_staff)];
        all.into_iter()
            .map(|(kind, text)| (kind, text.as_str()))
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    /// A complaint of which no more is known than that it came by this road then.
    #[cfg(test)]
    pub(crate) fn bare(channel: Channel, receive_time: Timestamp) -> Self {
        Self {
            matter: Matter::Complaint,
            channel,
            subject: String::new(),
            language: String::new(),
            customer_id: String::new(),
            region: String::new(),
            respondent_staff: String::new(),
            amount_sought: None,
            receive_time,
            traceparent: String::new(),
        }
    }

    /// Customer C-77 complains about Mallory Stone.
    #[cfg(test)]
    pub(crate) fn of_somebody(receive_time: Timestamp) -> Self {
        Self {
            customer_id: "C-77".to_owned(),
            respondent_staff: "Mallory Stone".to_owned(),
            ..Self::bare(Channel::Phone, receive_time)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_respondent_is_compared_whatever_the_letters_and_nobody_is_none() {
        let about = |staff: &str| Origin {
            respondent_staff: staff.to_owned(),
            ..Origin::bare(Channel::Web, Timestamp::UNIX_EPOCH)
        };
        assert_eq!(about(" Mallory  STONE ").respondent().as_deref(), Some("mallory stone"));
        assert_eq!((about("").respondent(), about("  ").respondent()), (None, None));
    }

    #[test]
    fn customers_and_staff_are_identified_and_a_region_is_nobody() {
        let origin = Origin { region: "CN-50".to_owned(), ..Origin::of_somebody(Timestamp::UNIX_EPOCH) };
        let found = origin.identifying();
        assert_eq!(found, [(IdentifyingKind::Account, "C-77"), (IdentifyingKind::Name, "Mallory Stone")]);
        assert_eq!(Origin::bare(Channel::Web, Timestamp::UNIX_EPOCH).identifying(), []);
    }
}
