//! What each KPI means. The formulas are those of the regimes' returns where there are
//! such; what is our own choice says so.

use super::Time;
use super::measure::{Measure, Span};

kernel::numbered! {
    /// What a figure is measured in.
    Unit {
        /// A share of a whole.
        Share = 1,
        /// Seconds.
        Seconds = 2,
        /// A number of cases.
        Count = 3,
        /// Sums of money.
        Money = 4,
        /// Cases for each 1 000 customers.
        PerThousand = 5,
    }
}

/// How a figure is made of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// So many of so many.
    Share(Measure, Measure),
    /// How many.
    Number(Measure),
    /// How long, by the time that is counted.
    Duration(&'static [(Time, Span)]),
    /// How much: the number of sums, and what they come to.
    Money(Measure, Measure),
    /// How many for each 1 000 customers.
    Density(Measure),
    /// How many are open, by age.
    Backlog,
}

/// A KPI.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name in questions.
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
    /// How it is counted.
    pub formula: &'static str,
    /// The day that decides into which window something falls.
    pub counted_by: &'static str,
    /// The events it comes from.
    pub sources: &'static [&'static str],
    /// Where the formula is from.
    pub origin: &'static str,
    /// How it is made.
    pub made: Made,
}

impl Definition {
    /// The KPI of a name.
    pub fn of(name: &str) -> Option<&'static Self> {
        DEFINITIONS.iter().find(|definition| definition.name == name)
    }

    /// What it is measured in.
    pub fn unit(&self) -> Unit {
        match self.made {
            Made::Share(..) => Unit::Share,
            Made::Number(_) | Made::Backlog => Unit::Count,
            Made::Duration(_) => Unit::Seconds,
            Made::Money(..) => Unit::Money,
            Made::Density(_) => Unit::PerThousand,
        }
    }

    /// The times a duration may count.
    pub fn times(&self) -> Vec<Time> {
        match self.made {
            Made::Duration(spans) => spans.iter().map(|(time, _)| *time).collect(),
            _ => Vec::new(),
        }
    }

    /// What is counted for it.
    pub fn measures(&self) -> Vec<Measure> {
        match self.made {
            Made::Share(hits, of) => vec![hits, of],
            Made::Money(number, sum) => vec![number, sum],
            Made::Number(measure) | Made::Density(measure) => vec![measure],
            Made::Duration(_) | Made::Backlog => Vec::new(),
        }
    }

    /// The duration it is, by the time that is counted.
    pub fn span(&self, time: Time) -> Option<Span> {
        let Made::Duration(spans) = self.made else { return None };
        spans.iter().find(|(other, _)| *other == time).map(|(_, span)| *span)
    }
}

const RETURNS: &str = "as regulators' returns count it";
const OWN: &str = "our own choice";
const REGISTERED: &str = "redress.intake.v1.ComplaintRegistered";
const RESOLVED: &str = "redress.cases.v1.CaseResolved";
const REOPENED: &str = "redress.cases.v1.CaseReopened";
const CLOSED: &str = "redress.cases.v1.CaseClosed";
const BREACHED: &str = "redress.cases.v1.ClockBreached";
const SETTLED: &str = "redress.feedback.v1.NoticeSettled";
const BOUNCED: &str = "redress.feedback.v1.NoticeBounced";
const ANSWERED: &str = "redress.feedback.v1.SurveyAnswered";
const TASK_DONE: &str = "redress.resolution.v1.TaskCompleted";
const RESPONSE: &str = "redress.feedback.v1.FeedbackReceived";

