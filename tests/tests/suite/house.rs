//! The rules of the house that a compiler does not hold: which way the arrows
//! point, how large a room may be, that contracts and settings say what they are,
//! and that every statement fits the schema it is written for.

mod names;
mod recipes;
mod rooms;
mod statements;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use prost_reflect::{Cardinality, MessageDescriptor};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};
use testkit::House;
use tests::SERVICES;

use crate::twice::{contracts, rpcs};
use statements::{bare_numbers, by_position, macros, numbered, pieces, statements};

/// Longest file before it becomes a folder of rooms.
const MAX_LINES: usize = 500;
/// Longest function.
const MAX_FUNCTION: usize = 70;
/// Most values that a statement writes by their positions; beyond, two that change places are not
/// seen, and `pg::Binds` names each beside its column.
const MAX_POSITIONS: usize = 8;
/// Most values that a statement takes at all.
const MAX_VALUES: usize = 14;
/// What may stand before `fn`.
const MODIFIERS: [&str; 5] = ["pub", "pub(crate)", "pub(super)", "async", "const"];
const NAMES: [&str; 5] = ["intake", "cases", "assignment", "resolution", "feedback"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for part in ["libs", "services", "tests"] {
        sources(&root().join(part), &mut found);
    }
    assert!(found.len() > 100, "the sources lie elsewhere");
    found
}

fn part(package: &Package) -> String {
    let below = package.manifest_path.strip_prefix(root().to_str().unwrap());
    below.map(|path| path.components().next().map(|c| c.to_string()).unwrap_or_default()).unwrap_or_default()
}

