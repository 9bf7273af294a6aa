//! Files of real complaints, imported by `redress import` into a running `redress
//! up`: every row becomes a case, once.
//!
//! `make real` imports the real files, of the folder `REDRESS_DATA` names; small ones of
//! the same columns are imported in any case.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use proto::redress::cases::v1::CountCasesRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use serde_json::Value;
use testkit::Database;
use tests::real_data;
use tests::up::Up;

/// How long the last case may take to be opened after the last row was registered.
const PATIENCE: Duration = Duration::from_mins(3);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// So many looks without another case are the end.
const STILL: u32 = 10;

/// A file, how its columns are read, and how many rows it has.
struct Import {
    file: PathBuf,
    mapping: &'static str,
    rows: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_small_files_becomes_a_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let english = file(
        "english.csv",
        "src_row,Product,Consumer complaint narrative\n\
         1,Mortgage,\"They lost, \"\"again\"\", my papers.\n\nThree times.\"\n\
         7,Credit card,XXXX charged me twice.\n\
         9,Virtual currency,My account was closed.\n",
    );
    let chinese = file(
        "chinese.csv",
        "留言编号,留言用户,留言主题,留言时间,留言详情,答复意见,答复时间,完整性指标,可解释性指标\n\
         2549,A00045581,小区物业管理问题,2019/4/25 9:32:09,物业公司要退出小区。,已回复,2019/5/10 14:56:53,,\n\
         2554,A00023583,路灯不亮,2019/4/24 16:03:40,\"晚上出行不便，请尽快修理。\",已回复,2019/5/9 9:49:10,,\n",
    );
    let imports = [
        Import { file: english, mapping: "cfpb.toml", rows: 3 },
        Import { file: chinese, mapping: "zh-gov-messages.toml", rows: 2 },
    ];
    all_become_cases(&imports).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real files: `make real` runs it"]
async fn every_row_of_the_real_files_becomes_a_case() {
    let english = real_data("en_cfpb_narratives_3947.csv.gz").unwrap();
    let chinese = real_data("zh_gov_messages_with_replies_2816.csv.gz").unwrap();
    let imports = [
        Import { file: english, mapping: "cfpb.toml", rows: 3_947 },
        Import { file: chinese, mapping: "zh-gov-messages.toml", rows: 2_816 },
    ];
    all_become_cases(&imports).await.unwrap();
}

async fn all_become_cases(imports: &[Import]) -> Result<()> {
    let database = Database::copy_of("nothing", async |_| Ok(())).await?;
    let up = Up::start(database.url()).await?;
    let begun = Instant::now();
    for import in imports {
        let told = run(&up, import).await?;
        ensure!(told["registered"] == import.rows, "{}: {told}", import.file.display());
        ensure!(told["refused"] == 0, "{}: {told}", import.file.display());
    }
    // Once more: it is all there.
    for import in imports {
        let told = run(&up, import).await?;
        ensure!(told["rows"] == import.rows && told["refused"] == 0, "{told}");
    }
    let rows = imports.iter().map(|import| import.rows).sum::<u64>();
    let cases = cases_in_time(&up, rows).await?;
    println!("import: {rows} rows twice, {cases} cases, {} s", begun.elapsed().as_secs());
    ensure!(u64::try_from(cases) == Ok(rows), "{rows} rows became {cases} cases");
    ensure!(up.terminate().await?.success(), "it does not end well");
    database.drop().await
}

async fn run(up: &Up, import: &Import) -> Result<Value> {
    let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/redress/sample/mappings");
    let mapping = mappings.join(import.mapping);
    let words = ["import".as_ref(), "--json".as_ref(), "--mapping".as_ref(), mapping.as_os_str()];
    let output = up.run(&[words.as_slice(), &[import.file.as_os_str()]].concat()).await?;
    serde_json::from_slice(&output.stdout).context("it answers as JSON")
}

/// How many cases there are once there are so many, and no more come: what is imported
/// travels in a lane of its own, for which no token of a single submission stands.
async fn cases_in_time(up: &Up, rows: u64) -> Result<i64> {
    let client = up.client()?.within(PATIENCE);
    let begun = Instant::now();
    let (mut before, mut still) = (0, 0);
    loop {
        let counted = CaseServiceClient::new(client.calls()).count_cases(CountCasesRequest {}).await?;
        let total = counted.into_inner().total;
        still = if total == before { still + 1 } else { 0 };
        before = total;
        let is_all = u64::try_from(total)? >= rows && still >= STILL;
        if is_all || begun.elapsed() > PATIENCE {
            return Ok(total);
        }
        tokio::time::sleep(LOOK).await;
    }
}
