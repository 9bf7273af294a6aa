//! What keeps a notice from being sent.

/// Why a notice is not even tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody is known who could be told.
    Anonymous,
    /// Somebody is known, but no address that it can be sent to.
    NoAddress,
    /// The address is the organisation's own.
    OwnAddress,
    /// Only programs write from the address.
    AutomaticSender,
    /// A program wrote the complaint: it is not acknowledged.
    AutomaticMessage,
    /// Nothing to send it with is configured.
    NoTransport,
    /// The tenant's template could not write it.
    TemplateStopped,
}

impl Obstacle {
    /// As the contract names it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::NoAddress => "NO_ADDRESS",
            Self::OwnAddress => "OWN_ADDRESS",
            Self::AutomaticSender => "AUTOMATIC_SENDER",
            Self::AutomaticMessage => "AUTOMATIC_MESSAGE",
            Self::NoTransport => "NO_TRANSPORT",
            Self::TemplateStopped => "TEMPLATE_STOPPED",
        }
    }
}
