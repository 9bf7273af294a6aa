//! How the mood of somebody goes along the turns of a conversation.
//!
//! Each turn is read as [`emotion`](crate::emotion()) reads a text. The trend compares the
//! last third of the turns with the first: where the mean level is one higher, the mood is
//! rising, where it is one lower, falling, else steady. One outburst amid a long talk is the
//! worst of it, and no trend.

use crate::emotion::{Level, Threat, emotion};

/// Most turns that are read; what comes after is not.
pub const MAX_MOOD_TURNS: usize = 500;
/// Most bytes of all turns together that are read; what comes after is not.
pub const MAX_MOOD_BYTES: usize = 80_000;

/// Where a mood goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trend {
    /// Angrier at the end than at the beginning.
    Rising,
    /// Calmer.
    Falling,
    /// Neither.
    Steady,
}

/// The mood along the turns of one speaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mood {
    /// How angry each turn is that was read, in their order.
    pub levels: Vec<Level>,
    /// What the turns threaten, each once, in order.
    pub threats: Vec<Threat>,
}

/// Reads the mood along turns. The same turns give the same answer.
pub fn mood<'t>(turns: impl IntoIterator<Item = &'t str>) -> Mood {
    let mut left = MAX_MOOD_BYTES;
    let mut mood = Mood::default();
    for turn in turns.into_iter().take(MAX_MOOD_TURNS) {
        let Some(rest) = left.checked_sub(turn.len()) else { break };
        left = rest;
        let read = emotion(turn);
        mood.levels.push(read.level);
        mood.threats.extend(read.threats);
    }
    mood.threats.sort_unstable();
    mood.threats.dedup();
    mood
}

impl Mood {
    /// The first turn's; none without turns.
    pub fn first(&self) -> Option<Level> {
        self.levels.first().copied()
    }

    /// The angriest turn's; none without turns.
    pub fn worst(&self) -> Option<Level> {
        self.levels.iter().max().copied()
    }

    /// The last turn's; none without turns.
    pub fn last(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    /// Where it goes; none of fewer than two turns.
    pub fn trend(&self) -> Option<Trend> {
        trend(&self.levels)
    }
}

/// Where levels go from turn to turn; none of fewer than two.
pub fn trend(levels: &[Level]) -> Option<Trend> {
    if levels.len() < 2 {
        return None;
    }
    let third = (levels.len() / 3).max(1);
    let sum = |part: &[Level]| part.iter().map(|level| i64::from(level.number())).sum::<i64>();
    let change = sum(&levels[levels.len() - third..]) - sum(&levels[..third]);
    let step = i64::try_from(third).unwrap_or(i64::MAX);
    Some(match change {
        change if change >= step => Trend::Rising,
        change if change <= -step => Trend::Falling,
        _ => Trend::Steady,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Level::{Angry, Annoyed, Calm, Displeased, Furious};
    use super::*;

    fn level() -> impl Strategy<Value = Level> {
        prop::sample::select(vec![Calm, Displeased, Annoyed, Angry, Furious])
    }

    #[test]
    fn the_last_third_is_held_against_the_first() {
        for (levels, expected) in [
            (vec![], None),
            (vec![Angry], None),
            (vec![Calm, Displeased], Some(Trend::Rising)),
            (vec![Angry, Calm], Some(Trend::Falling)),
            (vec![Annoyed, Furious, Annoyed], Some(Trend::Steady)),
            // One angry word at the end of a long calm talk is no trend.
            (vec![Calm, Calm, Calm, Calm, Calm, Displeased], Some(Trend::Steady)),
            (vec![Calm, Calm, Calm, Calm, Displeased, Displeased], Some(Trend::Rising)),
            (vec![Furious, Angry, Calm, Calm, Annoyed, Annoyed], Some(Trend::Falling)),
        ] {
            assert_eq!(trend(&levels), expected, "{levels:?}");
        }
    }

    #[test]
    fn turns_are_read_one_by_one() {
        let talk = mood([
            "Hello, where is my parcel?",
            "That is very annoying.",
            "This is outrageous, I am furious! I will call my lawyer!!!",
        ]);
        assert_eq!(talk.levels.len(), 3);
        assert_eq!((talk.first(), talk.trend()), (Some(Calm), Some(Trend::Rising)));
        assert_eq!((talk.worst(), talk.last()), (Some(Furious), Some(Furious)));
        assert_eq!(talk.threats, [Threat::Court]);
        assert_eq!(mood([]), Mood::default());
    }

    #[test]
    fn what_is_beyond_the_limits_is_not_read() {
        let long = "差".repeat(MAX_MOOD_BYTES / 6);
        let talk = mood([long.as_str(), &long, "outrageous", "calm"]);
        assert_eq!(talk.levels.len(), 2, "the third would be too much");
        assert_eq!(mood(std::iter::repeat_n("x", 600)).levels.len(), MAX_MOOD_TURNS);
    }

    proptest! {
        #[test]
        fn a_trend_turned_round_is_the_opposite(levels in prop::collection::vec(level(), 0..40)) {
            let back: Vec<Level> = levels.iter().rev().copied().collect();
            let opposite = match trend(&levels) {
                Some(Trend::Rising) => Some(Trend::Falling),
                Some(Trend::Falling) => Some(Trend::Rising),
                other => other,
            };
            prop_assert_eq!(trend(&back), opposite);
        }

        #[test]
        fn who_only_grows_angrier_never_calms(mut levels in prop::collection::vec(level(), 2..40)) {
            levels.sort_unstable();
            prop_assert_ne!(trend(&levels), Some(Trend::Falling));
            let mood = Mood { levels: levels.clone(), threats: Vec::new() };
            prop_assert_eq!((mood.first(), mood.worst()), (levels.first().copied(), mood.last()));
        }

        #[test]
        fn any_turns_are_read(turns in prop::collection::vec("\\PC{0,40}", 0..20)) {
            let read = mood(turns.iter().map(String::as_str));
            prop_assert_eq!(read.levels.len(), turns.len());
        }
    }
}
