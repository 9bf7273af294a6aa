//! Drops as they are settled.

use std::fs;
use std::time::Duration;

use proto::redress::intake::v1::{
    Channel, DeleteFileDropRequest, FileDrop, FileDropPlace, FileDropState, ListDroppedFilesRequest,
    ListFileDropsRequest, SetFileDropRequest,
};
use testkit::{reason, request_id, violations};

use super::{Desk, acme, set, table};

fn at(id: &str, path: &str) -> FileDrop {
    FileDrop { file_drop_id: id.to_owned(), path: path.to_owned(), ..acme() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_says_all_that_is_wrong_with_it_and_no_two_overlap() {
    let desk = Desk::open().await;
    let wrong = FileDrop {
        path: "../acme".to_owned(),
        authority: "FCA".to_owned(),
        mapping: "[columns]\nsubjekt = \"a\"\n".to_owned(),
        encoding: "utf-99".to_owned(),
        separator: "ab".to_owned(),
        ..acme()
    };
    let refused = set(&desk.client, wrong).await.expect_err("wrong");
    assert_eq!(reason(&refused), "INVALID_FILE_DROP");
    let fields = ["path", "authority", "mapping", "encoding", "separator"];
    assert_eq!(violations(&refused), fields.map(|field| format!("file_drop.{field}")));
    let bucket = FileDrop { place: FileDropPlace::Bucket.into(), ..acme() };
    let unset = set(&desk.client, bucket).await.expect_err("no bucket");
    assert_eq!(reason(&unset), "FILE_DROP_PLACE_UNSET");

    let made = set(&desk.client, at("acme", "partners/acme")).await.expect("set up");
    assert_eq!((made.version, made.channel(), made.place()), (1, Channel::Partner, FileDropPlace::Folder));
    for path in ["partners", "Partners/Acme", "partners/acme/incoming", "partners/acme"] {
        let taken = set(&desk.client, at("other", path)).await.expect_err("it overlaps");
        assert_eq!(reason(&taken), "FILE_DROP_OVERLAPS", "{path}");
    }
    set(&desk.client, at("other", "partners/acme2")).await.expect("beside it");
    let request = |seen| SetFileDropRequest {
        request_id: request_id(),
        file_drop: Some(at("acme", "partners/acme")),
        expected_version: Some(seen),
    };
    let stale = desk.client.clone().set_file_drop(request(0)).await.expect_err("stale");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");
    desk.client.clone().set_file_drop(request(1)).await.expect("seen");
    let delete = |seen| DeleteFileDropRequest {
        request_id: request_id(),
        file_drop_id: "acme".to_owned(),
        expected_version: Some(seen),
    };
    let stale = desk.client.clone().delete_file_drop(delete(1)).await.expect_err("stale");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");
    desk.client.clone().delete_file_drop(delete(2)).await.expect("deleted");
    let all =
        desk.client.clone().list_file_drops(ListFileDropsRequest {}).await.expect("listed").into_inner();
    assert_eq!(all.file_drops.len(), 1);
    set(&desk.client, at("new", "partners/acme")).await.expect("the place is free");
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_fifty_drops_and_no_more() {
    let desk = Desk::open().await;
    for number in 0..50 {
        let paused = FileDrop { paused: true, ..at(&format!("d{number}"), &format!("p{number}")) };
        set(&desk.client, paused).await.expect("set up");
    }
    let refused = set(&desk.client, at("one-more", "other")).await.expect_err("too many");
    assert_eq!(reason(&refused), "TOO_MANY_FILE_DROPS");
    set(&desk.client, at("d7", "elsewhere")).await.expect("changed");
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_drop_takes_nothing_a_silent_one_says_so_and_one_that_moves_gives_its_files_up() {
    let desk = Desk::open().await;
    let silent_after = Duration::from_hours(24).try_into().ok();
    let drop = FileDrop { silent_after, ..acme() };
    fs::write(desk.at("done"), "in the way").expect("written");
    set(&desk.client, drop.clone()).await.expect("set up");
    desk.put("a.csv", table(0..2));
    desk.until(|| async { desk.files().await.iter().any(|file| file.reason == "NO_FOLDER") }).await;
    set(&desk.client, FileDrop { paused: true, ..drop.clone() }).await.expect("paused");
    fs::remove_file(desk.at("done")).expect("removed");
    desk.put("b.csv", table(2..4));
    desk.clock.advance(Duration::from_mins(20));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((desk.files().await.len(), desk.names("incoming").len()), (1, 4));
    let moved =
        set(&desk.client, FileDrop { path: "elsewhere".to_owned(), paused: true, ..drop.clone() }).await;
    assert_eq!(moved.expect("moved").state(), FileDropState::Paused);
    let given_up = desk.files().await.remove(0);
    assert_eq!((given_up.reason.as_str(), given_up.registered_count), ("FILE_DROP_MOVED", 2));
    assert!(given_up.end_time.is_some());
    set(&desk.client, drop).await.expect("back, and resumed");
    let files = desk.ended(3).await;
    let again = files.iter().skip(1).find(|file| file.file_name == "a.csv").expect("noted anew");
    assert_eq!((again.registered_count, again.registered_before_count), (0, 2));
    desk.clock.advance(Duration::from_hours(25));
    desk.until(|| async { desk.drop().await.state() == FileDropState::Silent }).await;
    let of_drop = ListDroppedFilesRequest { file_drop_id: "nobody".to_owned(), ..Default::default() };
    let none = desk.client.clone().list_dropped_files(of_drop).await.expect("listed").into_inner();
    assert!(none.dropped_files.is_empty());
    desk.house.done().await;
}
