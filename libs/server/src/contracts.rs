//! What the layers need to know of each rpc, read off the contracts themselves.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use kernel::Role;
use kernel::role::RoleSet;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto};

use crate::limits::{
    CLIENT_STREAM_TIME_LIMIT, LONG_POLL_TIME_LIMIT, MUTATION_TIME_LIMIT, READ_TIME_LIMIT,
    SERVER_STREAM_TIME_LIMIT,
};

/// The field by which a request asks to be kept waiting for what is not there yet.
const WAIT: &str = "wait_duration";
/// The field that every request which changes something has.
const REQUEST_ID: &str = "request_id";
/// Package of the road between services, which must stay open under load.
const FEED: &str = "redress.event.v1.EventFeed";

/// What kind of rpc it is: how long it may occupy the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Reads, and is answered as fast as the work can be done.
    Read,
    /// Changes something: its request bears a `request_id`.
    Mutation,
    /// Its requests are a stream; one answer follows.
    ClientStream,
    /// Waits for something to happen, as its request asks.
    LongPoll,
    /// Streams its answer for as long as the caller stays.
    ServerStream,
}

impl Pace {
    /// Longest that a call may take, from its first byte to its last, the reading of its
    /// request included; whatever its caller would wait.
    pub(crate) const fn time_limit(self) -> Duration {
        match self {
            Self::Read => READ_TIME_LIMIT,
            Self::Mutation => MUTATION_TIME_LIMIT,
            Self::ClientStream => CLIENT_STREAM_TIME_LIMIT,
            Self::LongPoll => LONG_POLL_TIME_LIMIT,
            Self::ServerStream => SERVER_STREAM_TIME_LIMIT,
        }
    }

    /// Whether a call of this kind waits by design, rather than works.
    pub(crate) const fn waits(self) -> bool {
        matches!(self, Self::LongPoll | Self::ServerStream)
    }
}

/// One rpc of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// Full name of the gRPC service, e.g. `redress.cases.v1.CaseService`.
    pub(crate) service: String,
    /// Name of the rpc, e.g. `GetCase`.
    pub(crate) name: String,
    /// Both, as spans are named.
    pub(crate) full_name: String,
    /// The Redress service it addresses: second segment of the package.
    pub(crate) addressed: String,
    /// How long it occupies the server.
    pub(crate) pace: Pace,
    /// Whether its request is a stream of messages.
    pub(crate) streams_requests: bool,
    /// Whether it is the feed other services live on.
    pub(crate) is_feed: bool,
    /// Who may call it.
    pub(crate) callers: RoleSet,
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| read(&proto::descriptors()));

/// Reads the contracts now, rather than at the first call: who cannot must not serve.
pub(crate) fn load() {
    LazyLock::force(&METHODS);
}

/// The rpc behind an HTTP path; none for health, reflection and what is not ours.
pub(crate) fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

fn read(set: &FileDescriptorSet) -> HashMap<String, Method> {
    let (waiting, changing) = (requests_with(set, WAIT), requests_with(set, REQUEST_ID));
    let mut methods = HashMap::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("redress.")) {
        for service in &file.service {
            for rpc in &service.method {
                let method = describe(file, service.name(), rpc, pace(rpc, &waiting, &changing));
                methods.insert(format!("/{}", method.full_name), method);
            }
        }
    }
    methods
}

/// The messages that have a field of this name.
fn requests_with(set: &FileDescriptorSet, field: &str) -> HashSet<String> {
    let mut names = HashSet::new();
    for file in &set.file {
        for message in &file.message_type {
            if message.field.iter().any(|one| one.name() == field) {
                names.insert(format!(".{}.{}", file.package(), message.name()));
            }
        }
    }
    names
}

fn pace(rpc: &MethodDescriptorProto, waiting: &HashSet<String>, changing: &HashSet<String>) -> Pace {
    if rpc.server_streaming() {
        Pace::ServerStream
    } else if rpc.client_streaming() {
        Pace::ClientStream
    } else if waiting.contains(rpc.input_type()) {
        Pace::LongPoll
    } else if changing.contains(rpc.input_type()) {
        Pace::Mutation
    } else {
        Pace::Read
    }
}

