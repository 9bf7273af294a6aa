//! The connections of a server: how many there are, from where, and for how long.
//!
//! A client gets a connection or none at once. It is told to make a new one when its
//! connection has a certain age (GOAWAY, by tonic); here a connection is closed that
//! goes on all the same, that nobody calls over, or that says nothing to begin with.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::Stream;
use http::Request;
use opentelemetry::global;
use opentelemetry::metrics::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::transport::server::{Connected, TcpIncoming, TlsConnectInfo};

use crate::limits::{CONNECTION_AGE, CONNECTION_AGE_GRACE, CONNECTION_IDLE, FIRST_BYTES};

/// How often a silent connection is probed.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long to wait when the machine has no room for a connection: for lack of files,
/// mostly, which is no reason to ask again at once, and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is said that connections are refused.
const SAY_AGAIN: Duration = Duration::from_secs(10);
/// The part of an IPv6 address that is one customer's (RFC 6177).
const IPV6_CUSTOMER_BITS: u32 = 64;

static REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.connections.refused")
        .with_description("Connections closed at once, because there were as many as there may be")
        .build()
});

/// How many connections there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) total: u32,
    /// Of one address, or one IPv6 network of 64 bits; this machine's own count for
    /// the total only, since a proxy beside the server speaks for everybody.
    pub(crate) of_address: u32,
    /// From the beginning until it is closed.
    pub(crate) lifetime: Duration,
    pub(crate) idle: Duration,
    pub(crate) first_bytes: Duration,
}

impl Limits {
    pub(crate) fn new(total: u32, of_address: u32) -> Self {
        Self {
            total,
            of_address,
            lifetime: CONNECTION_AGE + CONNECTION_AGE_GRACE,
            idle: CONNECTION_IDLE,
            first_bytes: FIRST_BYTES,
        }
    }
}

/// A connection, as calls see it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<State>);

struct State {
    /// Who is at the other end: one customer of the network.
    address: IpAddr,
    opened: Instant,
    closes: Instant,
    calls: AtomicUsize,
    /// When the last call ended, in milliseconds since it was opened.
    last_call: AtomicU64,
}

impl Connection {
    fn new(address: IpAddr, lifetime: Duration) -> Self {
        let opened = Instant::now();
        Self(Arc::new(State {
            address: customer(address),
            opened,
            closes: opened + lifetime,
            calls: AtomicUsize::new(0),
            last_call: AtomicU64::new(0),
        }))
    }

    /// The connection a request came over.
    pub(crate) fn of(request: &Request<Body>) -> Option<Self> {
        let extensions = request.extensions();
        let over_tls = || extensions.get::<TlsConnectInfo<Self>>().map(|info| info.get_ref().clone());
        extensions.get::<Self>().cloned().or_else(over_tls)
    }

    /// Who is at the other end, as far as addresses tell customers apart.
    pub(crate) fn customer(&self) -> IpAddr {
        self.0.address
    }

    /// When it is closed, whatever goes on.
    pub(crate) fn closes(&self) -> Instant {
        self.0.closes
    }

    /// How long nobody has called over it; none while somebody does.
    fn idles(&self) -> Option<Duration> {
        if self.0.calls.load(Ordering::Acquire) > 0 {
            return None;
        }
        let last = Duration::from_millis(self.0.last_call.load(Ordering::Acquire));
        Some(self.0.opened.elapsed().saturating_sub(last))
    }
}

/// A call under way on a connection.
pub(crate) struct Busy(Connection);

