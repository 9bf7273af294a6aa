//! `redress case …`: works on cases.

mod alike;
mod correct;
mod decide;
mod find;
mod handle;
mod urgency;

use clap::{Args, Subcommand};
use proto::redress::cases::v1::{
    AddNoteRequest, CaseState, CloseCaseRequest, GetCaseRequest, GetTimelineRequest, ReopenCaseRequest,
    Visibility, WatchCaseRequest, WatchCaseResponse, WithdrawCaseRequest,
};
use show::{lines, text, words};

use super::connection::{Caller, Connection, Expect, Page, passing};
use super::event::PAUSE;

#[derive(Args)]
pub(crate) struct Cases {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows a case
    Get {
        /// Id of the case
        case: String,
    },
    /// Lists cases, newest first: those a filter means
    List(find::List),
    /// Counts cases, and shows how long they took; or counts by some fields
    Count(find::Count),
    /// Shows a case after each change, until it is over
    Watch {
        /// Id of the case
        case: String,
    },
    /// Shows what happened to a case
    Timeline {
        /// Id of the case
        case: String,
        #[command(flatten)]
        page: Page,
    },
    /// Writes a note into the timeline
    Note {
        /// Id of the case
        case: String,
        /// What it says
        text: String,
        /// Who may read it: public, internal, restricted
        #[arg(long, value_parser = words::read::<Visibility>, default_value = "internal")]
        visibility: Visibility,
    },
    /// Who handles a case
    Handler {
        /// Id of the case
        case: String,
    },
    /// Gives a waiting case to an agent, or to the best one with room
    Assign(handle::Assign),
    /// Accepts a case as the agent it was given to
    Accept(handle::Accept),
    /// Declines a case that one was given and has not accepted
    PassOn(handle::PassOn),
    /// Hands a case to another agent or department
    Transfer(handle::Transfer),
    /// Takes the next waiting case of the agent's department
    Claim(handle::Claim),
    /// Records what the investigation found
    Findings(decide::Findings),
    /// Decides the outcome
    Decide(decide::Decide),
    /// Asks for the decision of a case to be corrected
    Correct(correct::Correct),
    /// Puts a correction that somebody else asked for in force
    ConfirmCorrection {
        /// Id of the correction
        correction: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Refuses a correction: the decision stays
    RefuseCorrection {
        /// Id of the correction
        correction: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Lists the corrections of a case
    Corrections {
        /// Id of the case
        case: String,
    },
    /// Makes a case more urgent, whatever triage says later
    Raise(urgency::Urgency),
    /// Makes a case less urgent, once a second person asks for the same
    Lower(urgency::Urgency),
    /// Declines a case that is another organisation's matter
    Decline(decide::Decline),
    #[command(flatten)]
    Alike(alike::Verb),
    /// Withdraws a case at its complainant's wish
    Withdraw {
        /// Id of the case
        case: String,
        /// Why, as far as told
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Closes a resolved case without the complainant's answer
    Close {
        /// Id of the case
        case: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
    /// Reopens a resolved or closed case as its next cycle
    Reopen {
        /// Id of the case
        case: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        expect: Expect,
    },
}

impl Cases {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        match self.verb {
            Verb::Get { case } => get(&caller, case).await,
            Verb::List(list) => list.run(&caller).await,
            Verb::Count(count) => count.run(&caller).await,
            Verb::Watch { case } => watch(&caller, case).await,
            Verb::Timeline { case, page } => timeline(&caller, case, page).await,
            Verb::Note { case, text, visibility } => note(&caller, case, text, visibility).await,
            Verb::Handler { case } => handle::handler(&caller, case).await,
            Verb::Assign(assign) => assign.run(&caller).await,
            Verb::Accept(accept) => accept.run(&caller).await,
            Verb::PassOn(pass_on) => pass_on.run(&caller).await,
            Verb::Transfer(transfer) => transfer.run(&caller).await,
            Verb::Claim(claim) => claim.run(&caller).await,
            Verb::Findings(findings) => findings.run(&caller).await,
            Verb::Decide(decide) => decide.run(&caller).await,
            Verb::Correct(correct) => correct.run(&caller).await,
            Verb::ConfirmCorrection { correction, expect } => {
                correct::confirm(&caller, correction, expect).await
            }
            Verb::RefuseCorrection { correction, reason } => {
                correct::refuse(&caller, correction, reason).await
            }
            Verb::Corrections { case } => correct::list(&caller, case).await,
            Verb::Raise(urgency) => urgency.raise(&caller).await,
            Verb::Lower(urgency) => urgency.lower(&caller).await,
            Verb::Decline(decline) => decline.run(&caller).await,
            Verb::Alike(verb) => verb.run(&caller).await,
            Verb::Withdraw { case, reason, expect } => withdraw(&caller, case, reason, expect).await,
            Verb::Close { case, reason, expect } => close(&caller, case, reason, expect).await,
            Verb::Reopen { case, reason, expect } => reopen(&caller, case, reason, expect).await,
        }
    }
}

async fn get(caller: &Caller, case_id: String) -> anyhow::Result<()> {
    let answer = caller.cases().get_case(GetCaseRequest { case_id }).await?.into_inner();
    // Programs have read the case itself here since before there were earlier cycles.
    if caller.json {
        return show::answer(true, &answer.case.unwrap_or_default(), text::case);
    }
    show::answer(false, &answer, text::case_in_full)
}

/// Watches on when the stream breaks: a restart of the server is no end. What was seen
/// is not shown again.
async fn watch(caller: &Caller, case_id: String) -> anyhow::Result<()> {
    let mut seen = 0;
    loop {
        let request = WatchCaseRequest { case_id: case_id.clone() };
        match caller.cases().watch_case(request).await {
            Ok(changes) => {
                if watch_once(caller.json, changes.into_inner(), &mut seen).await? {
                    return Ok(());
                }
            }
            Err(status) => passing(status)?,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Shows changes until there are no more to come, or the stream breaks; answers whether
/// there are no more.
async fn watch_once(
    json: bool,
    mut changes: tonic::Streaming<WatchCaseResponse>,
    seen: &mut i64,
) -> anyhow::Result<bool> {
    loop {
        let case = match changes.message().await {
            Ok(Some(change)) => change.case.unwrap_or_default(),
            Ok(None) => return Ok(true),
            Err(status) => return passing(status).map(|()| false),
        };
        if case.version > *seen {
            *seen = case.version;
            show::piece(json, &case, |case| {
                format!(
                    "version {}  cycle {}  {}  {}",
                    case.version,
                    case.cycle,
                    words::word::<CaseState>(case.state),
                    case.agent_id
                )
            })?;
        }
    }
}

async fn timeline(caller: &Caller, case_id: String, page: Page) -> anyhow::Result<()> {
    let request = GetTimelineRequest { case_id, page_size: page.limit, page_token: page.page };
    let answer = caller.cases().get_timeline(request).await?.into_inner();
    show::answer(caller.json, &answer, text::timeline)
}

async fn note(caller: &Caller, case_id: String, text: String, visibility: Visibility) -> anyhow::Result<()> {
    let request =
        AddNoteRequest { request_id: caller.request_id(), case_id, text, visibility: visibility.into() };
    let answer = caller.cases().add_note(request).await?.into_inner();
    show::answer(caller.json, &answer.entry.unwrap_or_default(), |entry| {
        format!("written as entry {} at {}", entry.ordinal, lines::time(entry.time.as_ref()))
    })
}

async fn withdraw(caller: &Caller, case_id: String, reason: String, expect: Expect) -> anyhow::Result<()> {
    let expected_version = expect.version;
    let request = WithdrawCaseRequest { request_id: caller.request_id(), case_id, expected_version, reason };
    let answer = caller.cases().withdraw_case(request).await?.into_inner();
    show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
}

async fn close(caller: &Caller, case_id: String, reason: String, expect: Expect) -> anyhow::Result<()> {
    let expected_version = expect.version;
    let request = CloseCaseRequest { request_id: caller.request_id(), case_id, expected_version, reason };
    let answer = caller.cases().close_case(request).await?.into_inner();
    show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
}

async fn reopen(caller: &Caller, case_id: String, reason: String, expect: Expect) -> anyhow::Result<()> {
    let expected_version = expect.version;
    let request = ReopenCaseRequest { request_id: caller.request_id(), case_id, expected_version, reason };
    let answer = caller.cases().reopen_case(request).await?.into_inner();
    show::answer(caller.json, &answer.case.unwrap_or_default(), text::case)
}
