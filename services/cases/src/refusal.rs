//! The ways this service says no.

use fault::Kind;
use vocabulary::{Priority, State};

use crate::reopening::ReopeningTerms;
use crate::reviewed::{ReviewState, ReviewedKind};

/// Why a case is not reopened; which policy says so stands behind it.
const RESOLVED_LONG_AGO: &str = "the case was resolved too long ago, a new complaint is needed";
const REOPENED_OFTEN: &str = "the case was reopened as often as is allowed";

/// A request that is understood and not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No case of this tenant has the id.
    CaseNotFound,
    /// The state does not allow the move.
    InvalidCaseState(State),
    /// Resolved too long ago to be taken up again.
    ReopenWindowPassed(ReopeningTerms),
    /// Taken up again as often as is allowed.
    ReopenLimit(ReopeningTerms),
    /// The case has no clock of this kind.
    ClockNotFound,
    /// What the clock's policy does not allow.
    Clock(calendar::Refusal),
    /// No extension of this tenant has the id.
    ExtensionNotFound,
    /// The tenant has no policy of this version.
    PolicyNotFound,
    /// There are as many policies as there may be.
    TooManyPolicies,
    /// Somebody kept the tenant's clocks busy for too long.
    ClocksBusy,
    /// It was granted or refused before.
    ExtensionDecided,
    /// One is waiting for its answer.
    ExtensionPending,
    /// Its policy gives more time for a holding reply alone.
    HoldingReplyNeeded,
    /// Its policy gives more time for other causes only.
    UnlawfulCause,
    /// The process counts by other time zones than the caller means.
    TimeZonesDiffer,
    /// Its policy gives more time only where the time of the answer is told.
    AnswerTimeNeeded,
    /// The next news was promised for a time that is not to come.
    UpdateNotAhead,
    /// The next news was promised for later than the answer is due.
    UpdateBeyondLimit,
    /// Who asked may not approve.
    ApproverIsRequester,
    /// The case to merge into is over, or merged itself.
    MergeTargetOver(State),
    /// Two customers, each of whom is owed an answer.
    ComplainantsDiffer,
    /// Its people were told the outcome of the case that stands for it.
    OutcomeShared,
    /// Other people's cases are merged into it.
    StandsForOthers,
    /// It is as urgent as that already.
    PriorityNotHigher(Priority),
    /// It is no more urgent than that.
    PriorityNotLower(Priority),
    /// Who asked may not agree as well.
    SecondPersonRequired,
    /// No correction of this tenant has the id.
    CorrectionNotFound,
    /// It was confirmed or refused before.
    CorrectionDecided,
    /// One waits for its answer.
    CorrectionPending,
    /// Departments carry out the plan of the decision.
    PlanUnderWay,
    /// A complaint and a report.
    MattersDiffer,
    /// Whom the complaint is about wants to act on it.
    CallerRecused,
    /// An agent who neither handles the case nor supervises.
    NotTheHandler,
    /// What only a supervisor may say.
    SupervisorRequired,
    /// No link between the two.
    LinkNotFound,
    /// No group of this tenant has the id.
    GroupNotFound,
    /// The case is in another group.
    AlreadyInAGroup,
    /// The case is not in this group.
    NotInTheGroup,
    /// More would speak for a group than may.
    TooManyRepresentatives(i32),
    /// A receipt code that is wrong in any way.
    ReceiptCodeUnknown,
    /// Too many wrong receipt codes by one caller.
    TooManyGuesses,
    /// The tenant has no such version of its rules.
    RuleSetNotFound,
    /// The case was opened before triage kept records.
    NoTriageRecord,
    /// The tenant's tree has no such category, or there is no tree.
    CategoryNotFound,
    /// No calendar of this tenant, and none built in, has the name and version.
    CalendarNotFound,
    /// A calendar of this tenant, or a built-in one, has the name.
    CalendarExists,
    /// The tenant has as many calendars as it may.
    TooManyCalendars,
    /// The tenant has a tree, and it is not in it.
    CategoryNotInTree,
    /// The tenant has no such classifier, or none is active.
    ClassifierNotFound,
    /// There are too few texts of known category.
    TooLittleToLearn,
    /// One of the tenant's classifiers is being trained.
    TrainingUnderWay,
    /// No article of this tenant has the id, or it has no such revision.
    ArticleNotFound,
    /// The state of what is reviewed does not allow the move.
    InvalidReviewState(ReviewedKind, ReviewState),
    /// Who wrote what is to be published may not publish it.
    ReviewerIsAuthor(ReviewedKind),
    /// The revision never was in force.
    ArticleNotPublished,
    /// The tenant has as many articles as it may.
    TooManyArticles,
    /// It has as many revisions as it may.
    TooManyRevisions,
    /// No training case of this tenant has the id, or it has no such revision.
    TrainingCaseNotFound,
    /// A training case was made of it.
    CaseUsedForTraining,
    /// The tenant has as many training cases as it may.
    TooManyTrainingCases,
    /// No topic of the window has the word.
    TopicNotFound,
    /// The tenant has no directory.
    DirectoryNotFound,
}

