//! Who calls, as the verified identity says; never taken from a payload.

use std::fmt;
use std::sync::Arc;

use crate::role::Roles;

/// The organisation whose data a call touches. Lower-case letters, digits and
/// dashes, 1–63: it is spliced into `SET LOCAL`, so nothing else may pass.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// Longest tenant id.
    pub const MAX_LENGTH: usize = 63;

    /// Parses a tenant id.
    ///
    /// # Errors
    ///
    /// Fails if the text is empty, longer than [`Self::MAX_LENGTH`], or has any other
    /// character.
    pub fn parse(text: &str) -> Result<Self, InvalidTenant> {
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len());
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits && plain { Ok(Self(text.into())) } else { Err(InvalidTenant) }
    }

    /// The tenant that callers belong to while no identity source is configured.
    pub fn development() -> Self {
        Self("development".into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant:{}", self.0)
    }
}

/// A text that is no tenant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id has 1-63 lower-case letters, digits or dashes")]
pub struct InvalidTenant;

/// The verified identity behind a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose data they may touch.
    pub tenant: TenantId,
    /// Who they are, as the identity provider names them.
    pub subject: Arc<str>,
    /// What they may do.
    pub roles: Roles,
}
