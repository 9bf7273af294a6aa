//! A statement put together from texts of this program and bound values: it takes
//! no other text.

use fault::Fault;
use filter::terms::Terms;
use filter::{Code, Compare, Condition, Moment, Test, Word};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::postgres::PgRow;
use sqlx::{Encode, FromRow, PgConnection, Postgres, QueryBuilder, Type};
use vocabulary::State;

use super::SearchContext;

/// When a case is due, infinitely late where nothing makes it due: as the indexes
/// have it.
pub(super) const DUE: &str = "CASE WHEN due_at IS NULL THEN 'infinity' ELSE due_at END";

/// A statement being written.
pub(super) struct Statement(QueryBuilder<Postgres>);

impl Statement {
    pub(super) fn new(text: &'static str) -> Self {
        Self(QueryBuilder::new(text))
    }

    /// Adds a text of this program.
    pub(super) fn text(&mut self, text: &'static str) -> &mut Self {
        self.0.push(text);
        self
    }

    /// Adds a value.
    pub(super) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static,
    {
        self.0.push_bind(value);
        self
    }

    /// Runs it. Planned for its very values, unlike all others: which index serves
    /// depends on them, a rare word, a common one, and there are too many shapes of
    /// it for plans to be kept.
    pub(super) async fn fetch<T>(mut self, conn: &mut PgConnection) -> Result<Vec<T>, Fault>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        sqlx::query("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *conn).await?;
        Ok(self.0.build_query_as().persistent(false).fetch_all(conn).await?)
    }

    /// Adds that cases are as meant. Every part is true or false of every case,
    /// never unknown, so that NOT takes exactly the others.
    pub(super) fn condition(&mut self, context: &SearchContext, condition: &Condition) -> &mut Self {
        match condition {
            Condition::All(parts) if parts.is_empty() => self.text("TRUE"),
            Condition::All(parts) => self.joined(context, parts, " AND "),
            Condition::Any(parts) => self.joined(context, parts, " OR "),
            Condition::Not(part) => self.text("NOT (").condition(context, part).text(")"),
            Condition::Test(test) => self.test(context, test),
        }
    }

    fn joined(&mut self, context: &SearchContext, parts: &[Condition], with: &'static str) -> &mut Self {
        self.text("(");
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.text(with);
            }
            self.condition(context, part);
        }
        self.text(")")
    }

    fn test(&mut self, context: &SearchContext, test: &Test) -> &mut Self {
        match test {
            Test::Code(Code::State, Compare::Equal, number) => self.state(*number),
            Test::Code(code, compare, number) => {
                self.text(code_column(*code)).text(sign(*compare)).bind(*number)
            }
            Test::HasCode(Code::Outcome) => self.text("outcome IS NOT NULL"),
            Test::HasCode(_) => self.text("TRUE"),
            Test::Tier(compare, tier) => self.text("tier").text(sign(*compare)).bind(*tier),
            Test::Word(word, name) => self.word(*word, name),
            Test::HasWord(word) => self.text(word_column(*word)).text(" <> ''"),
            Test::Category(path) => {
                self.text("(category = ").bind(path.clone()).text(" OR ");
                self.below(path).text(")")
            }
            Test::BelowCategory(path) => self.below(path),
            Test::Moment(moment, compare, time) => self.moment(*moment, *compare, *time),
            Test::HasMoment(moment) => self.text(moment_column(*moment)).text(" IS NOT NULL"),
            Test::Open => self.text("closed_at IS NULL"),
            Test::Breached => {
                self.text("(closed_at IS NULL AND ").text(DUE).text(" < ").bind(context.now.to_sqlx()).text(")")
            }
            // Only what is open has a clock that may go on.
            Test::Paused => self.text(
                "(closed_at IS NULL AND case_id IN (SELECT k.case_id FROM clock k
                  WHERE k.tenant_id = current_setting('redress.tenant') AND k.is_open AND k.clock -> 'state' ->> 'is' = 'paused'))",
            ),
            Test::Replied => self.text(
                "(case_id IN (SELECT r.case_id FROM reply r
                  WHERE r.tenant_id = current_setting('redress.tenant')))",
            ),
            // What has no word is found nowhere.
            Test::Text(sought) => match Terms::of(&context.tenant).query(sought) {
                Some(query) => self
                    .text("case_id IN (SELECT w.case_id FROM case_words w WHERE w.terms @@ ")
                    .bind(query)
                    .text("::tsquery)"),
                None => self.text("FALSE"),
            },
        }
    }

    /// Said twice: the state changes too often for an index, how a case ended does not.
    fn state(&mut self, number: i16) -> &mut Self {
        self.text("(state = ").bind(number);
        match State::of(number) {
            Some(state) if state.is_over() || state == State::Merged => {
                self.text(" AND ended_as = ").bind(number).text(")")
            }
            _ => self.text(" AND closed_at IS NULL)"),
        }
    }

    fn word(&mut self, word: Word, name: &str) -> &mut Self {
        let column = word_column(word);
        if name.is_empty() {
            return self.text(column).text(" = ''");
        }
        // Said twice for the indexes of those that are not empty.
        self.text("(").text(column).text(" = ").bind(name.to_owned());
        self.text(" AND ").text(column).text(" <> '')")
    }

    fn below(&mut self, path: &str) -> &mut Self {
        self.text("starts_with(category, ").bind(format!("{path}/")).text(")")
    }

    fn moment(&mut self, moment: Moment, compare: Compare, time: Timestamp) -> &mut Self {
        let column = moment_column(moment);
        self.text("(").text(column).text(" IS NOT NULL AND ");
        self.text(match moment {
            Moment::Due => DUE,
            _ => column,
        });
        self.text(sign(compare)).bind(time.to_sqlx()).text(")")
    }

    /// How Postgres would go about it; an error if it cannot be done at all.
    #[cfg(test)]
    pub(super) async fn plan(mut self, conn: &mut PgConnection) -> Result<String, sqlx::Error> {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN {}", self.0.sql().as_str()));
        let values = sqlx::Execute::take_arguments(&mut self.0.build()).expect("values that can be sent");
        let lines: Vec<String> =
            sqlx::query_scalar_with(explain, values.unwrap_or_default()).fetch_all(conn).await?;
        Ok(lines.join("\n"))
    }
}

fn code_column(code: Code) -> &'static str {
    match code {
        Code::State => "state",
        Code::Priority => "priority",
        Code::Channel => "channel",
        Code::Outcome => "coalesce(outcome, 0::smallint)",
    }
}

fn word_column(word: Word) -> &'static str {
    match word {
        Word::Agent => "agent_id",
        Word::Department => "department_id",
        Word::Customer => "customer_id",
        Word::Language => "language",
    }
}

fn moment_column(moment: Moment) -> &'static str {
    match moment {
        Moment::Received => "received_at",
        Moment::Opened => "opened_at",
        Moment::Resolved => "resolved_at",
        Moment::Closed => "closed_at",
        Moment::Due => "due_at",
    }
}

fn sign(compare: Compare) -> &'static str {
    match compare {
        Compare::Equal => " = ",
        Compare::Less => " < ",
        Compare::AtMost => " <= ",
        Compare::More => " > ",
        Compare::AtLeast => " >= ",
    }
}