fn describe(file: &FileDescriptorProto, service: &str, rpc: &MethodDescriptorProto, pace: Pace) -> Method {
    let service = format!("{}.{service}", file.package());
    let full_name = format!("{service}/{}", rpc.name());
    Method {
        callers: callers(&format!("/{full_name}")),
        full_name,
        name: rpc.name().to_owned(),
        addressed: file.package().split('.').nth(1).unwrap_or_default().to_owned(),
        streams_requests: rpc.client_streaming(),
        is_feed: service == FEED,
        pace,
        service,
    }
}

/// Whoever bears a role that the contract names, or one that is more. An rpc that
/// names none is nobody's.
fn callers(path: &str) -> RoleSet {
    let line = proto::CALLERS.binary_search_by_key(&path, |(path, _)| *path);
    let named = line.map_or(&[][..], |at| proto::CALLERS[at].1);
    named
        .iter()
        .filter_map(|number| Role::of(*number))
        .fold(RoleSet::NONE, |callers, role| callers.and(role.or_more()))
}

#[cfg(test)]
mod tests {
    use proto::redress::access::v1;

    use super::*;

    fn pace_of(path: &str) -> Option<Pace> {
        method(path).map(|method| method.pace)
    }

    #[test]
    fn the_pace_is_read_off_the_contract() {
        for (path, pace) in [
            ("/redress.cases.v1.CaseService/GetCase", Some(Pace::Read)),
            ("/redress.cases.v1.CaseService/AddNote", Some(Pace::Mutation)),
            ("/redress.intake.v1.IntakeService/SubmitComplaints", Some(Pace::ClientStream)),
            ("/redress.intake.v1.AttachmentService/UploadAttachment", Some(Pace::ClientStream)),
            ("/redress.resolution.v1.ResolutionService/PollTasks", Some(Pace::LongPoll)),
            ("/redress.cases.v1.CaseService/WatchCase", Some(Pace::ServerStream)),
            ("/redress.event.v1.EventFeed/Subscribe", Some(Pace::ServerStream)),
            ("/grpc.health.v1.Health/Check", None),
        ] {
            assert_eq!(pace_of(path), pace, "{path}");
        }
    }

    #[test]
    fn each_rpc_knows_the_service_it_addresses() {
        let method = method("/redress.assignment.v1.AssignmentService/ListQueue");
        assert_eq!(method.map(|method| method.addressed.as_str()), Some("assignment"));
        assert!(!METHODS.values().any(|method| method.addressed.is_empty()));
    }
    #[test]
    fn every_rpc_names_who_may_call_it() {
        let nobodys: Vec<_> = METHODS
            .values()
            .filter(|method| method.callers == RoleSet::NONE)
            .map(|method| &method.full_name)
            .collect();
        assert!(nobodys.is_empty(), "add `option (redress.access.v1.may_call)` to {nobodys:?}");
        assert!(METHODS.len() > 90, "rpcs are missing");
        assert_eq!(callers("/redress.cases.v1.CaseService/NoSuch"), RoleSet::NONE);
    }

    #[test]
    fn what_is_named_is_there() {
        for (path, roles) in proto::CALLERS {
            assert!(METHODS.contains_key(*path), "{path} is no rpc of ours");
            assert!(roles.iter().all(|number| Role::of(*number).is_some()), "{path} names an unknown role");
        }
    }

    #[test]
    fn roles_are_the_contracts() {
        for number in 1.. {
            let (role, contract) = (Role::of(number), v1::Role::try_from(number).ok());
            let name = role.map(|role| format!("ROLE_{}", role.name().to_uppercase().replace('-', "_")));
            assert_eq!(name.as_deref(), contract.map(|role| role.as_str_name()));
            if role.is_none() {
                break;
            }
        }
    }
}
