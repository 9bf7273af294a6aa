//! How budgets are written, and read.

use std::fmt;
use std::str::FromStr;

use super::{Badly, Budget, End, Length, Roll, Start, Unit};

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Unit::ALL.iter().find(|entry| entry.0 == self.unit);
        let word = words.map_or("", |entry| if self.amount == 1 { entry.1 } else { entry.2 });
        write!(f, "{} {word}", self.amount)
    }
}

impl FromStr for Length {
    type Err = Badly;

    fn from_str(text: &str) -> Result<Self, Badly> {
        let (amount, word) = text.trim().split_once(' ').ok_or(Badly::Length)?;
        let word = word.trim().strip_prefix("calendar ").unwrap_or(word.trim());
        let unit = Unit::ALL.iter().find(|entry| entry.1 == word || entry.2 == word).ok_or(Badly::Length)?;
        Self::new(amount.parse().map_err(|_| Badly::Length)?, unit.0)
    }
}

const STARTS: [(Start, &str); 3] =
    [(Start::SameDay, "same day"), (Start::NextDay, "next day"), (Start::NextWorkingDay, "next working day")];

const ENDS: [(End, &str); 3] = [
    (End::EndOfDay, "end of day"),
    (End::SameTime, "same time"),
    (End::CloseOfBusiness, "close of business"),
];

const ROLLS: [(Roll, &str); 2] = [(Roll::Holidays, "holidays"), (Roll::DaysOff, "days off")];

impl fmt::Display for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ROLLS.iter().find(|(roll, _)| roll == self).map_or("", |(_, words)| words))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.length)?;
        for (_, words) in
            STARTS.iter().filter(|(start, _)| *start == self.start && self.start != Start::default())
        {
            write!(f, " from {words}")?;
        }
        for (_, words) in ENDS.iter().filter(|(end, _)| *end == self.end && self.end != End::default()) {
            write!(f, " to {words}")?;
        }
        for (_, words) in ROLLS.iter().filter(|(roll, _)| *roll == self.roll) {
            write!(f, " rolled past {words}")?;
        }
        Ok(())
    }
}

impl FromStr for Budget {
    type Err = Badly;

    fn from_str(text: &str) -> Result<Self, Badly> {
        let (text, roll) = match text.split_once(" rolled past ") {
            Some((text, roll)) => {
                (text, ROLLS.iter().find(|(_, words)| *words == roll.trim()).map(|of| of.0))
            }
            None => (text, Some(Roll::Never)),
        };
        let roll = roll.ok_or(Badly::Rolling)?;
        let (text, end) = text.split_once(" to ").map_or((text, ENDS[0].1), |(text, end)| (text, end.trim()));
        let (length, start) =
            text.split_once(" from ").map_or((text, STARTS[1].1), |(text, start)| (text, start.trim()));
        let start = STARTS.iter().find(|(_, words)| *words == start).ok_or(Badly::Counting)?.0;
        let end = ENDS.iter().find(|(_, words)| *words == end).ok_or(Badly::Counting)?.0;
        Self::new(length.parse()?, start, end)?.rolled(roll)
    }
}

impl TryFrom<String> for Length {
    type Error = Badly;

    fn try_from(text: String) -> Result<Self, Badly> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl TryFrom<String> for Budget {
    type Error = Badly;

    fn try_from(text: String) -> Result<Self, Badly> {
        text.parse()
    }
}

impl From<Budget> for String {
    fn from(budget: Budget) -> Self {
        budget.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written_alike() {
        for text in [
            "2 hours",
            "45 working minutes",
            "1 working day to same time",
            "15 working days",
            "3 working days to close of business",
            "30 days from next working day",
            "8 weeks",
            "6 months",
            "1 day from same day",
            "60 days rolled past holidays",
            "1 month from next working day to same time rolled past days off",
        ] {
            assert_eq!(text.parse::<Budget>().map(|budget| budget.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(
            "15 calendar days".parse::<Budget>().map(|budget| budget.to_string()),
            Ok("15 days".to_owned())
        );
    }

    #[test]
    fn budgets_that_make_no_sense_are_refused() {
        for (text, badly) in [
            ("", Badly::Length),
            ("days", Badly::Length),
            ("-1 days", Badly::Length),
            ("0 days", Badly::Amount),
            ("3661 days", Badly::Amount),
            ("2 fortnights", Badly::Length),
            ("2 hours to end of time", Badly::Counting),
            ("2 hours from same day", Badly::NotDays),
            ("2 days from same day to same time", Badly::SameDayEnd),
            ("2 days rolled past midnight", Badly::Rolling),
            ("2 working days rolled past holidays", Badly::Rolling),
            ("2 hours rolled past days off", Badly::Rolling),
        ] {
            assert_eq!(text.parse::<Budget>(), Err(badly), "{text}");
        }
    }
}
