//! Whether the numbers of stored values are the contract's.

/// Asserts that each of our values has the number and the name it has in the contract,
/// and that neither side has one more.
///
/// ```
/// use proto::redress::event::v1::Lane;
///
/// kernel::numbered! {
///     /// Which lane an event travels in.
///     OurLane {
///         /// What has just been done.
///         Live = 1,
///         /// Imports.
///         Bulk = 2,
///     }
/// }
/// testkit::same_numbers! { OurLane, Lane; }
/// ```
#[macro_export]
macro_rules! same_numbers {
    ($($ours:ty, $theirs:ty;)+) => {$({
        let ours: Vec<_> =
            <$ours>::ALL.iter().map(|value| (i32::from(value.number()), format!("{value:?}"))).collect();
        let theirs: Vec<_> = (1..$crate::numbers::BEYOND)
            .filter_map(|code| <$theirs>::try_from(code).ok().map(|value| (code, format!("{value:?}"))))
            .collect();
        assert_eq!(ours, theirs, "{}", stringify!($theirs));
    })+};
}

/// A number beyond those of any enum of ours.
pub const BEYOND: i32 = 1_000;
