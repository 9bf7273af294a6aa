//! What is posted. Nothing of it is read before its token is right.

use std::collections::HashMap;

use axum::RequestExt as _;
use axum::extract::{Form, FromRequest, Request};
use kernel::{Ids as _, RandomIds};

use crate::app::App;
use crate::form_token;
use crate::problem::Problem;
use crate::session::Visitor;

/// The field of the token.
pub(crate) const TOKEN: &str = "_token";
/// The field that makes a form sent twice the same one.
pub(crate) const REQUEST_ID: &str = "request_id";
/// Largest form: the longest texts that contracts take, as forms encode Chinese.
pub(crate) const BYTES_MAX: usize = 512 * 1024;
/// Most fields of a form.
const FIELDS_MAX: usize = 2_000;

/// A form that was sent from a page of ours, by who looks at it.
#[derive(Debug, Default)]
pub(crate) struct Posted(HashMap<String, Vec<String>>);

impl Posted {
    /// A form of these fields.
    pub(crate) fn of(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all = HashMap::<String, Vec<String>>::new();
        for (name, value) in fields {
            // Browsers send lines as HTTP has them; contracts count characters.
            all.entry(name).or_default().push(value.replace("\r\n", "\n"));
        }
        Self(all)
    }

    /// A field; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.first()).map_or("", |value| value.trim())
    }

    /// Every value of a field.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// A number; none where there is none.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.text(name).parse().ok()
    }

    /// The version that was seen; none skips the check.
    pub(crate) fn version(&self) -> Option<i64> {
        self.number("version")
    }

    /// The idempotency key made with the form, or a new one.
    pub(crate) fn request_id(&self) -> String {
        match self.text(REQUEST_ID) {
            "" => request_id(),
            made => made.to_owned(),
        }
    }
}

/// An idempotency key for a form.
pub(crate) fn request_id() -> String {
    RandomIds.token().to_string()
}

impl FromRequest<App> for Posted {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Problem> {
        let visitor: Visitor = request.extract_parts().await?;
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, app)
            .await
            .map_err(|refused| Problem::unreadable(&refused.body_text()))?;
        if fields.len() > FIELDS_MAX {
            return Err(Problem::unreadable("too many fields"));
        }
        let posted = Self::of(fields);
        if !form_token::is_of(&app.seals, &visitor.session.id, posted.text(TOKEN)) {
            return Err(Problem::form_expired());
        }
        Ok(posted)
    }
}
