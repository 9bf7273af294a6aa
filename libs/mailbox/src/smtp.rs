//! A listener that other mail servers deliver to, by SMTP (RFC 5321) or LMTP (RFC 2033).
//!
//! It takes messages for the recipients that [`Accept`] knows, hands each to
//! [`Keep`] once it is there whole, and answers what became of it. It relays
//! nothing, wants no password and asks no name server. Its extensions are STARTTLS, SIZE,
//! PIPELINING, 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES and CHUNKING.

mod command;
mod data;
mod line;
mod peers;
mod reply;
mod session;
mod transaction;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::arrival::Keep;
use peers::{Peers, Seat};
use session::Session;

/// How long nothing is accepted after accepting failed: there are no more file handles,
/// mostly, and some session must end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest that telling a client there is no room for it may take.
const TURN_AWAY_TIMEOUT: Duration = Duration::from_secs(2);

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP: one answer for a message.
    Smtp,
    /// LMTP, from a mail server of the same house: one answer for each recipient. The
    /// listener must not be reachable from the internet.
    Lmtp,
}

/// How a listener behaves.
#[derive(Clone)]
pub struct Options {
    /// The host name it greets with, e.g. `mail.example.org`.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// With what it offers STARTTLS; None: it does not.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether messages are taken over encrypted connections only. Without
    /// [`Options::tls`] nothing is taken then.
    pub require_tls: bool,
    /// Largest message, in bytes. A session holds one such message at most.
    pub largest: usize,
    /// Most recipients of one message; further ones are asked to be sent again.
    pub most_recipients: usize,
    /// Most connections at once; further ones are turned away with 421.
    pub most_connections: usize,
    /// Most connections at once from one peer: one address of IPv4, one /64 of IPv6.
    pub most_per_peer: usize,
    /// How long it waits for what.
    pub timeouts: Timeouts,
}

impl Options {
    /// Those of a listener by this name, with limits that suit one of a middle-sized
    /// organisation: messages of 25 MiB, 100 recipients, 100 connections, 10 of a peer.
    pub fn new(name: &str, protocol: Protocol) -> Self {
        Self {
            name: name.to_owned(),
            protocol,
            tls: None,
            require_tls: false,
            largest: 25 * 1024 * 1024,
            most_recipients: 100,
            most_connections: 100,
            most_per_peer: 10,
            timeouts: Timeouts::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("protocol", &self.protocol)
            .field("tls", &self.tls.is_some())
            .field("require_tls", &self.require_tls)
            .field("largest", &self.largest)
            .field("most_recipients", &self.most_recipients)
            .field("most_connections", &self.most_connections)
            .field("most_per_peer", &self.most_per_peer)
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

/// How long a listener waits. RFC 5321, 4.5.3.2, is more patient with clients that say
/// nothing (5 minutes); who is that slow sends again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the next command, after an answer. 2 minutes.
    pub command: Duration,
    /// For more of a message that is being sent. 1 minute.
    pub block: Duration,
    /// For a message as a whole. 10 minutes: 25 MiB at 350 kbit/s.
    pub message: Duration,
    /// For the handshake of TLS. 30 seconds.
    pub handshake: Duration,
    /// For an answer to be taken. 30 seconds.
    pub write: Duration,
    /// For [`Accept::recipient`]. 20 seconds; clients wait 5 minutes (RFC 5321).
    pub accept: Duration,
    /// For [`Keep::keep`]. 2 minutes; clients wait 10 minutes (RFC 5321).
    pub keep: Duration,
    /// For a whole connection, after which it ends with 421 before the next command. 1
    /// hour.
    pub session: Duration,
    /// For messages under way to be finished once the listener stops; sessions that take
    /// longer are cut. 30 seconds.
    pub stop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            command: Duration::from_mins(2),
            block: Duration::from_mins(1),
            message: Duration::from_mins(10),
            handshake: Duration::from_secs(30),
            write: Duration::from_secs(30),
            accept: Duration::from_secs(20),
            keep: Duration::from_mins(2),
            session: Duration::from_hours(1),
            stop: Duration::from_secs(30),
        }
    }
}

/// Says for whom messages are taken.
pub trait Accept: Send + Sync + 'static {
    /// Whether messages for an address are taken: as it was named, its case too, or
    /// `postmaster` without a domain. Where it was quoted, as in `"a b"@example.org`, the
    /// quotes are gone, and there may be spaces and another `@` in it: the domain is what
    /// follows the last one. May hold characters beyond ASCII if the client said SMTPUTF8.
    fn recipient(&self, address: &str) -> impl Future<Output = Recipient> + Send;
}

/// Whether an address is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// It is.
    Yes,
    /// It is not: 550.
    Unknown,
    /// That cannot be said now: 451.
    TryLater,
}

/// Serves a listener until `stop`. Then nothing more is accepted, every session finishes
/// the message that is under way, and ends with 421 before its next command; ends when all
/// have, or [`Timeouts::stop`] is over.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    accept: impl Accept,
    keep: impl Keep,
    stop: CancellationToken,
) {
    let (options, accept, keep) = (Arc::new(options), Arc::new(accept), Arc::new(keep));
    let peers = Peers::new(options.most_connections, options.most_per_peer);
    let mut sessions = JoinSet::new();
    while let Some(accepted) = next(&listener, &mut sessions, &stop).await {
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let Some(seat) = peers.seat(peer.ip()) else {
            turn_away(stream, &options.name).await;
            continue;
        };
        let session = Session::new(&options, &accept, &keep, stop.clone(), peer);
        sessions.spawn(converse(session, stream, seat));
    }
    drop(listener);
    let ended = async { while sessions.join_next().await.is_some() {} };
    let _ = timeout(options.timeouts.stop, ended).await;
    sessions.shutdown().await;
}

async fn converse<A: Accept, K: Keep>(session: Session<A, K>, stream: TcpStream, seat: Seat) {
    session.run(stream).await;
    drop(seat);
}

/// The next connection, while those that ended are forgotten; None once it is to stop.
async fn next(
    listener: &TcpListener,
    sessions: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<std::io::Result<(TcpStream, SocketAddr)>> {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => return Some(accepted),
        }
    }
}

/// Tells a client there is no room for it. What it takes is a few bytes that the system
/// has room for, so this does not keep others waiting.
async fn turn_away(mut stream: TcpStream, name: &str) {
    let answer = format!("421 4.3.2 {name} too many connections\r\n");
    let _ = timeout(TURN_AWAY_TIMEOUT, stream.write_all(answer.as_bytes())).await;
}
