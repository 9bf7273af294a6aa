//! `redress up` and the Postgres of its own, killed under it.

use std::path::Path;
use std::time::Duration;

use proto::redress::cases::v1::CountCasesRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use tests::up::Up;

/// The postmaster of a folder.
fn postmaster(folder: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(folder.join("cluster/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

fn kill(process: u32) {
    let mut kill = std::process::Command::new("sh");
    kill.args(["-c", "kill -9 \"$1\"", "sh", &process.to_string()]);
    assert!(kill.status().unwrap().success());
}

/// Waits until calls are answered again.
async fn serves(up: &Up) {
    let client = up.client().unwrap();
    testkit::eventually(|| async {
        let mut cases = CaseServiceClient::new(client.calls());
        cases.count_cases(CountCasesRequest::default()).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_killed_postgres_comes_back_and_one_that_does_not_ends_the_process() {
    // Below /var, where whoever runs Postgres for root may go.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), None, None).unwrap();
    let mut open = std::fs::metadata(folder.path()).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let data = folder.path().join("data");
    let up = Up::start_alone(&data).await.unwrap();
    serves(&up).await;
    kill(postmaster(&data).unwrap());
    serves(&up).await;

    // From here on it cannot start: what it is made of is gone.
    let first = postmaster(&data).unwrap();
    std::fs::rename(data.join("cluster/global"), folder.path().join("global")).unwrap();
    kill(first);
    let status = tokio::time::timeout(Duration::from_mins(2), up.ended()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1), "given up with a failure");
}
