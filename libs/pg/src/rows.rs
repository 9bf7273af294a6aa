//! Many rows in one statement: each column's name, type and value in one place, so
//! that no two of them can be swapped unnoticed.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use sqlx::postgres::{PgArguments, PgQueryResult};
use sqlx::types::Json;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, PgConnection, Postgres, Type};

/// The values of a statement, in the order of their placeholders.
///
/// ```no_run
/// # async fn keep(conn: &mut sqlx::PgConnection, notes: &[(i64, String)]) -> Result<(), sqlx::Error> {
/// let mut binds = pg::Binds::default();
/// let rows = binds.rows(notes).column("number", |note| note.0).column("text", |note| note.1.as_str()).done();
/// // INSERT INTO note (tenant_id, number, text) SELECT current_setting('redress.tenant'), r.number, r.text
/// // FROM (SELECT UNNEST($1) AS number, UNNEST($2) AS text) AS r
/// binds.execute(&rows.insert_into("note"), conn).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Binds {
    arguments: PgArguments,
    failure: Option<sqlx::error::BoxDynError>,
}

impl Binds {
    /// Adds one value; answers its placeholder.
    pub fn value<'q, V>(&mut self, value: V) -> String
    where
        V: Encode<'q, Postgres> + Type<Postgres> + 'q,
    {
        if let Err(failure) = self.arguments.add(value) {
            self.failure.get_or_insert(failure);
        }
        format!("${}", self.arguments.len())
    }

    /// Begins rows, one for each item.
    pub fn rows<'b, 'i, T>(&'b mut self, items: &'i [T]) -> RowsBuilder<'b, 'i, T> {
        RowsBuilder { binds: self, items, columns: Vec::new() }
    }

    /// Begins one row.
    pub fn row<'b, 'i, T>(&'b mut self, item: &'i T) -> RowsBuilder<'b, 'i, T> {
        self.rows(std::slice::from_ref(item))
    }

    /// The values, for a statement that answers rows.
    ///
    /// # Errors
    ///
    /// A value could not be encoded.
    pub fn arguments(self) -> Result<PgArguments, sqlx::Error> {
        self.failure.map_or(Ok(self.arguments), |failure| Err(sqlx::Error::Encode(failure)))
    }

    /// Carries a statement out that answers no rows. Its text is ours: names of columns and
    /// tables and placeholders, never what somebody sent.
    ///
    /// # Errors
    ///
    /// A value could not be encoded, or the database refused the statement.
    pub async fn execute(self, text: &str, conn: &mut PgConnection) -> Result<PgQueryResult, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(text.to_owned()), self.arguments()?).execute(conn).await
    }
}

/// Rows whose columns are being named.
pub struct RowsBuilder<'b, 'i, T> {
    binds: &'b mut Binds,
    items: &'i [T],
    columns: Vec<Column>,
}

/// A column: its name, and the expression that yields its values.
struct Column {
    name: &'static str,
    values: String,
    /// The expression that is stored, with `{}` for the value; the value itself where it
    /// is empty.
    stored: &'static str,
}

impl Column {
    /// Its value in a row of this alias.
    fn value(&self, alias: &str) -> String {
        let value = format!("{alias}.{}", self.name);
        if self.stored.is_empty() { value } else { self.stored.replace("{}", &value) }
    }
}

impl<'i, T> RowsBuilder<'_, 'i, T> {
    /// A column, and the value each item has in it. Its type in SQL is that of the value,
    /// which is sent with the statement.
    #[must_use]
    pub fn column<V>(self, name: &'static str, value: impl FnMut(&'i T) -> V) -> Self
    where
        Vec<V>: Encode<'i, Postgres> + Type<Postgres> + 'i,
    {
        self.column_as(name, "", value)
    }

    /// A column of type `text[]`, and the list of texts each item has in it. Lists travel as
    /// JSON: Postgres knows no arrays of arrays of different lengths.
    #[must_use]
    pub fn list<L>(self, name: &'static str, mut value: impl FnMut(&'i T) -> L) -> Self
    where
        L: Serialize + 'i,
    {
        self.column_as(name, "ARRAY(SELECT jsonb_array_elements_text({}))", |item| Json(value(item)))
    }

    /// A column of type `integer[]`, and the list of numbers each item has in it.
    #[must_use]
    pub fn numbers(self, name: &'static str, mut value: impl FnMut(&'i T) -> Vec<i32>) -> Self {
        self.column_as(name, "ARRAY(SELECT jsonb_array_elements({})::integer)", |item| Json(value(item)))
    }

    /// A column in which not the value each item has is stored but an expression over it,
    /// which has `{}` in its place.
    #[must_use]
    pub fn column_as<V>(
        mut self,
        name: &'static str,
        stored: &'static str,
        value: impl FnMut(&'i T) -> V,
    ) -> Self
    where
        Vec<V>: Encode<'i, Postgres> + Type<Postgres> + 'i,
    {
        let values: Vec<V> = self.items.iter().map(value).collect();
        let values = format!("UNNEST({})", self.binds.value(values));
        self.columns.push(Column { name, values, stored });
        self
    }

    /// The rows, all columns named.
    pub fn done(self) -> Rows {
        Rows { columns: self.columns }
    }
}

