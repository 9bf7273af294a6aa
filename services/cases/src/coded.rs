//! Enums whose values have numbers: the contract's, which are also what is stored.

/// A value with a number.
pub(crate) trait Coded: Copy + 'static {
    /// Every value, in order.
    const ALL: &'static [Self];

    /// Its number.
    fn code(self) -> i16;

    /// The value of a number; none if there is no such value.
    fn from_code(code: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| i32::from(value.code()) == code)
    }
}

/// Declares one: each value with its number and the words people read for it.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $code:literal $words:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub(crate) enum $name { $($(#[$value_doc])* $value = $code,)+ }

        impl $crate::coded::Coded for $name {
            const ALL: &'static [Self] = &[$(Self::$value,)+];

            fn code(self) -> i16 {
                self as i16
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$value => $words,)+ })
            }
        }
    };
}

pub(crate) use coded;
