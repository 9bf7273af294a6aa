//! The same road for gRPC.

use std::io;

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::send::{Failure, Sender};
use crate::target::Target;

impl Sender {
    /// A channel over one connection, to an address that was looked at. It does not connect
    /// again.
    ///
    /// # Errors
    ///
    /// Fails if there is no address that may be connected to, or no connection in time;
    /// nothing was sent then.
    pub async fn channel(&self, target: &Target) -> Result<Channel, Failure> {
        let mut stream = Some(self.connect(target).await?);
        let connector = service_fn(move |_| {
            let stream = stream.take().map(TokioIo::new);
            async move { stream.ok_or_else(|| io::Error::other("the connection is used up")) }
        });
        // The stream is encrypted already where it is to be; what requests name is the URL.
        let transport = Endpoint::from_static("http://endpoint").origin(target.uri().clone());
        transport.connect_with_connector(connector).await.map_err(|_| Failure::Unreachable)
    }
}