#[test]
fn arrows_point_one_way() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let services: BTreeSet<&str> =
        metadata.packages.iter().filter(|one| part(one) == "services").map(|one| one.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let from = part(package);
        let ours = package.dependencies.iter().filter(|one| one.kind != DependencyKind::Development);
        for to in ours.filter(|one| services.contains(one.name.as_str())) {
            let may_know_services = package.name.as_str() == "redress" || from == "tests";
            if !may_know_services {
                wrong.push(format!("{} knows the service {}", package.name, to.name));
            }
        }
        let on_testkit = package
            .dependencies
            .iter()
            .any(|one| one.name == "testkit" && one.kind != DependencyKind::Development && from != "tests");
        if on_testkit {
            wrong.push(format!("{} ships testkit", package.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(metadata.packages.len() >= 26, "packages are missing");
}

/// The lint of the workspace is off, and a crate of `libs/` turns it on: services have few
/// public functions, whose refusals are in their contracts.
#[test]
fn every_library_warns_of_functions_that_do_not_say_when_they_fail() {
    let silent: Vec<PathBuf> = fs::read_dir(root().join("libs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src/lib.rs"))
        .filter(|file| !fs::read_to_string(file).unwrap().contains("#![warn(clippy::missing_errors_doc)]"))
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

/// Crates that decide and do nothing else: their tests build in seconds.
const PURE: [&str; 11] = [
    "calendar",
    "filter",
    "kernel",
    "language",
    "mail",
    "posts",
    "predicate",
    "sameness",
    "statistics",
    "triage",
    "vocabulary",
];
/// What connects, waits or speaks a protocol.
const DOING: [&str; 6] = ["sqlx", "tokio", "tonic", "prost", "tracing", "futures"];

#[test]
fn a_pure_crate_builds_without_database_network_or_runtime() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for name in PURE {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap();
        for to in package.dependencies.iter().map(|one| one.name.as_str()) {
            let is_impure = ours.contains(to) && !PURE.contains(&to);
            if is_impure || DOING.iter().any(|doing| to.starts_with(doing)) {
                wrong.push(format!("{name} needs {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_stay_small() {
    let mut wrong = Vec::new();
    for path in all_sources() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") && !text.starts_with("#!") {
            wrong.push(format!("{}: does not say what it is for", path.display()));
        }
        wrong.extend(
            long_functions(&text).map(|(line, length)| format!("{}:{line}: {length} lines", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Functions longer than allowed. rustfmt closes a function at the indentation it
/// began with.
fn long_functions(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let mut words = code.split(' ').skip_while(|word| MODIFIERS.contains(word));
        let is_function = words.next() == Some("fn");
        if !is_function {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| *line == close);
        if let Some(length) = length.filter(|length| *length > MAX_FUNCTION) {
            found.push((at + 1, length));
        }
    }
    found.into_iter()
}

#[test]
fn contracts_say_what_everything_is() {
    let pool = contracts();
    let mut silent = Vec::new();
    for method in rpcs(&pool) {
        let file = method.parent_file();
        let said = comment(&file, method.path());
        if !said.contains("Fails with") && !said.contains("Fails as a whole only with") {
            silent.push(format!("{} does not say how it fails", method.full_name()));
        }
        let keyed = method.input().get_field_by_name("request_id").is_some();
        if keyed && !said.to_lowercase().contains("idempotent") && !said.contains("request_id") {
            silent.push(format!("{} does not say what repeating it does", method.full_name()));
        }
    }
    let ours = |message: &MessageDescriptor| message.full_name().starts_with("redress.");
    for message in pool.all_messages().filter(ours) {
        for field in message.fields() {
            if comment(&message.parent_file(), field.path()).is_empty() {
                silent.push(field.full_name().to_owned());
            }
            let listed = field.cardinality() == Cardinality::Repeated;
            assert!(
                !listed || field.is_list(),
                "{} is a map: request hashes need a canonical encoding",
                field.full_name()
            );
        }
    }
    for one in pool.all_enums().filter(|one| one.full_name().starts_with("redress.")) {
        for value in one.values() {
            if comment(&one.parent_file(), value.path()).is_empty() {
                silent.push(value.full_name().to_owned());
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// What stands before a part of a contract.
pub(crate) fn comment(file: &prost_reflect::FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref().unwrap();
    let place = info.location.iter().find(|location| location.path == path);
    place.and_then(|location| location.leading_comments.clone()).unwrap_or_default()
}

/// Beginnings of the names of rpcs that change nothing.
const READING: [&str; 23] = [
    "Pick",
    "Preview",
    "Query",
    "Check",
    "Get",
    "List",
    "Search",
    "Count",
    "Watch",
    "Subscribe",
    "Explain",
    "Classify",
    "Find",
    "Facet",
    "Suggest",
    "Track",
    "Replay",
    "Validate",
    "Download",
    "Export",
    "LookUp",
    "Prefill",
    "Try",
];
/// Rpcs that change something and yet carry no `request_id`: what they do twice is done
/// once.
const UNKEYED: [&str; 4] = [
    "EventInbox.RedriveParkedEvents",
    "AttachmentService.UploadAttachment",
    "WebhookSourceService.ReceiveWebhook",
    "ResolutionService.Heartbeat",
];

#[test]
fn every_rpc_that_changes_something_carries_a_request_id() {
    let pool = contracts();
    let unkeyed: Vec<String> = rpcs(&pool)
        .into_iter()
        .filter(|rpc| rpc.input().get_field_by_name("request_id").is_none())
        .filter(|rpc| !READING.iter().any(|verb| rpc.name().starts_with(verb)))
        .map(|rpc| format!("{}.{}", rpc.parent_service().name(), rpc.name()))
        .collect();
    assert_eq!(unkeyed, UNKEYED);
}

#[test]
fn every_setting_is_documented() {
    let mut files = vec![root().join("libs/server/src/settings.rs")];
    sources(&root().join("libs/server/src/settings"), &mut files);
    sources(&root().join("services/redress/src/cli"), &mut files);
    let settings: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let page = fs::read_to_string(root().join("deploy/README.md")).unwrap();
    let variables: BTreeSet<&str> =
        settings.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(variables.len() > 25, "settings lie elsewhere");
    let unknown: Vec<_> = variables.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(unknown.is_empty(), "deploy/README.md does not explain {unknown:?}");
}

#[test]
fn a_process_may_end_before_it_is_killed() {
    let seconds = |file: &str, key: &str| -> u64 {
        let text = fs::read_to_string(root().join("deploy").join(file)).unwrap();
        let (_, value) = text.split_once(key).unwrap();
        let digits = value.trim_start().split(|sign: char| !sign.is_ascii_digit()).next();
        digits.unwrap().parse().unwrap()
    };
    let end = u64::from(server::Settings::default().drain_seconds) + server::LONGEST_END.as_secs() + 1;
    let pause = seconds("k8s/common.yaml", "preStop: { sleep: { seconds:");
    assert!(seconds("k8s/common.yaml", "terminationGracePeriodSeconds:") > pause + end);
    assert!(seconds("compose.yaml", "stop_grace_period:") > end);
}

/// Every statement of every store, and of the libraries that work in each schema,
/// prepared by the role that runs it against the migrated schema: a misspelt column, a
/// missing grant, a wrong type fail here. So no recorded answers of a database need to
/// be kept and compared. None compares a state with a bare number: `pg::sql!` names it.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_fits_its_schema() {
    let house = House::open(&SERVICES).await;
    let mut owner = house.owner().await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    let mut ages = 0;
    for service in NAMES {
        let mut files = Vec::new();
        sources(&root().join("services").join(service).join("src"), &mut files);
        for library in ["pg", "events", "timers", "server"] {
            sources(&root().join("libs").join(library).join("src"), &mut files);
        }
        files.retain(|file| !file.ends_with("tests.rs"));
        let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let macros = macros(texts.iter().map(String::as_str));
        // What a role may not read, it is not told of.
        owner.execute("RESET ROLE").await.unwrap();
        let states = smallints(&mut owner, service).await;
        assert!(states.len() >= 3, "{service} keeps no states: {states:?}");
        let stores = files.iter().zip(&texts).filter(|(file, _)| file.to_string_lossy().contains("/store"));
        for (file, text) in stores {
            for bare in pieces(text, &macros).iter().flat_map(|piece| bare_numbers(piece, &states)) {
                wrong.push(format!("{}: {bare} is not named", file.display()));
            }
        }
        for statement in texts.iter().flat_map(|text| statements(text, &macros)) {
            count += 1;
            for bare in bare_numbers(&statement, &states) {
                wrong.push(format!("{service}: {bare} is not named in\n{statement}"));
            }
            let statement = numbered(&statement);
            // A queue's age is read over all tenants.
            let is_age = statement.starts_with("SELECT min(");
            ages += usize::from(is_age);
            let role = if is_age { format!("{service}_worker") } else { service.to_owned() };
            let become_role = format!("RESET ROLE; SET ROLE redress_{role}; SET search_path = {service}");
            owner.execute(AssertSqlSafe(become_role)).await.unwrap();
            if let Err(error) = prepare(&mut owner, &statement).await {
                wrong.push(format!("{service}: {error}\n{statement}"));
            }
            // Whether the role may is known only when it does.
            if is_age && let Err(error) = owner.execute(AssertSqlSafe(statement)).await {
                wrong.push(format!("{service}: {error}"));
            }
        }
    }
    assert!(count > 150, "only {count} statements were found");
    assert_eq!(
        ages, 15,
        "of cases that wait, of tasks, of attachments and objects, of mails, mailboxes and channels, of posts \
         and webhook sources, of dropped files and drops"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    house.done().await;
}

/// A wide statement pairs each value with its column's name.
#[test]
fn wide_statements_name_their_columns() {
    let files: Vec<String> = all_sources()
        .iter()
        .filter(|file| !file.ends_with("tests.rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let macros = macros(files.iter().map(String::as_str));
    let beyond = format!("${}", MAX_VALUES + 1);
    let statements: Vec<String> = files.iter().flat_map(|file| statements(file, &macros)).collect();
    let is_wide = |text: &&String| by_position(text) > MAX_POSITIONS || text.contains(&beyond);
    let wide: Vec<&String> = statements.iter().filter(is_wide).collect();
    assert!(wide.is_empty(), "more than {MAX_POSITIONS} values by position: {wide:#?}");
    let widest = statements.iter().map(|text| by_position(text)).max();
    assert_eq!(widest, Some(MAX_POSITIONS), "they are narrower: lower the limit");
}

#[test]
fn values_in_lists_and_beside_equals_signs_are_counted_and_named_ones_are_not() {
    assert_eq!(by_position("INSERT INTO t (a, b) VALUES (current_setting('x'), $1, $2, $2::text)"), 2);
    assert_eq!(
        by_position("UPDATE t SET a = $2, b = $3 WHERE id = $1 AND c > $4 AND d = ANY($5) LIMIT $6"),
        3
    );
    assert_eq!(by_position("SELECT r.a FROM (SELECT UNNEST($1::uuid[]) AS a) AS r"), 0);
}

/// Columns of type smallint that keep a number, and not that of a state: how often something was
/// told, and scores.
const NUMBERS: [&str; 3] = ["overdue_step", "satisfaction", "handling"];

/// The columns of a schema that keep the number of a named state: the others of type smallint.
async fn smallints(conn: &mut PgConnection, schema: &str) -> Vec<String> {
    let columns = "SELECT DISTINCT column_name::text FROM information_schema.columns
                   WHERE table_schema = $1 AND data_type = 'smallint'";
    let mut found: Vec<String> = sqlx::query_scalar(columns).bind(schema).fetch_all(conn).await.unwrap();
    found.retain(|column| !NUMBERS.contains(&column.as_str()));
    found
}

/// Has the server read a statement without running it.
async fn prepare(conn: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    // What cannot be prepared takes locks, which end with the transaction.
    let trial = if statement.starts_with("LOCK ") {
        format!("BEGIN; {statement}; ROLLBACK")
    } else {
        format!("PREPARE tried AS {statement}; DEALLOCATE tried")
    };
    conn.execute(AssertSqlSafe(trial)).await.map(|_| ())
}

/// No table of a tenant's data without forced row-level security, and no key that
/// does not begin with the tenant.
#[tokio::test(flavor = "multi_thread")]
async fn every_tenant_table_is_walled() {
    let house = House::open(&SERVICES).await;
    let mut owner = house.owner().await;
    let rows = sqlx::query(
        "SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS walled,
                obj_description(c.oid, 'pg_class') IS NOT NULL AS described,
                (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                 WHERE i.indrelid = c.oid AND i.indisprimary) AS leads
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname = ANY ($1) AND c.relname <> '_sqlx_migrations'
           AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')",
    )
    .bind(NAMES.map(str::to_owned).to_vec())
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(rows.len() > 20, "tables are missing");
    for row in rows {
        let name: String = row.get("name");
        assert!(row.get::<bool, _>("walled"), "{name} has no forced row-level security");
        assert!(row.get::<bool, _>("described"), "{name} has no comment");
        // The outbox is one feed per service; its reader serves all tenants.
        let feed = name.ends_with(".outbox");
        assert!(
            feed || row.get::<String, _>("leads") == "tenant_id",
            "{name}'s key does not begin with the tenant"
        );
    }
    let undescribed: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s.%s', c.oid::regclass, a.attname)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind = 'r' AND n.nspname = ANY ($1) AND c.relname <> '_sqlx_migrations'
           AND a.attname NOT IN ('tenant_id', 'only_row') AND col_description(c.oid, a.attnum) IS NULL",
    )
    .bind(NAMES.map(str::to_owned).to_vec())
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(undescribed.is_empty(), "columns without a comment: {undescribed:#?}");
    house.done().await;
}
