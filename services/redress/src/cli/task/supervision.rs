//! How departments stand, and the ladder that overdue tasks climb.

use clap::Subcommand;
use proto::redress::resolution::v1::{
    DepartmentSupervisors, GetDepartmentBoardRequest, GetSupervisionRequest, SetSupervisionRequest,
    SupervisionLevel, SupervisionRung,
};
use show::{text, words};

use crate::cli::connection::{Caller, Expect};

#[derive(Subcommand)]
pub(super) enum SupervisionVerb {
    /// Shows how a department stands: what waits, what is overdue and who was told, what goes
    /// to and fro
    Board {
        /// Name of the department
        department: String,
    },
    /// Shows, or with --rung or --no-rungs sets, by which ladder overdue tasks are supervised
    Ladder {
        /// A rung, from the lowest, with the hours after the due time: `department=0`,
        /// `supervisor=4`, `head=24`; the whole ladder at once
        #[arg(long = "rung", value_name = "WHO=HOURS", value_parser = read_rung)]
        rungs: Vec<SupervisionRung>,
        /// Nobody is told
        #[arg(long, conflicts_with = "rungs")]
        no_rungs: bool,
        /// Who supervises a department, and who is its head: `finance=fay,hal`; all
        /// departments at once
        #[arg(long = "department", value_name = "DEPARTMENT=SUPERVISOR[,HEAD]", value_parser = read_department)]
        departments: Vec<DepartmentSupervisors>,
        #[command(flatten)]
        expect: Expect,
    },
}

const SECONDS_OF_HOUR: f64 = 3_600.0;
/// Most hours of a rung, which the server says, too.
const MAX_HOURS: f64 = 24.0 * 365.0;

fn read_rung(text: &str) -> Result<SupervisionRung, String> {
    let (level, hours) = text.split_once('=').ok_or("must be WHO=HOURS, e.g. supervisor=4")?;
    let hours: f64 = hours.parse().map_err(|_| format!("{hours:?} is no number of hours"))?;
    if !(0.0..=MAX_HOURS).contains(&hours) {
        return Err(format!("{hours} hours are not 0 to {MAX_HOURS}"));
    }
    let after = std::time::Duration::from_secs_f64((hours * SECONDS_OF_HOUR).round());
    Ok(SupervisionRung {
        level: words::read::<SupervisionLevel>(level)?.into(),
        after_duration: prost_types::Duration::try_from(after).ok(),
    })
}

fn read_department(text: &str) -> Result<DepartmentSupervisors, String> {
    let (department, people) = text.split_once('=').ok_or("must be DEPARTMENT=SUPERVISOR[,HEAD]")?;
    let (supervisor, head) = people.split_once(',').unwrap_or((people, ""));
    Ok(DepartmentSupervisors {
        department_id: department.to_owned(),
        supervisor_id: supervisor.to_owned(),
        head_id: head.to_owned(),
    })
}

impl SupervisionVerb {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut service = caller.supervision();
        match self {
            Self::Board { department } => {
                let request = GetDepartmentBoardRequest { department_id: department };
                let answer = service.get_department_board(request).await?.into_inner();
                show::answer(caller.json, &answer.board.unwrap_or_default(), text::department_board)
            }
            Self::Ladder { rungs, no_rungs, departments, expect } => {
                let held = service.get_supervision(GetSupervisionRequest {}).await?.into_inner();
                let held = held.supervision.unwrap_or_default();
                if rungs.is_empty() && !no_rungs && departments.is_empty() {
                    return show::answer(caller.json, &held, text::supervision);
                }
                // What is not named stays as it was seen.
                let request = SetSupervisionRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version.or(Some(held.version)),
                    rungs: if rungs.is_empty() && !no_rungs { held.rungs } else { rungs },
                    departments: if departments.is_empty() { held.departments } else { departments },
                };
                let answer = service.set_supervision(request).await?.into_inner();
                show::answer(caller.json, &answer.supervision.unwrap_or_default(), text::supervision)
            }
        }
    }
}