/// Every KPI.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "received",
        description: "How many complaints came in.",
        formula: "cases received; those merged into others not counted",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED, "redress.cases.v1.CaseMerged"],
        origin: RETURNS,
        made: Made::Number(Measure::Received),
    },
    Definition {
        name: "closed",
        description: "How many complaints were closed.",
        formula: "cases closed, whoever closed them; not those withdrawn, declined or merged",
        counted_by: "the day it was last closed",
        sources: &[CLOSED, REOPENED, REGISTERED],
        origin: RETURNS,
        made: Made::Number(Measure::Closed),
    },
    Definition {
        name: "acknowledgement_time",
        description: "How long complainants wait for the acknowledgement.",
        formula: "first evidence that the acknowledgement was delivered - receipt",
        counted_by: "the day it was delivered",
        sources: &[REGISTERED, SETTLED, BOUNCED],
        origin: OWN,
        made: Made::Duration(&[
            (Time::Wall, Span::Acknowledgement),
            (Time::Working, Span::AcknowledgementWorking),
        ]),
    },
    Definition {
        name: "response_time",
        description: "How long complainants wait for the answer.",
        formula: "first outcome in effect - receipt; net: less the time the promise to decide stood still",
        counted_by: "the day the first outcome took effect",
        sources: &[REGISTERED, RESOLVED, "redress.cases.v1.ClockPaused", "redress.cases.v1.ClockResumed"],
        origin: RETURNS,
        made: Made::Duration(&[
            (Time::Wall, Span::Response),
            (Time::Working, Span::ResponseWorking),
            (Time::Net, Span::ResponseNet),
        ]),
    },
    Definition {
        name: "on_time_rate",
        description: "How often what the law gives us was enough. Read it with the numerator of backlog: the open \
                      cases that are overdue already.",
        formula: "closed with no limit of a regime to decide, to tell or of a final response passed, extensions \
                  included / closed; what had ended before it was brought here not counted",
        counted_by: "the day it was last closed",
        sources: &[CLOSED, BREACHED],
        origin: RETURNS,
        made: Made::Share(Measure::WithinLimit, Measure::Promised),
    },
    Definition {
        name: "kept_promise_rate",
        description: "How often every promise to answer was kept, our own targets too.",
        formula: "closed with no promise to decide, to tell or of a final response broken / closed; what had ended \
                  before it was brought here not counted",
        counted_by: "the day it was last closed",
        sources: &[CLOSED, BREACHED],
        origin: OWN,
        made: Made::Share(Measure::WithinPromise, Measure::Promised),
    },
    Definition {
        name: "completion_rate",
        description: "How much of what came in is done.",
        formula: "received and closed, withdrawn or declined by now / received",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED, CLOSED, "redress.cases.v1.CaseWithdrawn", "redress.cases.v1.CaseDeclined"],
        origin: OWN,
        made: Made::Share(Measure::Completed, Measure::Received),
    },
    Definition {
        name: "first_time_resolution",
        description: "How often the first answer was the last.",
        formula: "resolved, never reopened, and no case of the same complainant in the same category received \
                  within 30 days after / resolved; of the last 30 days it may still fall",
        counted_by: "the day the first outcome took effect",
        sources: &[RESOLVED, REOPENED, REGISTERED],
        origin: RETURNS,
        made: Made::Share(Measure::FirstTime, Measure::FirstResolved),
    },
    Definition {
        name: "satisfaction",
        description: "How many are satisfied with what came of it. Read it with response_rate.",
        formula: "scores of 4 or 5 for the outcome / scores; the survey's before that given with the answer",
        counted_by: "the day the outcome was told",
        sources: &[SETTLED, BOUNCED, ANSWERED, RESPONSE],
        origin: RETURNS,
        made: Made::Share(Measure::Satisfied, Measure::Answered),
    },
    Definition {
        name: "handling_satisfaction",
        description: "How many are satisfied with how it was handled. Read it with response_rate.",
        formula: "scores of 4 or 5 for the handling / scores; the survey's before that given with the answer",
        counted_by: "the day the outcome was told",
        sources: &[SETTLED, BOUNCED, ANSWERED, RESPONSE],
        origin: RETURNS,
        made: Made::Share(Measure::HandlingSatisfied, Measure::HandlingAnswered),
    },
    Definition {
        name: "response_rate",
        description: "How many told us how satisfied they are.",
        formula: "cycles with a score for the outcome / cycles whose outcome was told",
        counted_by: "the day the outcome was told",
        sources: &[SETTLED, BOUNCED, ANSWERED, RESPONSE],
        origin: RETURNS,
        made: Made::Share(Measure::Answered, Measure::Told),
    },
    Definition {
        name: "repeat_rate",
        description: "How many complain again.",
        formula: "received, and the same complainant had a case in the same category received within 30 days \
                  before / received; who gave neither number, address nor telephone repeats nothing",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED],
        origin: RETURNS,
        made: Made::Share(Measure::Repeated, Measure::Received),
    },
    Definition {
        name: "escalation_rate",
        description: "How many go over our heads.",
        formula: "received, and raised a level within a cycle or come by a regulator or social media / received; \
                  what went to a regulator or to the media after it was received counts by its own complaint there",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED, "redress.cases.v1.CaseEscalated", "redress.assignment.v1.AssignmentEscalated"],
        origin: OWN,
        made: Made::Share(Measure::Escalated, Measure::Received),
    },
    Definition {
        name: "reopen_rate",
        description: "How many outcomes do not hold.",
        formula: "cycles resolved after which the case was reopened / cycles resolved",
        counted_by: "the day the cycle's outcome took effect",
        sources: &[RESOLVED, REOPENED],
        origin: RETURNS,
        made: Made::Share(Measure::Reopened, Measure::Resolved),
    },
    Definition {
        name: "upheld_rate",
        description: "How many are right.",
        formula: "cycles resolved as upheld, in whole or in part / cycles resolved with an outcome on record",
        counted_by: "the day the cycle's outcome took effect",
        sources: &[RESOLVED, "redress.cases.v1.DecisionCorrected"],
        origin: RETURNS,
        made: Made::Share(Measure::Upheld, Measure::Decided),
    },
    Definition {
        name: "redress_paid",
        description: "What was paid to put things right.",
        formula: "sums of remedies carried out, less those of remedies undone; by currency",
        counted_by: "the day the department did it",
        sources: &["redress.resolution.v1.TaskCompleted"],
        origin: RETURNS,
        made: Made::Money(Measure::Payments, Measure::Paid),
    },
    Definition {
        name: "losses_written_off",
        description: "What was paid, had to be taken back, and could not be. It is part of redress_paid.",
        formula: "sums that two people wrote off; by currency; by department: the one that was to take it back",
        counted_by: "the day it was written off",
        sources: &["redress.resolution.v1.TaskWrittenOff"],
        origin: OWN,
        made: Made::Money(Measure::Losses, Measure::WrittenOff),
    },
    Definition {
        name: "department_time",
        description: "How long departments take for what they are asked to do.",
        formula: "reported done - became a task of the department; by department: the one that did it",
        counted_by: "the day it was reported done",
        sources: &[TASK_DONE],
        origin: OWN,
        made: Made::Duration(&[(Time::Wall, Span::Task), (Time::Working, Span::TaskWorking)]),
    },
    Definition {
        name: "department_on_time_rate",
        description: "How often departments do what they are asked by when it is due. Read it with tasks_overdue: \
                      what is not done is in no share.",
        formula: "tasks done by the time they were due, as it was extended / tasks done that were due by a time; by \
                  department: the one that did it",
        counted_by: "the day it was reported done",
        sources: &[TASK_DONE],
        origin: OWN,
        made: Made::Share(Measure::TasksInTime, Measure::TasksDue),
    },
    Definition {
        name: "tasks_overdue",
        description: "How many tasks of departments were overdue.",
        formula: "tasks whose due time passed before they were done, done since or not, once each; by department: \
                  the one that did it, else the one in charge",
        counted_by: "the day on which it was due first",
        sources: &["redress.resolution.v1.TaskOverdue", TASK_DONE],
        origin: OWN,
        made: Made::Number(Measure::TasksOverdue),
    },
    Definition {
        name: "backlog",
        description: "How many are open, and for how long.",
        formula: "cases received and not ended, by days since the receipt; the numerator is how many of them have a \
                  broken promise to answer",
        counted_by: "now, or the time asked for",
        sources: &[REGISTERED, CLOSED, BREACHED],
        origin: OWN,
        made: Made::Backlog,
    },
    Definition {
        name: "density",
        description: "How many complain, for each 1 000 customers of their region.",
        formula: "1 000 x received / customers of the region, as they are in the settings",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED],
        origin: RETURNS,
        made: Made::Density(Measure::Received),
    },
    Definition {
        name: "complete_rate",
        description: "How often a complaint could be worked on as it was recorded.",
        formula: "received with an address or telephone to reach the complainant by, and with all that its form asks \
                  for, or, without a form, with the product, order or account it is about / received; complainants \
                  who want to stay unknown and what had ended before it was brought here not counted",
        counted_by: "the day the complaint counts as received",
        sources: &[REGISTERED],
        origin: OWN,
        made: Made::Share(Measure::Complete, Measure::Recorded),
    },
    Definition {
        name: "call_back_reach",
        description: "How many of those called back were reached.",
        formula: "call-backs in which the complainant was spoken to / call-backs done",
        counted_by: "the day of the last attempt",
        sources: &["redress.feedback.v1.CallBackAttempted"],
        origin: OWN,
        made: Made::Share(Measure::Reached, Measure::Called),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_one_kpi_and_each_measure_serves_one() {
        let names: BTreeSet<_> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        assert_eq!(names.len(), DEFINITIONS.len());
        let used: BTreeSet<Measure> = DEFINITIONS.iter().flat_map(Definition::measures).collect();
        assert_eq!(used.len(), Measure::ALL.len());
        let spans: BTreeSet<Span> = DEFINITIONS
            .iter()
            .flat_map(|definition| Time::ALL.iter().filter_map(|time| definition.span(*time)))
            .collect();
        assert_eq!(spans.len(), Span::ALL.len());
        for share in DEFINITIONS {
            if let Made::Share(hits, of) = share.made {
                assert_eq!(hits.cohort(), of.cohort(), "{}: a part of another whole", share.name);
            }
        }
    }
}
