//! Enums whose numbers are the contract's: the same on the wire, in rows and in
//! the domain, and one list of them.

/// Declares an enum with a number per value, and the way back from a number. Where
/// people read the values, each has its words as well, which it displays.
///
/// ```
/// kernel::numbered! {
///     /// How urgent it is.
///     Priority {
///         /// At once.
///         P1 = 1,
///         /// Soon.
///         P2 = 2,
///     }
/// }
/// assert_eq!(Priority::P2.number(), 2);
/// assert_eq!(Priority::of(1), Some(Priority::P1));
/// assert_eq!(Priority::of(0), None);
///
/// kernel::numbered! {
///     /// What was decided.
///     Outcome {
///         /// The complainant is right.
///         Upheld = 1 "upheld",
///     }
/// }
/// assert_eq!(Outcome::Upheld.to_string(), "upheld");
/// ```
#[macro_export]
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value = $number,)+
        }

        impl ::std::convert::From<$name> for i16 {
            fn from(value: $name) -> Self {
                value.number()
            }
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// Its number, as rows keep it.
            pub const fn number(self) -> i16 {
                self as i16
            }

            /// The value of a number; none if no value bears it.
            pub fn of(number: impl Into<i32>) -> Option<Self> {
                let number = number.into();
                Self::ALL.iter().copied().find(|value| i32::from(value.number()) == number)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal $words:literal,)+ }) => {
        $crate::numbered! { $(#[$doc])* $name { $($(#[$value_doc])* $value = $number,)+ } }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(match self { $(Self::$value => $words,)+ })
            }
        }
    };
}
