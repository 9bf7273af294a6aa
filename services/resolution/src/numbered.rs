//! Enums whose numbers are those of the contract, in rows as on the wire.

/// Declares an enum with a number per variant, and the way back from a number.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)+
        }

        impl $name {
            /// The number that stands for it.
            pub fn number(self) -> i16 {
                self as i16
            }

            /// What a number stands for; none if for nothing.
            pub fn of(number: i16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use numbered;
