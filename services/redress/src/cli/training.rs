//! `redress training …`: cases to learn from, made of closed ones, without those they are about.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::cases::v1::training_service_client::TrainingServiceClient;
use proto::redress::cases::v1::{
    CaseChallenge, CreateTrainingCaseRequest, EditTrainingCaseRequest, ExportTrainingCasesRequest,
    GetTrainingCaseRequest, ListTrainingCasesRequest, PersonalDetail, PersonalDetailKind,
    PickTrainingCasesRequest, PublishTrainingCaseRequest, RetireTrainingCaseRequest,
    SubmitTrainingCaseRequest, TrainingCase, TrainingCaseState, TrainingContent,
};
use proto::redress::intake::v1::GetComplaintRequest;
use proto::redress::intake::v1::complaint::ChannelDetail;
use show::{json, text, words};

use super::connection::{Caller, Connection, Page};

/// Longest that an export may take to come.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Args)]
pub(crate) struct Trainings {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Picks closed cases to learn from: of each category and priority, hard ones first
    Pick(Pick),
    /// Makes a training case of a closed case: a draft with placeholders for personal data
    Create {
        /// Id of the case
        case: String,
        /// What else is in its texts, as `name=Ann Lee` or `order=A-17`; may be repeated.
        /// Names and numbers that the complaint states are known
        #[arg(long = "hide", value_parser = detail)]
        hidden: Vec<PersonalDetail>,
    },
    /// Writes the next revision of a training case; what is not named stays as it is
    Edit(Edit),
    /// Hands a draft in, for somebody else to look at
    Submit {
        /// Id of the training case
        training_case: String,
    },
    /// Puts what was handed in in force; not for those who wrote it
    Publish {
        /// Id of the training case
        training_case: String,
    },
    /// Takes a training case out of use
    Retire {
        /// Id of the training case
        training_case: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Shows a training case with its texts
    Get {
        /// Id of the training case
        training_case: String,
        /// As this revision has it; else as the latest
        #[arg(long, default_value_t = 0)]
        revision: i32,
    },
    /// Lists training cases, newest first
    List(List),
    /// Writes the training cases in force, as JSON, one a line
    Export {
        /// Only those of this category, or of one below it
        #[arg(long, default_value = "")]
        category: String,
        /// Only those in this language, e.g. zh
        #[arg(long, default_value = "")]
        language: String,
        /// The file it is written to; standard output by default
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Pick {
    /// First day on which they were closed, as 2026-01-01 (UTC)
    #[arg(long)]
    from: String,
    /// The day after the last, as 2027-01-01
    #[arg(long, alias = "to")]
    until: String,
    /// Only cases of this category, or of one below it
    #[arg(long, default_value = "")]
    category: String,
    /// Most cases to pick, at most 100
    #[arg(long, default_value_t = 10)]
    limit: i32,
    /// What the lots are drawn by: the same seed draws the same
    #[arg(long, default_value = "")]
    seed: String,
}

#[derive(Args)]
struct Edit {
    /// Id of the training case
    training_case: String,
    /// What it is about, in one line
    #[arg(long)]
    title: Option<String>,
    /// What is to be learnt from it
    #[arg(long)]
    lesson: Option<String>,
    /// A file with the whole, as `get --json` writes it, edited; `-` for standard input
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Args)]
struct List {
    /// Only those in this state: draft, in-review, published, retired
    #[arg(long, value_parser = words::read::<TrainingCaseState>)]
    state: Option<TrainingCaseState>,
    /// Only those in force, as they are then
    #[arg(long)]
    in_force: bool,
    /// Only those of this category, or of one below it
    #[arg(long, default_value = "")]
    category: String,
    /// Only those in this language, e.g. zh
    #[arg(long, default_value = "")]
    language: String,
    /// Only those that were hard in this way: rework, reopened, disputed, corrected, escalated
    #[arg(long, value_parser = words::read::<CaseChallenge>)]
    challenge: Option<CaseChallenge>,
    #[command(flatten)]
    page: Page,
}

/// Reads `name=Ann Lee`.
fn detail(text: &str) -> Result<PersonalDetail, String> {
    let (kind, value) = text.split_once('=').ok_or("must be a kind and a value, as `name=Ann Lee`")?;
    let kind = words::read::<PersonalDetailKind>(kind)?.into();
    Ok(PersonalDetail { kind, value: value.to_owned() })
}

/// What the complaint states of those it is about: intake knows it, the handling of a case does
/// not.
async fn stated(caller: &Caller, complaint_id: &str) -> anyhow::Result<Vec<PersonalDetail>> {
    let request = GetComplaintRequest { complaint_id: complaint_id.to_owned() };
    let complaint = caller.intake().get_complaint(request).await?.into_inner().complaint.unwrap_or_default();
    let complainant = complaint.complainant.unwrap_or_default();
    let representative = complaint.representative.unwrap_or_default();
    let respondent = complaint.respondent.unwrap_or_default();
    let author = match complaint.channel_detail {
        Some(ChannelDetail::Social(social)) => social.author,
        _ => String::new(),
    };
    let all = [
        (PersonalDetailKind::Name, complainant.display_name),
        (PersonalDetailKind::Name, representative.display_name),
        (PersonalDetailKind::Name, respondent.staff),
        (PersonalDetailKind::Email, complainant.email),
        (PersonalDetailKind::Email, representative.email),
        (PersonalDetailKind::Telephone, complainant.phone),
        (PersonalDetailKind::Account, complainant.customer_id),
        (PersonalDetailKind::Account, respondent.account_ref),
        (PersonalDetailKind::Account, author),
        (PersonalDetailKind::Order, respondent.order_ref),
    ];
    let is_told = |value: &str| (2..=200).contains(&value.chars().filter(|c| c.is_alphanumeric()).count());
    let told = all.into_iter().filter(|(_, value)| is_told(value) && value.chars().count() <= 200);
    Ok(told.map(|(kind, value)| PersonalDetail { kind: kind.into(), value }).collect())
}

type Client = TrainingServiceClient<client::Calls>;

/// The training case as it is now: its version goes with what is done to it.
async fn seen(training: &mut Client, training_case_id: &str) -> anyhow::Result<TrainingCase> {
    let request = GetTrainingCaseRequest { training_case_id: training_case_id.to_owned(), revision: 0 };
    Ok(training.get_training_case(request).await?.into_inner().training_case.unwrap_or_default())
}

impl Edit {
    /// What is named in the place of what there is; and the version that it is of.
    fn over(self, now: TrainingCase) -> anyhow::Result<(i64, Option<TrainingContent>)> {
        let Self { training_case: _, title, lesson, file } = self;
        let (version, content) = match file {
            Some(file) => {
                let read = super::submit::read_text(&file)?;
                let edited: TrainingCase =
                    json::read(&read).with_context(|| format!("{}", file.display()))?;
                // Of the version that was read, where the file says which.
                let version = if edited.version > 0 { edited.version } else { now.version };
                (version, edited.content.unwrap_or_default())
            }
            None => (now.version, now.content.unwrap_or_default()),
        };
        let title = title.unwrap_or(content.title);
        let lesson = lesson.unwrap_or(content.lesson);
        Ok((version, Some(TrainingContent { title, lesson, ..content })))
    }
}

/// Does something to a training case, or reads it.
async fn change(training: &mut Client, caller: &Caller, verb: Verb) -> anyhow::Result<Option<TrainingCase>> {
    let request_id = caller.request_id();
    Ok(match verb {
        Verb::Create { case: case_id, hidden } => {
            let mut details = stated(caller, &case_id).await?;
            details.extend(hidden);
            let request = CreateTrainingCaseRequest { request_id, case_id, details };
            training.create_training_case(request).await?.into_inner().training_case
        }
        Verb::Edit(edit) => {
            let training_case_id = edit.training_case.clone();
            let now = seen(training, &training_case_id).await?;
            let (expected_version, content) = edit.over(now)?;
            let request = EditTrainingCaseRequest { request_id, training_case_id, expected_version, content };
            training.edit_training_case(request).await?.into_inner().training_case
        }
        Verb::Submit { training_case: training_case_id } => {
            let expected_version = seen(training, &training_case_id).await?.version;
            let request = SubmitTrainingCaseRequest { request_id, training_case_id, expected_version };
            training.submit_training_case(request).await?.into_inner().training_case
        }
        Verb::Publish { training_case: training_case_id } => {
            let expected_version = seen(training, &training_case_id).await?.version;
            let request = PublishTrainingCaseRequest { request_id, training_case_id, expected_version };
            training.publish_training_case(request).await?.into_inner().training_case
        }
        Verb::Retire { training_case: training_case_id, reason } => {
            let expected_version = seen(training, &training_case_id).await?.version;
            let request =
                RetireTrainingCaseRequest { request_id, training_case_id, expected_version, reason };
            training.retire_training_case(request).await?.into_inner().training_case
        }
        Verb::Get { training_case: training_case_id, revision } => {
            let request = GetTrainingCaseRequest { training_case_id, revision };
            training.get_training_case(request).await?.into_inner().training_case
        }
        Verb::Pick(_) | Verb::List(_) | Verb::Export { .. } => None,
    })
}

/// Writes lines to standard output, or to a file that is there once it is whole.
async fn export(
    caller: &Caller,
    request: ExportTrainingCasesRequest,
    out: Option<PathBuf>,
) -> anyhow::Result<()> {
    let mut training = TrainingServiceClient::new(caller.client.within(LONGEST).calls());
    let mut messages = training.export_training_cases(request).await?.into_inner();
    let mut lines = String::new();
    let mut count = 0;
    while let Some(message) = messages.message().await? {
        let line = json::line(&message.training_case.unwrap_or_default())?;
        count += 1;
        if out.is_some() {
            lines.push_str(&line);
            lines.push('\n');
        } else {
            show::say(&line)?;
        }
    }
    let Some(path) = out else { return Ok(()) };
    let told = format!("{count} training cases are in {}", path.display());
    let write =
        move || write_whole(&path, &lines).with_context(|| format!("cannot write {}", path.display()));
    tokio::task::spawn_blocking(write).await??;
    Ok(show::say(&told)?)
}

fn write_whole(path: &Path, lines: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".training-").tempfile_in(folder)?;
    file.write_all(lines.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

impl Trainings {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut training = TrainingServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Pick(Pick { from: start_date, until: end_date, category, limit: max_results, seed }) => {
                let request = PickTrainingCasesRequest { start_date, end_date, category, max_results, seed };
                let answer = training.pick_training_cases(request).await?.into_inner();
                show::answer(caller.json, &answer, text::training_picks)
            }
            Verb::List(List { state, in_force, category, language, challenge, page }) => {
                let request = ListTrainingCasesRequest {
                    page_size: page.limit,
                    page_token: page.page,
                    state: state.unwrap_or_default().into(),
                    in_force,
                    category,
                    language,
                    challenge: challenge.unwrap_or_default().into(),
                };
                let answer = training.list_training_cases(request).await?.into_inner();
                show::answer(caller.json, &answer, text::training_cases)
            }
            Verb::Export { category, language, out } => {
                export(&caller, ExportTrainingCasesRequest { category, language }, out).await
            }
            other => {
                let training_case = change(&mut training, &caller, other).await?;
                show::answer(caller.json, &training_case.unwrap_or_default(), text::training_case)
            }
        }
    }
}
