//! What is counted of facts, and counts.

use std::collections::BTreeMap;

kernel::numbered! {
    /// What is counted: a number of cases, cycles, answers, calls, payments or losses, or money.
    Measure {
        /// Cases received; those merged into others are not counted.
        Received = 1,
        /// Of those, the ones that have ended.
        Completed = 2,
        /// Of those received, the ones whose complainant had one about the same shortly before.
        Repeated = 3,
        /// Of those received, the ones that were escalated.
        Escalated = 4,
        /// Cycles whose outcome took effect.
        Resolved = 5,
        /// Of those, the ones after which the case was reopened.
        Reopened = 6,
        /// Of those resolved, the ones whose outcome is known.
        Decided = 7,
        /// Of those decided, the ones upheld, in whole or in part.
        Upheld = 8,
        /// Cases whose first outcome took effect.
        FirstResolved = 9,
        /// Of those, the ones that were done with it.
        FirstTime = 10,
        /// Cases closed.
        Closed = 11,
        /// Of those promised, the ones closed with every limit of a regime kept.
        WithinLimit = 12,
        /// Of those promised, the ones closed with every promise kept.
        WithinPromise = 13,
        /// Of those closed, the ones handled here: something was promised.
        Promised = 14,
        /// Cycles whose outcome was told.
        Told = 15,
        /// Of those, the ones with a score for the outcome.
        Answered = 16,
        /// Of those answered, the ones with 4 or 5.
        Satisfied = 17,
        /// Of those told, the ones with a score for the handling.
        HandlingAnswered = 18,
        /// Of those, the ones with 4 or 5.
        HandlingSatisfied = 19,
        /// Call-backs that are done.
        Called = 20,
        /// Of those, the ones in which the complainant was spoken to.
        Reached = 21,
        /// Payments, and those that undid others.
        Payments = 22,
        /// What they come to, in minor units of a currency.
        Paid = 23,
        /// Of those received, the ones of which it is known whether they could be worked on.
        Recorded = 24,
        /// Of those recorded, the ones that could.
        Complete = 25,
        /// Tasks that departments did, and that were due by a time.
        TasksDue = 26,
        /// Of those, the ones done by then.
        TasksInTime = 27,
        /// Tasks whose due time passed before they were done.
        TasksOverdue = 28,
        /// Losses that were written off.
        Losses = 29,
        /// What they come to, in minor units of a currency.
        WrittenOff = 30,
    }
}

kernel::numbered! {
    /// A duration.
    Span {
        /// From the receipt until the acknowledgement was delivered.
        Acknowledgement = 1,
        /// The same in working time.
        AcknowledgementWorking = 2,
        /// From the receipt until the first outcome took effect.
        Response = 3,
        /// The same in working time.
        ResponseWorking = 4,
        /// The same without the time that stood still.
        ResponseNet = 5,
        /// From when a department was asked to do something until it had.
        Task = 6,
        /// The same in working time.
        TaskWorking = 7,
    }
}

kernel::numbered! {
    /// What is counted on the day of one kind of event.
    Cohort {
        /// Cases, by the day they were received.
        Received = 1,
        /// Cycles, by the day their outcome took effect.
        Resolved = 2,
        /// Cases, by the day their first outcome took effect.
        FirstResolved = 3,
        /// Cases, by the day they were closed.
        Closed = 4,
        /// Cycles, by the day their outcome was told.
        Told = 5,
        /// Call-backs, by the day they were done.
        Called = 6,
        /// Payments, by their day.
        Paid = 7,
        /// Cases, by the day their acknowledgement was delivered.
        Acknowledged = 8,
        /// Tasks of departments, by the day they were done.
        TaskDone = 9,
        /// Tasks of departments, by the day they were overdue.
        TaskOverdue = 10,
        /// Losses, by the day they were written off.
        WrittenOff = 11,
    }
}

impl Measure {
    /// What it is counted with.
    pub fn cohort(self) -> Cohort {
        match self {
            Self::Received
            | Self::Completed
            | Self::Repeated
            | Self::Escalated
            | Self::Recorded
            | Self::Complete => Cohort::Received,
            Self::Resolved | Self::Reopened | Self::Decided | Self::Upheld => Cohort::Resolved,
            Self::FirstResolved | Self::FirstTime => Cohort::FirstResolved,
            Self::Closed | Self::WithinLimit | Self::WithinPromise | Self::Promised => Cohort::Closed,
            Self::Told
            | Self::Answered
            | Self::Satisfied
            | Self::HandlingAnswered
            | Self::HandlingSatisfied => Cohort::Told,
            Self::Called | Self::Reached => Cohort::Called,
            Self::Payments | Self::Paid => Cohort::Paid,
            Self::TasksDue | Self::TasksInTime => Cohort::TaskDone,
            Self::TasksOverdue => Cohort::TaskOverdue,
            Self::Losses | Self::WrittenOff => Cohort::WrittenOff,
        }
    }

    /// Whether it is a sum of money, by currency, and no number.
    pub fn is_sum(self) -> bool {
        matches!(self, Self::Paid | Self::WrittenOff)
    }
}

impl Span {
    /// What it is counted with.
    pub fn cohort(self) -> Cohort {
        match self {
            Self::Acknowledgement | Self::AcknowledgementWorking => Cohort::Acknowledged,
            Self::Response | Self::ResponseWorking | Self::ResponseNet => Cohort::FirstResolved,
            Self::Task | Self::TaskWorking => Cohort::TaskDone,
        }
    }
}

/// What a group comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many, or how much of a currency.
    pub amounts: BTreeMap<(Measure, String), i64>,
    /// Durations, in seconds.
    pub samples: BTreeMap<Span, Vec<i32>>,
}

impl Counts {
    /// Adds a count.
    pub fn add(&mut self, measure: Measure, currency: String, amount: i64) {
        *self.amounts.entry((measure, currency)).or_default() += amount;
    }

    /// Adds durations.
    pub fn sample(&mut self, span: Span, seconds: Vec<i32>) {
        self.samples.entry(span).or_default().extend(seconds);
    }

    /// How many.
    pub fn number(&self, measure: Measure) -> i64 {
        self.amounts.get(&(measure, String::new())).copied().unwrap_or(0)
    }

    /// How much, by currency.
    pub fn money(&self, measure: Measure) -> Vec<(String, i64)> {
        let of = self.amounts.iter().filter(|((other, _), _)| *other == measure);
        of.map(|((_, currency), amount)| (currency.clone(), *amount)).collect()
    }
}

/// What each group comes to: by part of the window and value of the dimension.
pub type Tally = BTreeMap<(usize, String), Counts>;