/// Rows as a statement reads them; displays as the table expression.
pub struct Rows {
    columns: Vec<Column>,
}

impl Rows {
    /// The names of the columns, e.g. `number, text`.
    pub fn names(&self) -> String {
        self.join(|column| column.name.to_owned())
    }

    /// The values of the columns where the rows have this alias, e.g. `r.number, r.text`.
    pub fn values(&self, alias: &str) -> String {
        self.join(|column| column.value(alias))
    }

    /// What stores them in a table of the tenant; more may follow, e.g. `ON CONFLICT`.
    pub fn insert_into(&self, table: &str) -> String {
        format!(
            "INSERT INTO {table} (tenant_id, {}) SELECT current_setting('redress.tenant'), {} FROM {self} AS r",
            self.names(),
            self.values("r")
        )
    }

    /// What writes them over the tenant's rows with the same key; more may follow, e.g.
    /// `RETURNING`.
    pub fn update(&self, table: &str, key: &[&str]) -> String {
        let same: Vec<_> = key.iter().map(|name| format!("{table}.{name} = r.{name}")).collect();
        format!(
            "UPDATE {table} SET {} FROM {self} AS r WHERE {table}.tenant_id = current_setting('redress.tenant') AND {}",
            self.assignments(key),
            same.join(" AND ")
        )
    }

    /// What overwrites the row that is there already in an `INSERT … ON CONFLICT (…) DO
    /// UPDATE SET`: every column but those of the key.
    pub fn overwrite(&self, key: &[&str]) -> String {
        let others = self.columns.iter().filter(|column| !key.contains(&column.name));
        others.map(|column| format!("{0} = excluded.{0}", column.name)).collect::<Vec<_>>().join(", ")
    }

    /// What assigns every column but those of the key.
    fn assignments(&self, key: &[&str]) -> String {
        let others = self.columns.iter().filter(|column| !key.contains(&column.name));
        others.map(|column| format!("{} = {}", column.name, column.value("r"))).collect::<Vec<_>>().join(", ")
    }

    fn join(&self, text: impl FnMut(&Column) -> String) -> String {
        self.columns.iter().map(text).collect::<Vec<_>>().join(", ")
    }
}

impl Display for Rows {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let values = self.join(|column| format!("{} AS {}", column.values, column.name));
        write!(f, "(SELECT {values})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_travel_as_json_and_arrive_as_arrays() {
        let lists = [vec!["two\nlines".to_owned()], Vec::new()];
        let mut binds = Binds::default();
        let rows = binds.rows(&lists).list("reasons", |list| list).numbers("levels", |_| vec![1]).done();
        assert_eq!(rows.to_string(), "(SELECT UNNEST($1) AS reasons, UNNEST($2) AS levels)");
        assert_eq!(
            rows.values("r"),
            "ARRAY(SELECT jsonb_array_elements_text(r.reasons)), \
             ARRAY(SELECT jsonb_array_elements(r.levels)::integer)"
        );
    }

    #[test]
    fn each_column_keeps_its_name_beside_its_value() {
        let mut binds = Binds::default();
        let limit = binds.value(7_i64);
        let rows = binds
            .rows(&[(1_i16, "a"), (2, "b")])
            .column("number", |note| note.0)
            .column("text", |note| note.1)
            .column("time", |_| None::<uuid::Uuid>)
            .done();
        assert_eq!(limit, "$1");
        assert_eq!(rows.to_string(), "(SELECT UNNEST($2) AS number, UNNEST($3) AS text, UNNEST($4) AS time)");
        assert_eq!(
            rows.insert_into("note"),
            format!(
                "INSERT INTO note (tenant_id, number, text, time) \
                 SELECT current_setting('redress.tenant'), r.number, r.text, r.time FROM {rows} AS r"
            )
        );
        assert_eq!(
            rows.update("note", &["number"]),
            format!(
                "UPDATE note SET text = r.text, time = r.time FROM {rows} AS r \
                 WHERE note.tenant_id = current_setting('redress.tenant') AND note.number = r.number"
            )
        );
        assert_eq!(rows.overwrite(&["number"]), "text = excluded.text, time = excluded.time");
        assert_eq!(binds.arguments().map(|arguments| arguments.len()).ok(), Some(4));
    }
}
