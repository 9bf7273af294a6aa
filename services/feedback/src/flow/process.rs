//! What happened to cases is kept as facts are, for process mining: of all events whose messages
//! say what it is (`redress.event.v1.activity`).
//!
//! All that facts are made of is among them: feeds are followed and read again by this list.

use crate::process::ProcessEvent;
use crate::wire;

/// Follows all messages that process logs tell of.
macro_rules! follow {
    ($($service:ident { $($message:ident),+ })+) => {
        events::inbound! {
            /// Takes in what an event says has happened to a case.
            pub(crate) fn take(log: &mut Vec<ProcessEvent>) {
                $($service { $($message => wire::log),+ })+
            }
        }
    };
}

proto::for_each_logged!(follow);

#[cfg(test)]
mod tests {
    use super::FOLLOWS;
    use crate::flow::facts;

    #[test]
    fn whatever_is_counted_has_happened_to_a_case() {
        for counted in facts::FOLLOWS {
            let logged = FOLLOWS.iter().find(|follow| follow.source == counted.source);
            let logged = logged.map_or(&[][..], |follow| follow.types);
            for name in counted.types {
                assert!(logged.contains(name), "{name} is counted, and is not read again by a rebuild");
            }
        }
    }
}
