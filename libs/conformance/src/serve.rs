//! The department's rpcs on the wire. Each is answered by its name: a worker under test
//! calls six of the service's, and is told of the others that they are not served.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use prost::Message;
use proto::redress::resolution::v1::resolution_service_server::SERVICE_NAME;
use proto::redress::resolution::v1::{CompleteTaskResponse, FailTaskResponse, RejectTaskResponse};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::department::Department;
use crate::worker_call::Report;

/// Bytes of a frame before its message: whether it is compressed, and its length.
const FRAME_HEAD: usize = 5;

/// Serves until it is dropped.
pub(crate) async fn run(listener: TcpListener, department: Arc<Department>) {
    let incoming = TcpListenerStream::new(listener);
    // Its connections come from this process only: none can end it.
    let _ =
        tonic::transport::Server::builder().add_service(Rpcs(department)).serve_with_incoming(incoming).await;
}

/// The rpcs of a department.
#[derive(Clone)]
struct Rpcs(Arc<Department>);

impl NamedService for Rpcs {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<Request<Body>> for Rpcs {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let department = self.0.clone();
        Box::pin(async move { Ok(answer(department, request).await.unwrap_or_else(Status::into_http)) })
    }
}

async fn answer(department: Arc<Department>, request: Request<Body>) -> Result<Response<Body>, Status> {
    let rpc = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let frame = request.into_body().collect().await?.to_bytes();
    match rpc.as_str() {
        "StreamTasks" => Ok(responses(department.stream(read(&frame)?)?)),
        rpc => Ok(response(&message(&department, rpc, &frame).await?)),
    }
}

/// The one message that an rpc is answered with.
async fn message(department: &Department, rpc: &str, frame: &[u8]) -> Result<Vec<u8>, Status> {
    match rpc {
        "PollTasks" => Ok(department.poll(read(frame)?).await?.encode_to_vec()),
        "Heartbeat" => Ok(department.beat(&read(frame)?)?.encode_to_vec()),
        "CompleteTask" => {
            let task = Some(department.report(Report::completed(read(frame)?)).await?);
            Ok(CompleteTaskResponse { task }.encode_to_vec())
        }
        "FailTask" => {
            let task = Some(department.report(Report::failed(read(frame)?)).await?);
            Ok(FailTaskResponse { task }.encode_to_vec())
        }
        "RejectTask" => {
            let task = Some(department.report(Report::rejected(read(frame)?)).await?);
            Ok(RejectTaskResponse { task }.encode_to_vec())
        }
        other => {
            Err(Status::unimplemented(format!("a worker under test has no {other}: it polls and reports")))
        }
    }
}

/// The message of a request, which is one frame that is not compressed.
fn read<M: Message + Default>(frame: &[u8]) -> Result<M, Status> {
    match frame.split_at_checked(FRAME_HEAD) {
        Some(([0, ..], message)) => {
            M::decode(message).map_err(|error| Status::invalid_argument(error.to_string()))
        }
        Some(_) => Err(Status::unimplemented("compressed requests are not read here")),
        None => Err(Status::internal("a request without a message")),
    }
}

/// A message in its frame, and the status behind it.
fn response(message: &[u8]) -> Response<Body> {
    let ok = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    let trailers = HeaderMap::from_iter([ok]);
    with_body(Full::new(framed(message)).with_trailers(async { Some(Ok(trailers)) }))
}

/// Messages in their frames as they come, until a status ends them.
fn responses<M: Message>(messages: impl Stream<Item = Result<M, Status>> + Send + 'static) -> Response<Body> {
    let frames = async_stream::stream! {
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = messages.next().await {
            match message {
                Ok(message) => yield Ok(Frame::data(framed(&message.encode_to_vec()))),
                Err(status) => {
                    let mut trailers = HeaderMap::new();
                    yield status.add_header(&mut trailers).map(|()| Frame::trailers(trailers));
                    return;
                }
            }
        }
    };
    with_body(StreamBody::new(frames))
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend(message);
    Bytes::from(frame)
}

fn with_body<B>(body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