impl Busy {
    pub(crate) fn new(connection: Connection) -> Self {
        connection.0.calls.fetch_add(1, Ordering::AcqRel);
        Self(connection)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let State { opened, calls, last_call, .. } = &*self.0.0;
        let now = u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        last_call.fetch_max(now, Ordering::AcqRel);
        calls.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The connections there are, by address.
#[derive(Default)]
struct Open {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// One of the connections there may be; given back when dropped.
struct Slot {
    open: Arc<Mutex<Open>>,
    address: IpAddr,
}

impl Slot {
    fn take(open: &Arc<Mutex<Open>>, address: IpAddr, limits: &Limits) -> Option<Self> {
        let address = customer(address);
        let mut counts = open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= limits.total || (of_address >= limits.of_address && !address.is_loopback()) {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, of_address + 1);
        Some(Self { open: Arc::clone(open), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// What one customer has of addresses: an IPv4 address, or an IPv6 network.
pub(crate) fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let mask = u128::MAX << (u128::BITS - IPV6_CUSTOMER_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
        canonical => canonical,
    }
}

/// Accepts connections, as many as there may be.
pub(crate) fn accept(listener: TcpListener, limits: Limits) -> impl Stream<Item = io::Result<Limited>> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEP_ALIVE));
    let accepting = (incoming, Arc::new(Mutex::new(Open::default())), None);
    futures::stream::unfold(accepting, move |(mut incoming, open, mut said)| async move {
        loop {
            match futures::StreamExt::next(&mut incoming).await? {
                Ok(stream) => {
                    if let Some(limited) = Limited::new(stream, &open, limits) {
                        return Some((Ok(limited), (incoming, open, said)));
                    }
                    REFUSED.add(1, &[]);
                    say_refused(&mut said, limits);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

fn say_refused(said: &mut Option<Instant>, limits: Limits) {
    if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
        *said = Some(Instant::now());
        tracing::warn!(
            total = limits.total,
            of_one_address = limits.of_address,
            "connections are refused: there are as many as REDRESS_MAX_CONNECTIONS or \
             REDRESS_MAX_CONNECTIONS_PER_ADDRESS allows"
        );
    }
}

/// A TCP connection that ends when it is too old, or nobody calls over it.
pub(crate) struct Limited {
    stream: TcpStream,
    connection: Connection,
    limits: Limits,
    is_heard: bool,
    look: Pin<Box<Sleep>>,
    _slot: Slot,
}

/// What became of a connection's time.
enum Time {
    Left,
    /// Nobody calls over it: it ends like one whose client has gone.
    Idle,
    Over,
}

impl Limited {
    fn new(stream: TcpStream, open: &Arc<Mutex<Open>>, limits: Limits) -> Option<Self> {
        let address = stream.peer_addr().ok()?.ip();
        let slot = Slot::take(open, address, &limits)?;
        let first = limits.first_bytes.min(limits.lifetime);
        Some(Self {
            stream,
            connection: Connection::new(address, limits.lifetime),
            limits,
            is_heard: false,
            look: Box::pin(tokio::time::sleep(first)),
            _slot: slot,
        })
    }

    /// Looks at the time when it is time to, and arranges for the next look.
    fn time(&mut self, cx: &mut Context<'_>) -> Time {
        while self.look.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let closes = self.connection.closes();
            if now >= closes || !self.is_heard {
                return Time::Over;
            }
            let idle_for = self.connection.idles().unwrap_or_default();
            if idle_for >= self.limits.idle {
                return Time::Idle;
            }
            let next = closes.min(now + self.limits.idle.saturating_sub(idle_for));
            self.look.as_mut().reset(next.into());
        }
        Time::Left
    }

    /// What writing comes to that cannot go on now.
    fn blocked<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.time(cx) {
            Time::Over => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Time::Left | Time::Idle => Poll::Pending,
        }
    }
}

impl Connected for Limited {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.connection.clone()
    }
}

impl AsyncRead for Limited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.is_heard = true;
            return read;
        }
        match self.time(cx) {
            Time::Left => Poll::Pending,
            Time::Idle => Poll::Ready(Ok(())),
            Time::Over => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncWrite for Limited {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Pending => self.blocked(cx),
            written @ Poll::Ready(_) => written,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, bufs) {
            Poll::Pending => self.blocked(cx),
            written @ Poll::Ready(_) => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        Poll::Ready(shut)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(50);

    fn limits() -> Limits {
        Limits { total: 3, of_address: 2, lifetime: LONG, idle: LONG, first_bytes: LONG }
    }

    #[test]
    fn connections_are_counted_in_all_and_by_address() {
        let open = Arc::default();
        let take = |address: &str| Slot::take(&open, address.parse().unwrap(), &limits());
        let one = take("192.0.2.1");
        let two = take("::ffff:192.0.2.1");
        assert!(one.is_some() && two.is_some());
        assert!(take("192.0.2.1").is_none(), "one address has two");
        let other = take("2001:db8:1:1::1");
        assert!(other.is_some() && take("2001:db8:2:1::1").is_none(), "there are three in all");
        drop(two);
        let neighbour = take("2001:db8:1:1:ffff::2");
        drop(one);
        assert!(neighbour.is_some() && take("2001:db8:1:1::3").is_none(), "one network has two");
        drop((other, neighbour));
        let local: Vec<_> = (0..3).map(|_| take("127.0.0.1")).collect();
        assert!(local.iter().all(Option::is_some), "a proxy beside the server speaks for everybody");
        drop(local);
        let left = open.lock().unwrap();
        assert_eq!((left.all, left.by_address.len()), (0, 0));
    }

    /// A client, and its connection as the server sees it.
    async fn connect(limits: Limits) -> (TcpStream, Limited) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut accepted = Box::pin(accept(listener, limits));
        let (client, server) = tokio::join!(TcpStream::connect(address), accepted.next());
        (client.unwrap(), server.unwrap().unwrap())
    }

    #[tokio::test]
    async fn one_too_many_is_closed_at_once_and_has_room_again_later() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut accepted = Box::pin(accept(listener, Limits { total: 1, ..limits() }));
        let mut first = TcpStream::connect(address).await.unwrap();
        let held = accepted.next().await.unwrap().unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        tokio::select! {
            read = second.read_u8() => assert!(read.is_err(), "closed at once"),
            _ = accepted.next() => panic!("there are more than may be"),
        }
        drop(held);
        assert!(first.read_u8().await.is_err());
        let _third = TcpStream::connect(address).await.unwrap();
        assert!(accepted.next().await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn who_says_nothing_at_first_is_not_waited_for() {
        let (_client, mut server) = connect(Limits { first_bytes: SHORT, ..limits() }).await;
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_without_calls_ends() {
        let (mut client, mut server) = connect(Limits { idle: SHORT, first_bytes: SHORT, ..limits() }).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        let call = Busy::new(server.connect_info());
        let waits = tokio::time::timeout(SHORT * 4, server.read_u8()).await;
        assert!(waits.is_err(), "while a call is under way it does not");
        drop(call);
        let begun = Instant::now();
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(begun.elapsed() >= SHORT.mul_f64(0.8), "it counts from the last call");
    }

    #[tokio::test]
    async fn a_connection_is_closed_in_the_end_whatever_goes_on() {
        let (mut client, mut server) =
            connect(Limits { lifetime: SHORT, first_bytes: LONG, ..limits() }).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        let _call = Busy::new(server.connect_info());
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let full = async { while server.write_all(&vec![0; 65_536]).await.is_ok() {} };
        tokio::time::timeout(LONG, full).await.expect("nor does it wait for one who does not read");
    }
}
