//! The channel generated clients work on.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use kernel::Ids;
use proto::CONSISTENCY_TOKEN;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::Service;

use crate::consistency::Token;
use crate::options::{Channels, ClientOptions, ConnectError, bearer};
use crate::{contracts, retry, trace};

/// A caller of Redress. Cheap to clone; its clones share connections.
#[derive(Clone)]
pub struct Client {
    channels: Channels,
    headers: HeaderMap,
    deadline: Duration,
    ids: Arc<dyn Ids>,
}

impl Client {
    /// Connects, and fails at once when nobody answers at the (default) address.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::lazy`] does, and if nobody answers.
    pub async fn connect(options: ClientOptions) -> Result<Self, ConnectError> {
        let mut client = Self::lazy(options.clone())?;
        client.channels.default = options.knock().await?;
        Ok(client)
    }

    /// Connects when first called; until then, and whenever the server is away,
    /// calls are repeated until their deadline.
    ///
    /// # Errors
    ///
    /// Fails if an address, what TLS needs for it, or a header cannot be used.
    pub fn lazy(options: ClientOptions) -> Result<Self, ConnectError> {
        let (headers, channels) = (options.headers()?, options.channels()?);
        Ok(Self { channels, headers, deadline: options.deadline, ids: options.ids })
    }

    /// The same connections, called on by somebody else: only a server without an
    /// identity source believes it.
    ///
    /// # Errors
    ///
    /// Fails if the name has characters that no header may have.
    pub fn speaking_as(&self, subject: &str) -> Result<Self, ConnectError> {
        let mut client = self.clone();
        let subject = subject.parse().map_err(|_| ConnectError::Header { what: "subject" })?;
        client.headers.insert("redress-subject", subject);
        Ok(client)
    }

    /// The same connections, called on by the bearer of this token.
    ///
    /// # Errors
    ///
    /// Fails if the token has characters that no header may have.
    pub fn bearing(&self, token: &str) -> Result<Self, ConnectError> {
        let mut client = self.clone();
        client.headers.insert(http::header::AUTHORIZATION, bearer(token)?);
        Ok(client)
    }

    /// The same connections for calls that may take this long.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// What generated clients are made over; each call goes to the service its rpc
    /// belongs to.
    pub fn calls(&self) -> Calls {
        Calls { client: Arc::new(self.clone()), place: None }
    }

    /// Like [`Client::calls`], but every call goes to where this service is: for the
    /// event feed and inbox, which each service has.
    pub fn calls_at(&self, service: &str) -> Calls {
        Calls { client: Arc::new(self.clone()), place: Some(service.into()) }
    }

    /// A new idempotency key.
    pub fn request_id(&self) -> String {
        self.ids.token().to_string()
    }

    /// Calls that see at least what this token stands for.
    #[must_use]
    pub fn seeing(&self, token: &Token) -> Self {
        let mut client = self.clone();
        if let Some(header) = token.header() {
            client.headers.insert(CONSISTENCY_TOKEN, header);
        }
        client
    }

    fn channel(&self, place: Option<&str>, path: &str) -> Channel {
        self.channels.of(place.or_else(|| contracts::addressed(path)))
    }

    async fn carry(&self, place: Option<&str>, mut request: Request<Body>) -> Response<Body> {
        let channel = self.channel(place, request.uri().path());
        for (name, value) in &self.headers {
            // What the request itself says wins.
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        trace::inject(request.headers_mut());
        if contracts::is_unary(request.uri().path()) {
            retry::until_answered(channel, request, self.deadline, self.ids.as_ref()).await
        } else {
            retry::once(channel, request).await.unwrap_or_else(tonic::Status::into_http)
        }
    }
}

/// A channel every generated client works on.
#[derive(Clone)]
pub struct Calls {
    client: Arc<Client>,
    place: Option<Arc<str>>,
}

impl Service<Request<Body>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    /// Always: readiness of the connection is a matter of each attempt.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let calls = self.clone();
        Box::pin(async move { Ok(calls.client.carry(calls.place.as_deref(), request).await) })
    }
}
