//! Who the organisation's agents are, as the roster describes them. Pure.

/// An agent as the roster describes them.
pub(crate) struct Member {
    /// The subject they sign in as, folded.
    pub(crate) agent_id: String,
    /// The version of the description.
    pub(crate) version: i64,
    /// Name for people, folded.
    pub(crate) name: String,
}
