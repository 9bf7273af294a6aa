//! Every limit on what a caller may take of the server: time, connections, metadata;
//! and message sizes, the same for every service that is routed.
//!
//! Tonic keeps the sizes in each generated server, so there is one line here per
//! generated server; one that lacks its line cannot be routed at all.

use std::time::Duration;

use tonic::codec::CompressionEncoding;

/// Longest that a call which only reads may take.
pub(crate) const READ_TIME_LIMIT: Duration = Duration::from_mins(1);
/// Longest that a call which changes something may take.
pub(crate) const MUTATION_TIME_LIMIT: Duration = Duration::from_mins(2);
/// Longest that a stream of requests may take, its answer included.
pub(crate) const CLIENT_STREAM_TIME_LIMIT: Duration = Duration::from_mins(10);
/// Longest that a call which waits for something to happen may take: its contract lets
/// it ask for a minute.
pub(crate) const LONG_POLL_TIME_LIMIT: Duration = Duration::from_secs(90);
/// Longest that a streamed answer goes on before its caller is to call again.
pub(crate) const SERVER_STREAM_TIME_LIMIT: Duration = Duration::from_mins(30);
/// Longest that a call of health, reflection or of nothing there is may take; streams of
/// theirs take as long as others.
pub(crate) const TOOL_TIME_LIMIT: Duration = Duration::from_secs(10);
/// Most streams of health and reflection open at once. Nobody proves who they are for
/// them, and a check of health needs none.
pub(crate) const TOOL_STREAMS: u32 = 256;

/// How old a connection grows before its client is told to make another (GOAWAY): so
/// calls spread over replicas that came later, and nothing is held for ever.
pub(crate) const CONNECTION_AGE: Duration = Duration::from_mins(30);
/// How long what is under way on a connection of that age may go on before the
/// connection is closed: as long as the longest call that ends by itself.
pub(crate) const CONNECTION_AGE_GRACE: Duration = CLIENT_STREAM_TIME_LIMIT;
/// How long before its connection is closed a streamed answer ends in good order.
pub(crate) const STREAM_ENDS_BEFORE: Duration = Duration::from_secs(5);
/// How long a connection may be without a call.
pub(crate) const CONNECTION_IDLE: Duration = Duration::from_mins(10);
/// How long a new connection may say nothing.
pub(crate) const FIRST_BYTES: Duration = Duration::from_secs(10);
/// Most calls under way on one connection: more than one client has in flight.
pub(crate) const CONNECTION_STREAMS: u32 = 1024;

/// Most bytes of a call's metadata, each name and value and 32 bytes more for each, as
/// HTTP/2 counts them (RFC 9113, section 6.5.2): what common clients let pass, too.
pub(crate) const METADATA_BYTES: usize = 16 * 1024;
/// Most bytes of metadata that are read at all, so that what is too large is refused
/// like anything else; beyond, the transport answers 431 by itself.
pub(crate) const METADATA_BYTES_READ: u32 = 256 * 1024;

/// A generated server whose messages can be limited.
pub trait Limited {
    /// Refuses larger messages, in both directions, before and after compression.
    #[must_use]
    fn limited(self, bytes: usize) -> Self;
}

macro_rules! limited {
    ($($package:ident :: $module:ident :: $server:ident;)+) => {$(
        impl<T> Limited for proto::redress::$package::v1::$module::$server<T> {
            fn limited(self, bytes: usize) -> Self {
                self.max_decoding_message_size(bytes)
                    .max_encoding_message_size(bytes)
                    .accept_compressed(CompressionEncoding::Gzip)
            }
        }
    )+};
}

limited! {
    assignment::assignment_service_server::AssignmentServiceServer;
    assignment::roster_service_server::RosterServiceServer;
    assignment::routing_service_server::RoutingServiceServer;
    cases::calendar_service_server::CalendarServiceServer;
    cases::case_service_server::CaseServiceServer;
    cases::category_service_server::CategoryServiceServer;
    cases::clock_service_server::ClockServiceServer;
    cases::decision_service_server::DecisionServiceServer;
    cases::policy_service_server::PolicyServiceServer;
    cases::classifier_service_server::ClassifierServiceServer;
    cases::search_service_server::SearchServiceServer;
    cases::triage_service_server::TriageServiceServer;
    cases::group_service_server::GroupServiceServer;
    cases::link_service_server::LinkServiceServer;
    feedback::feedback_service_server::FeedbackServiceServer;
    intake::channel_service_server::ChannelServiceServer;
    intake::form_service_server::FormServiceServer;
    intake::intake_service_server::IntakeServiceServer;
    resolution::resolution_service_server::ResolutionServiceServer;
}
