//! What a caller must know of each rpc, read off the contracts themselves: whether
//! it streams, and so cannot be repeated.

use std::collections::HashSet;
use std::sync::LazyLock;

use prost_types::FileDescriptorSet;

/// Paths of the rpcs of one request and one answer.
static UNARY: LazyLock<HashSet<String>> = LazyLock::new(|| read(&proto::descriptors()));

fn read(set: &FileDescriptorSet) -> HashSet<String> {
    let mut unary = HashSet::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("redress.")) {
        for service in &file.service {
            for method in service.method.iter().filter(|m| !m.client_streaming() && !m.server_streaming()) {
                unary.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    unary
}

/// Whether a path is one of our rpcs with one request and one answer.
pub(crate) fn is_unary(path: &str) -> bool {
    UNARY.contains(path)
}

/// The service a path addresses: the second segment of its package.
pub(crate) fn addressed(path: &str) -> Option<&str> {
    path.strip_prefix("/redress.")?.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_calls_are_unary() {
        assert!(is_unary("/redress.cases.v1.CaseService/GetCase"));
        assert!(!is_unary("/redress.cases.v1.CaseService/WatchCase"));
        assert!(!is_unary("/redress.intake.v1.IntakeService/SubmitComplaints"));
        assert!(!is_unary("/grpc.health.v1.Health/Check"));
    }

    #[test]
    fn a_path_names_its_service() {
        assert_eq!(addressed("/redress.cases.v1.CaseService/GetCase"), Some("cases"));
        assert_eq!(addressed("/grpc.health.v1.Health/Check"), None);
    }
}