impl Refusal {
    /// Why somebody may not do this, or not alone, in a sentence; the others have their own.
    fn of_people(self) -> &'static str {
        match self {
            Self::MattersDiffer => {
                "a complaint and a report of a violation go different ways and are not merged"
            }
            Self::CallerRecused => "the complaint is about you; somebody else must do this",
            Self::NotTheHandler => "this is for who handles the case, or a supervisor",
            Self::SupervisorRequired => "this is for a supervisor to say",
            Self::OutcomeShared => {
                "its complainant was told the outcome of the case that stands for it; they may dispute that"
            }
            Self::ComplainantsDiffer => {
                "the known details of the two complainants differ, and each is owed an answer; use a group, \
                     or have a supervisor say why they are merged"
            }
            Self::StandsForOthers => "cases of other people are merged into it; unmerge them first",
            Self::SecondPersonRequired => "you asked for it; somebody else must agree",
            Self::CorrectionNotFound => "there is no such correction",
            Self::CorrectionDecided => "the correction was confirmed or refused before",
            Self::CorrectionPending => "a correction of this case waits for its answer",
            Self::PlanUnderWay => "departments carry out the plan of this decision; cancel that first",
            _ => "",
        }
    }

    /// What the clocks do not allow, in a sentence; the others have their own.
    fn of_clocks(self) -> &'static str {
        match self {
            Self::ClockNotFound => "the case has no clock of this kind",
            Self::PolicyNotFound => "there is no such policy",
            Self::TooManyPolicies => "there are as many policies as there may be",
            Self::ClocksBusy => "the clocks of this tenant are busy; try again",
            Self::ExtensionNotFound => "there is no such extension",
            Self::ExtensionDecided => "the extension was granted or refused before",
            Self::ExtensionPending => "an extension of this clock waits for its answer",
            Self::HoldingReplyNeeded => "a holding reply gives more time here, nothing else does",
            Self::UnlawfulCause => "more time is lawful here only for one of the causes the policy names",
            Self::AnswerTimeNeeded => "to get more time here, say when the answer comes",
            Self::UpdateNotAhead => "the next news must be promised for a time that is to come",
            Self::UpdateBeyondLimit => {
                "the answer is due before the time for which the next news is promised"
            }
            Self::ApproverIsRequester => {
                "the extension must be approved by somebody other than the person who asked for it"
            }
            _ => "",
        }
    }

    fn of_knowledge(self) -> &'static str {
        match self {
            Self::ArticleNotFound => "there is no such article, or no such revision of it",
            Self::ReviewerIsAuthor(_) => "you wrote part of it; somebody else must publish it",
            Self::ArticleNotPublished => "this revision of the article never was in force",
            Self::TooManyArticles => "there are as many articles as there may be; retire some",
            Self::TooLittleToLearn => {
                "there must be two categories at least with 5 texts each that a person confirmed or that are closed"
            }
            Self::TopicNotFound => "no topic of these days has this word",
            Self::TooManyRevisions => "it has as many revisions as it may have",
            Self::TrainingCaseNotFound => "there is no such training case, or no such revision of it",
            Self::CaseUsedForTraining => "a training case was made of this case before",
            Self::TooManyTrainingCases => "there are as many training cases as there may be; retire some",
            _ => "",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CaseNotFound => f.write_str("there is no such case"),
            Self::InvalidCaseState(state) => write!(f, "the case is {state}, which does not allow this"),
            Self::ReopenWindowPassed(terms) => write!(f, "{RESOLVED_LONG_AGO}: {terms}"),
            Self::ReopenLimit(terms) => write!(f, "{REOPENED_OFTEN}: {terms}"),
            Self::ClockNotFound
            | Self::ClocksBusy
            | Self::TooManyPolicies
            | Self::PolicyNotFound
            | Self::ExtensionNotFound
            | Self::ExtensionDecided
            | Self::ExtensionPending
            | Self::HoldingReplyNeeded
            | Self::UnlawfulCause
            | Self::AnswerTimeNeeded
            | Self::UpdateNotAhead
            | Self::UpdateBeyondLimit
            | Self::ApproverIsRequester => f.write_str(self.of_clocks()),
            Self::Clock(refusal) => write!(f, "{refusal}"),
            Self::TimeZonesDiffer => f.write_str(&time_zones()),
            Self::MergeTargetOver(state) => {
                write!(f, "the case to merge into is {state}; only one that goes on can stand for another")
            }
            Self::PriorityNotHigher(now) => write!(f, "the case is {now}; raising makes it more urgent"),
            Self::PriorityNotLower(now) => write!(f, "the case is {now}; lowering makes it less urgent"),
            Self::CallerRecused
            | Self::NotTheHandler
            | Self::SupervisorRequired
            | Self::OutcomeShared
            | Self::StandsForOthers
            | Self::ComplainantsDiffer
            | Self::MattersDiffer
            | Self::SecondPersonRequired
            | Self::CorrectionNotFound
            | Self::CorrectionDecided
            | Self::CorrectionPending
            | Self::PlanUnderWay => f.write_str(self.of_people()),
            Self::GroupNotFound => f.write_str("there is no such group"),
            Self::DirectoryNotFound => f.write_str("no directory is set"),
            Self::AlreadyInAGroup => f.write_str("a case is in another group already"),
            Self::NotInTheGroup => f.write_str("the case is not in this group"),
            Self::TooManyRepresentatives(most) => {
                write!(f, "a group is spoken for by at most {most} of its complainants")
            }
            Self::LinkNotFound => f.write_str("these cases are not linked"),
            Self::ReceiptCodeUnknown => f.write_str("this receipt code is not known"),
            Self::TooManyGuesses => f.write_str("too many wrong receipt codes; try again later"),
            Self::RuleSetNotFound => f.write_str("there is no such version of the triage rules"),
            Self::NoTriageRecord => f.write_str("the case was opened before triage kept records"),
            Self::CategoryNotFound => f.write_str("there is no such category"),
            Self::CalendarNotFound => f.write_str("there is no such calendar"),
            Self::CalendarExists => f.write_str("there is a calendar of this name already"),
            Self::TooManyCalendars => f.write_str("there are as many calendars as there may be"),
            Self::CategoryNotInTree => f.write_str("the tree of categories has no such category"),
            Self::ClassifierNotFound => f.write_str("there is no such classifier, or none is active"),
            Self::TrainingUnderWay => f.write_str("a classifier is being trained; try again later"),
            Self::InvalidReviewState(what, state) => write!(f, "the {what} is {state}, which forbids this"),
            Self::ArticleNotFound
            | Self::TrainingCaseNotFound
            | Self::CaseUsedForTraining
            | Self::TooManyTrainingCases
            | Self::ReviewerIsAuthor(_)
            | Self::ArticleNotPublished
            | Self::TooManyArticles
            | Self::TooLittleToLearn
            | Self::TopicNotFound
            | Self::TooManyRevisions => f.write_str(self.of_knowledge()),
        }
    }
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::CaseNotFound
            | Self::ClockNotFound
            | Self::DirectoryNotFound
            | Self::ExtensionNotFound
            | Self::CorrectionNotFound
            | Self::PolicyNotFound
            | Self::ReceiptCodeUnknown
            | Self::CalendarNotFound
            | Self::RuleSetNotFound
            | Self::CategoryNotFound
            | Self::LinkNotFound
            | Self::GroupNotFound
            | Self::ClassifierNotFound
            | Self::ArticleNotFound
            | Self::TrainingCaseNotFound
            | Self::TopicNotFound => Kind::NotFound,
            Self::CalendarExists => Kind::Exists,
            Self::InvalidCaseState(_)
            | Self::ReopenWindowPassed(_)
            | Self::ReopenLimit(_)
            | Self::Clock(_)
            | Self::ExtensionDecided
            | Self::ExtensionPending
            | Self::HoldingReplyNeeded
            | Self::UnlawfulCause
            | Self::TimeZonesDiffer
            | Self::AnswerTimeNeeded
            | Self::UpdateNotAhead
            | Self::UpdateBeyondLimit
            | Self::ApproverIsRequester
            | Self::NoTriageRecord
            | Self::MergeTargetOver(_)
            | Self::ComplainantsDiffer
            | Self::OutcomeShared
            | Self::StandsForOthers
            | Self::PriorityNotHigher(_)
            | Self::PriorityNotLower(_)
            | Self::CorrectionDecided
            | Self::CorrectionPending
            | Self::PlanUnderWay
            | Self::MattersDiffer
            | Self::AlreadyInAGroup
            | Self::NotInTheGroup
            | Self::TooManyRepresentatives(_)
            | Self::CategoryNotInTree
            | Self::InvalidReviewState(..)
            | Self::CaseUsedForTraining
            | Self::ArticleNotPublished
            | Self::TooLittleToLearn => Kind::Precondition,
            Self::CallerRecused
            | Self::NotTheHandler
            | Self::SecondPersonRequired
            | Self::ReviewerIsAuthor(_)
            | Self::SupervisorRequired => Kind::Forbidden,
            Self::TrainingUnderWay => Kind::Conflict,
            Self::ClocksBusy => Kind::Unavailable,
            Self::TooManyGuesses
            | Self::TooManyCalendars
            | Self::TooManyPolicies
            | Self::TooManyArticles
            | Self::TooManyTrainingCases
            | Self::TooManyRevisions => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::CaseNotFound => "CASE_NOT_FOUND",
            Self::InvalidCaseState(_) => "INVALID_CASE_STATE",
            Self::ReopenWindowPassed(_) => "REOPEN_WINDOW_PASSED",
            Self::ReopenLimit(_) => "REOPEN_LIMIT",
            Self::ClockNotFound => "CLOCK_NOT_FOUND",
            Self::Clock(refusal) => clock_reason(*refusal),
            Self::ExtensionNotFound => "EXTENSION_NOT_FOUND",
            Self::PolicyNotFound => "POLICY_NOT_FOUND",
            Self::TooManyPolicies => "TOO_MANY_POLICIES",
            Self::ClocksBusy => "CLOCKS_BUSY",
            Self::ExtensionDecided => "EXTENSION_DECIDED",
            Self::ExtensionPending => "EXTENSION_PENDING",
            Self::HoldingReplyNeeded => "HOLDING_REPLY_NEEDED",
            Self::UnlawfulCause => "UNLAWFUL_CAUSE",
            Self::TimeZonesDiffer => "TIME_ZONES_DIFFER",
            Self::AnswerTimeNeeded => "ANSWER_TIME_NEEDED",
            Self::UpdateNotAhead => "UPDATE_NOT_AHEAD",
            Self::UpdateBeyondLimit => "UPDATE_BEYOND_LIMIT",
            Self::ApproverIsRequester => "APPROVER_IS_REQUESTER",
            Self::MergeTargetOver(_) => "MERGE_TARGET_OVER",
            Self::ComplainantsDiffer => "COMPLAINANTS_DIFFER",
            Self::OutcomeShared => "OUTCOME_SHARED",
            Self::StandsForOthers => "STANDS_FOR_OTHERS",
            Self::PriorityNotHigher(_) => "PRIORITY_NOT_HIGHER",
            Self::PriorityNotLower(_) => "PRIORITY_NOT_LOWER",
            Self::SecondPersonRequired => "SECOND_PERSON_REQUIRED",
            Self::CorrectionNotFound => "CORRECTION_NOT_FOUND",
            Self::DirectoryNotFound => "DIRECTORY_NOT_FOUND",
            Self::CorrectionDecided => "CORRECTION_DECIDED",
            Self::CorrectionPending => "CORRECTION_PENDING",
            Self::PlanUnderWay => "PLAN_UNDER_WAY",
            Self::MattersDiffer => "MATTERS_DIFFER",
            Self::CallerRecused => "CALLER_RECUSED",
            Self::NotTheHandler => "NOT_THE_HANDLER",
            Self::SupervisorRequired => "SUPERVISOR_REQUIRED",
            Self::LinkNotFound => "LINK_NOT_FOUND",
            Self::GroupNotFound => "GROUP_NOT_FOUND",
            Self::AlreadyInAGroup => "ALREADY_IN_A_GROUP",
            Self::NotInTheGroup => "NOT_IN_THE_GROUP",
            Self::TooManyRepresentatives(_) => "TOO_MANY_REPRESENTATIVES",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
            Self::RuleSetNotFound => "RULE_SET_NOT_FOUND",
            Self::NoTriageRecord => "NO_TRIAGE_RECORD",
            Self::CategoryNotFound => "CATEGORY_NOT_FOUND",
            Self::CalendarNotFound => "CALENDAR_NOT_FOUND",
            Self::CalendarExists => "CALENDAR_EXISTS",
            Self::TooManyCalendars => "TOO_MANY_CALENDARS",
            Self::CategoryNotInTree => "CATEGORY_NOT_IN_TREE",
            Self::ClassifierNotFound => "CLASSIFIER_NOT_FOUND",
            Self::TooLittleToLearn => "TOO_LITTLE_TO_LEARN",
            Self::TrainingUnderWay => "TRAINING_UNDER_WAY",
            Self::ArticleNotFound => "ARTICLE_NOT_FOUND",
            Self::TopicNotFound => "TOPIC_NOT_FOUND",
            Self::InvalidReviewState(ReviewedKind::Article, _) => "INVALID_ARTICLE_STATE",
            Self::InvalidReviewState(ReviewedKind::TrainingCase, _) => "INVALID_TRAINING_CASE_STATE",
            Self::ReviewerIsAuthor(ReviewedKind::Article) => "ARTICLE_REVIEWER_IS_AUTHOR",
            Self::ReviewerIsAuthor(ReviewedKind::TrainingCase) => "TRAINING_CASE_REVIEWER_IS_AUTHOR",
            Self::TrainingCaseNotFound => "TRAINING_CASE_NOT_FOUND",
            Self::CaseUsedForTraining => "CASE_USED_FOR_TRAINING",
            Self::TooManyTrainingCases => "TOO_MANY_TRAINING_CASES",
            Self::ArticleNotPublished => "ARTICLE_NOT_PUBLISHED",
            Self::TooManyArticles => "TOO_MANY_ARTICLES",
            Self::TooManyRevisions => "TOO_MANY_REVISIONS",
        }
    }
}

fn time_zones() -> String {
    format!("this process counts by the time zones of {}", calendar::zones::version())
}

fn clock_reason(refusal: calendar::Refusal) -> &'static str {
    use calendar::Refusal;
    match refusal {
        Refusal::AlreadyPaused => "CLOCK_PAUSED",
        Refusal::NotPaused => "CLOCK_NOT_PAUSED",
        Refusal::Ended => "CLOCK_ENDED",
        Refusal::NotMet => "CLOCK_NOT_MET",
        Refusal::Overdue => "CLOCK_OVERDUE",
        Refusal::MayNotPause => "CLOCK_MAY_NOT_PAUSE",
        Refusal::UnlawfulReason => "UNLAWFUL_PAUSE",
        Refusal::PauseUsedUp => "PAUSE_USED_UP",
        Refusal::MayNotExtend => "CLOCK_MAY_NOT_EXTEND",
        Refusal::ExtendedAlready => "EXTENDED_ALREADY",
        Refusal::BeyondMaximum => "BEYOND_MAXIMUM",
        Refusal::ReasonMissing => "REASON_MISSING",
        Refusal::ApproverMissing => "APPROVER_MISSING",
        Refusal::ApproverIsHandler => "APPROVER_IS_HANDLER",
    }
}
