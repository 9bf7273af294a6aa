//! Statements that name the states they are about.

/// A statement with the numbers of named values written into its text, where a planner
/// sees them: it uses an index `WHERE state = 1` only for a statement that says so.
/// [`Rows`](crate::Rows) may follow after a semicolon, to be written into it as well.
///
/// ```
/// kernel::numbered! {
///     /// How far a task is.
///     TaskState {
///         /// Nobody has it.
///         Ready = 1,
///         /// Somebody has it.
///         Leased = 2,
///     }
/// }
/// let open = pg::sql!(
///     "SELECT task_id FROM task WHERE state IN ({ready}, {leased})",
///     ready = TaskState::Ready,
///     leased = TaskState::Leased,
/// );
/// assert_eq!(open.0, "SELECT task_id FROM task WHERE state IN (1, 2)");
/// ```
#[macro_export]
macro_rules! sql {
    ($text:expr, $($name:ident = $value:expr),+ $(,)? $(; $rows:ident = $made:expr)?) => {
        $crate::AssertSqlSafe(format!(
            $text,
            $($name = <i16 as ::std::convert::From<_>>::from($value),)+
            $($rows = ::std::convert::identity::<$crate::Rows>($made),)?
        ))
    };
}
