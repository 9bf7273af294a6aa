//! File drops over a real Postgres and a real folder: what is taken, what becomes of each row, and
//! what no crash doubles.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

#[path = "file_drops/again.rs"]
mod again;
#[path = "file_drops/bucket.rs"]
mod bucket;
#[path = "file_drops/crashes.rs"]
mod crashes;
#[expect(dead_code, reason = "tests of attachments use more of it")]
#[path = "attachments/fake_s3.rs"]
mod fake_s3;
#[path = "file_drops/kinds.rs"]
mod kinds;
#[path = "file_drops/limits.rs"]
mod limits;
#[path = "file_drops/names.rs"]
mod names;
#[path = "file_drops/places.rs"]
mod places;
#[path = "file_drops/settings.rs"]
mod settings;
#[path = "file_drops/settling.rs"]
mod settling;
#[path = "file_drops/tenants.rs"]
mod tenants;
#[path = "file_drops/trying.rs"]
mod trying;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proto::redress::intake::v1::file_drop_service_client::FileDropServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Complaint, DroppedFile, DroppedFileState, FileDrop, GetComplaintRequest, GetFileDropRequest,
    ListDroppedFilesRequest, SetFileDropRequest,
};
use tempfile::TempDir;
use testkit::{CallerChannel, House, MockClock, PATIENCE, request_id};
use tonic::Status;

type Client = FileDropServiceClient<CallerChannel>;

/// How much later it is at each look of a test that waits, and how long that takes: slower than
/// leases end.
const TICK: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(200);

/// Intake with a folder for drops.
struct Desk {
    house: House,
    folder: TempDir,
    clock: MockClock,
    client: Client,
}

/// A line of a verdict file: row, reference, verdict, complaint, receipt, code, reason, field and
/// problem.
type Line = Vec<String>;

impl Desk {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// Opens it otherwise; the tenant `development` has a drop `acme` in the folder `acme`.
    async fn open_with(change: impl FnOnce(&mut server::Settings)) -> Self {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), MockClock::default());
        let root = folder.path().to_owned();
        let house = House::builder(&[intake::SERVICE])
            .clock(clock.clone())
            .settings(|settings| {
                settings.drops.folder = Some(root);
                change(settings);
            })
            .open()
            .await;
        let client = Client::new(house.channel());
        let desk = Self { house, folder, clock, client };
        fs::create_dir_all(desk.at("incoming")).expect("made");
        desk
    }

    /// A path below the folder of the drop.
    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("development/acme").join(path)
    }

    /// Puts a file there, and says that it is complete.
    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.at(&format!("incoming/{name}")), content).expect("written");
        fs::write(self.at(&format!("incoming/{name}.done")), "").expect("written");
    }

    /// Waits until something holds, while time passes.
    async fn until<F: Future<Output = bool>>(&self, mut holds: impl FnMut() -> F) {
        let started = Instant::now();
        while !holds().await {
            assert!(started.elapsed() < PATIENCE, "what the test waits for does not happen");
            self.clock.advance(TICK);
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn files(&self) -> Vec<DroppedFile> {
        let request = ListDroppedFilesRequest::default();
        let mut files =
            self.client.clone().list_dropped_files(request).await.expect("listed").into_inner().dropped_files;
        files.reverse();
        files
    }

    /// The files, oldest first, once there are so many that are done with.
    async fn ended(&self, count: usize) -> Vec<DroppedFile> {
        self.until(|| async {
            self.files().await.iter().filter(|file| file.end_time.is_some()).count() >= count
        })
        .await;
        let files = self.files().await;
        assert_eq!(files.len(), count, "{files:#?}");
        files
    }

    async fn drop(&self) -> FileDrop {
        let request = GetFileDropRequest { file_drop_id: "acme".to_owned() };
        self.client
            .clone()
            .get_file_drop(request)
            .await
            .expect("the drop")
            .into_inner()
            .file_drop
            .expect("one")
    }

    /// The lines of a verdict file, without its headings.
    fn verdicts(&self, name: &str) -> Vec<Line> {
        lines(&fs::read_to_string(self.at(&format!("verdicts/{name}.verdicts.csv"))).expect("a verdict file"))
    }

    /// The names in a folder of the drop.
    fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.at(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    async fn complaint(&self, id: &str) -> Complaint {
        let request = GetComplaintRequest { complaint_id: id.to_owned() };
        let answer = IntakeServiceClient::new(self.house.channel()).get_complaint(request).await;
        answer.expect("the complaint").into_inner().complaint.expect("the complaint")
    }

    async fn count(&self) -> i64 {
        let mut owner = self.house.owner().await;
        let count = sqlx::query_scalar("SELECT count(*) FROM intake.complaint");
        count.fetch_one(&mut owner).await.expect("counted")
    }

    async fn run(&self, sql: &'static str) {
        let mut owner = self.house.owner().await;
        sqlx::query(sql).execute(&mut owner).await.expect(sql);
    }
}

/// The lines of a verdict file, without its headings; no field of them has a comma or a line end
/// but the last.
fn lines(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut lines = text.split_terminator("\r\n");
    let headings = "row,reference,verdict,complaint_id,receipt_code,code,reason,field,problem";
    assert_eq!(lines.next(), Some(headings));
    lines.map(|line| line.splitn(9, ',').map(str::to_owned).collect()).collect()
}

fn acme() -> FileDrop {
    FileDrop {
        file_drop_id: "acme".to_owned(),
        path: "acme".to_owned(),
        owner: "ada".to_owned(),
        language: "en".to_owned(),
        ..FileDrop::default()
    }
}

async fn set(client: &Client, file_drop: FileDrop) -> Result<FileDrop, Status> {
    let request =
        SetFileDropRequest { request_id: request_id(), file_drop: Some(file_drop), expected_version: None };
    Ok(client.clone().set_file_drop(request).await?.into_inner().file_drop.expect("a drop"))
}

/// A table of complaints with these numbers.
fn table(numbers: std::ops::Range<u32>) -> String {
    let mut text = "external_ref,subject,description\n".to_owned();
    for number in numbers {
        let _ = writeln!(text, "R-{number},Late {number},It came {number} days late.");
    }
    text
}

/// How many rows became what: registered, registered before, refused.
fn counts(file: &DroppedFile) -> (i64, i64, i64) {
    assert_eq!(file.read_count, file.registered_count + file.registered_before_count + file.refused_count);
    (file.registered_count, file.registered_before_count, file.refused_count)
}

fn is_done(file: &DroppedFile) -> bool {
    file.state() == DroppedFileState::Done
}
