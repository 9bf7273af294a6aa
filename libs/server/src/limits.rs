//! Message sizes, the same for every service that is routed.
//!
//! Tonic keeps these limits in each generated server, so there is one line here
//! per generated server; one that lacks its line cannot be routed at all.

use tonic::codec::CompressionEncoding;

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
