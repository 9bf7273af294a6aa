//! What a complainant is asked once per cycle, and what they answer.
//!
//! ```text
//! the outcome was told ─▶ OPEN ─ one answer ─▶ ANSWERED
//!                          │ └─ its time passes: takes no answer any more
//!                          └─ merged, withdrawn, declined, closed without an answer ─▶ CANCELLED
//! ```

use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::response::Satisfaction;

/// Most languages of a questionnaire.
pub const MAX_WORDINGS: usize = 20;
/// Most characters of a question.
pub const MAX_QUESTION: usize = 300;
/// Longest until a survey is sent.
pub const MAX_SEND_AFTER_HOURS: i32 = 720;
/// Longest that an answer is taken.
pub const MAX_VALID_FOR_HOURS: i32 = 2_160;
/// Highest score that may be declared low.
pub const MAX_LOW_SCORE: i16 = 4;

/// Which surveys a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurveyFilter {
    /// All there are.
    All,
    /// A case's.
    Case(CaseId),
    /// Those in a state.
    State(State),
}

/// What is asked, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questionnaire {
    /// The questions; the first language serves all others.
    pub wordings: Vec<Wording>,
    /// From the moment the outcome was told until the survey is sent.
    pub send_after_hours: i32,
    /// From the sending until the reminder; 0 sends none.
    pub remind_after_hours: i32,
    /// From the sending until it takes no answer any more.
    pub valid_for_hours: i32,
    /// A satisfaction of at most this is low; 0 for none.
    pub low_score: i16,
}

/// The questions in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// BCP 47 tag.
    pub language: String,
    /// How satisfied with the handling.
    pub handling: String,
    /// How satisfied with what came of it.
    pub outcome: String,
    /// How easy or hard it was.
    pub effort: String,
    /// Anything else.
    pub comment: String,
}

impl Questionnaire {
    /// What is asked where a tenant has settled nothing.
    pub fn shipped() -> Self {
        let wording = |language: &str, [handling, outcome, effort, comment]: [&str; 4]| Wording {
            language: language.to_owned(),
            handling: handling.to_owned(),
            outcome: outcome.to_owned(),
            effort: effort.to_owned(),
            comment: comment.to_owned(),
        };
        let english = [
            "How satisfied are you with the way your complaint was handled?",
            "How satisfied are you with what came of it?",
            "How easy or hard was it to complain to us?",
            "Is there anything else you would like to tell us?",
        ];
        let chinese = [
            "您对投诉处理过程是否满意？",
            "您对投诉处理结果是否满意？",
            "您觉得向我们投诉是否方便？",
            "您还有其他意见或建议吗？",
        ];
        Self {
            wordings: vec![wording("en", english), wording("zh", chinese)],
            send_after_hours: 24,
            remind_after_hours: 7 * 24,
            valid_for_hours: 14 * 24,
            low_score: 2,
        }
    }

    /// The questions for who reads a language; `None` where there are none at all.
    pub fn wording(&self, language: &str) -> Option<&Wording> {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let same = self.wordings.iter().find(|wording| wording.language.eq_ignore_ascii_case(language));
        let alike = || self.wordings.iter().find(|wording| primary(&wording.language) == primary(language));
        same.or_else(alike).or(self.wordings.first())
    }

    /// When a survey of an outcome told now is sent, when it is sent again, and until
    /// when it takes an answer.
    pub fn times(&self, told: Timestamp) -> Times {
        let later = |time: Timestamp, hours: i32| {
            time.saturating_add(SignedDuration::from_hours(hours.into())).unwrap_or(time)
        };
        let send = later(told, self.send_after_hours);
        let remind = (self.remind_after_hours > 0).then(|| later(send, self.remind_after_hours));
        Times { send, remind, expire: later(send, self.valid_for_hours) }
    }

    /// Whether a satisfaction is low; what was not answered is not.
    pub fn is_low(&self, satisfaction: Satisfaction) -> bool {
        let low = |score: i16| score > 0 && score <= self.low_score;
        low(satisfaction.handling) || low(satisfaction.outcome)
    }
}

/// When a survey is sent, and until when it takes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it is sent.
    pub send: Timestamp,
    /// When it is sent again, if not answered.
    pub remind: Option<Timestamp>,
    /// Until when it takes an answer.
    pub expire: Timestamp,
}

/// What the mail of a survey has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Whether it was asked before.
    pub reminder: bool,
    /// Until when an answer is taken.
    pub until: Timestamp,
    /// The questions.
    pub wording: Wording,
}

kernel::numbered! {
    /// Where a survey stands.
    State {
        /// It takes an answer.
        Open = 1,
        /// It has its answer.
        Answered = 2,
        /// Nobody is to be asked any more.
        Cancelled = 3,
        /// Open, and its time has passed: never stored.
        Expired = 4,
    }
}

kernel::numbered! {
    /// Whether anybody is to be asked about a case.
    SurveyEligibility {
        /// Yes.
        Open = 1,
        /// It is a duplicate.
        Merged = 2,
        /// Its complainant withdrew it.
        Withdrawn = 3,
        /// It is another organisation's matter.
        Declined = 4,
        /// It was closed because nobody answered its outcome.
        AutoClosed = 5,
    }
}

