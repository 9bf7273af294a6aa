//! A delivery of a webhook over plain HTTP: whoever sends it proves nothing but that they have
//! the secret of a source, which the handler alone knows.

/// Whose webhook a delivery came to. Nobody has proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    tenant: String,
}

impl WebhookRequest {
    /// Most bytes of a delivery; more are not read.
    pub const MAX_BYTES: usize = 256 << 10;

    pub(crate) fn new(tenant: String) -> Self {
        Self { tenant }
    }

    /// What a call is, if it came as a delivery over plain HTTP.
    pub fn of<T>(request: &tonic::Request<T>) -> Option<&Self> {
        request.extensions().get()
    }

    /// Whose webhook it says that it is for: not believed yet, and it may be no tenant at all.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }
}
