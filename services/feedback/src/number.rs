//! Enums that contracts and tables know by number.

/// Declares an enum whose values bear the numbers of the contract, which are
/// also those in the tables, so that there is one list of them.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$value_doc])* $value = $number,)+
        }

        impl $name {
            /// Its number.
            pub fn number(self) -> i16 {
                self as i16
            }

            /// The value of a number; none if no value bears it.
            pub fn numbered(number: i16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use numbered;