impl SurveyEligibility {
    /// Why nobody is to be asked, as the contract names it; none where somebody is.
    pub const fn cancels(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Merged => Some("MERGED"),
            Self::Withdrawn => Some("WITHDRAWN"),
            Self::Declined => Some("DECLINED"),
            Self::AutoClosed => Some("AUTO_CLOSED"),
        }
    }

    /// Whether nobody is to be called back any more: who did not answer may be.
    pub const fn ends_call_backs(self) -> bool {
        matches!(self, Self::Merged | Self::Withdrawn | Self::Declined)
    }

    /// Whether not even who asked for it is: one that is declined can be told so.
    pub const fn ends_requested_call_backs(self) -> bool {
        matches!(self, Self::Merged | Self::Withdrawn)
    }
}

/// What a complainant answered; 0 where they did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// With the handling and with the outcome.
    pub satisfaction: Satisfaction,
    /// How hard it was, 1–5.
    pub effort: i16,
    /// Anything else.
    pub comment: String,
}

impl Reply {
    /// Whether nothing at all was answered.
    pub fn is_empty(&self) -> bool {
        self.satisfaction == Satisfaction::default() && self.effort == 0 && self.comment.trim().is_empty()
    }
}

/// The survey of a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Identity.
    pub id: Uuid,
    /// The case.
    pub case_id: CaseId,
    /// The cycle.
    pub cycle: i32,
    /// Version of the questionnaire.
    pub questionnaire: i64,
    /// Language it is asked in.
    pub language: String,
    /// Where it stands, but for its time.
    pub state: State,
    /// Why it was cancelled; empty otherwise.
    pub cancel_reason: String,
    /// The answer.
    pub reply: Reply,
    /// When the outcome was told.
    pub created: Timestamp,
    /// Until when an answer is taken.
    pub expires: Timestamp,
    /// When it was answered or cancelled.
    pub ended: Option<Timestamp>,
}

impl Survey {
    /// Where it stands at a moment.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Open && now >= self.expires { State::Expired } else { self.state }
    }

    /// That it takes an answer at a moment, or why not.
    pub fn check_open(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.state_at(now) {
            State::Open => Ok(()),
            State::Answered => Err(Refusal::SurveyAnswered),
            State::Cancelled => Err(Refusal::SurveyCancelled),
            State::Expired => Err(Refusal::SurveyExpired),
        }
    }

    /// Takes the answer; a survey takes one.
    pub fn take(&mut self, reply: Reply, now: Timestamp) -> Result<(), Refusal> {
        self.check_open(now)?;
        self.state = State::Answered;
        self.reply = reply;
        self.ended = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn survey(expires: i64) -> Survey {
        Survey {
            id: Uuid::nil(),
            case_id: CaseId(Uuid::nil()),
            cycle: 1,
            questionnaire: 0,
            language: "en".to_owned(),
            state: State::Open,
            cancel_reason: String::new(),
            reply: Reply::default(),
            created: Timestamp::UNIX_EPOCH,
            expires: at(expires),
            ended: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn reply(handling: i16) -> Reply {
        Reply { satisfaction: Satisfaction { handling, outcome: 0 }, ..Reply::default() }
    }

    proptest! {
        #[test]
        fn a_survey_takes_one_answer_and_none_after_its_time(
            expires in 1..1_000_i64,
            tries in prop::collection::vec((0..2_000_i64, 1..=5_i16), 1..10),
        ) {
            let mut survey = survey(expires);
            let mut taken: Option<i16> = None;
            for (second, handling) in tries {
                let is_due = taken.is_none() && second < expires;
                prop_assert_eq!(survey.take(reply(handling), at(second)).is_ok(), is_due);
                taken = taken.or(is_due.then_some(handling));
            }
            prop_assert_eq!(survey.reply.satisfaction.handling, taken.unwrap_or(0));
            prop_assert_eq!(survey.state == State::Answered, taken.is_some());
        }

        #[test]
        fn a_reminder_is_sent_before_the_time_is_over(send in 0..720_i32, valid in 1..2_160_i32, part in 0.0..1.0_f64) {
            #[expect(clippy::cast_possible_truncation, reason = "hours")]
            let remind = (f64::from(valid) * part) as i32;
            let asked = Questionnaire {
                send_after_hours: send, remind_after_hours: remind, valid_for_hours: valid, ..Questionnaire::shipped()
            };
            let Times { send, remind: again, expire } = asked.times(at(0));
            prop_assert!(send >= at(0) && send < expire);
            prop_assert_eq!(again.is_some(), remind > 0);
            prop_assert!(again.is_none_or(|again| send < again && again < expire));
        }
    }

    #[test]
    fn a_cancelled_survey_takes_no_answer() {
        let mut cancelled = Survey { state: State::Cancelled, ..survey(10) };
        assert_eq!(cancelled.take(reply(1), at(0)), Err(Refusal::SurveyCancelled));
        assert_eq!(survey(10).take(reply(1), at(10)), Err(Refusal::SurveyExpired));
    }

    #[test]
    fn what_was_not_answered_is_not_low() {
        let asked = Questionnaire::shipped();
        for (handling, outcome, low) in [(0, 0, false), (2, 0, true), (5, 2, true), (3, 3, false)] {
            assert_eq!(asked.is_low(Satisfaction { handling, outcome }), low, "{handling} {outcome}");
        }
        assert!(!Questionnaire { low_score: 0, ..asked }.is_low(Satisfaction { handling: 1, outcome: 1 }));
    }

    #[test]
    fn a_language_has_its_own_words_its_relatives_or_the_first() {
        let asked = Questionnaire::shipped();
        let of = |tag: &str| asked.wording(tag).map(|wording| wording.language.as_str());
        assert_eq!(
            [of("zh-CN"), of("ZH"), of("en-GB"), of("fr")],
            [Some("zh"), Some("zh"), Some("en"), Some("en")]
        );
    }
}
