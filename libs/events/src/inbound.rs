//! What a service hears: one list of the payloads it follows, each with the function that
//! takes it in. What is asked of the feeds and the dispatch both come from that list.

use fault::{Fault, Kind};
use prost::Name;

use crate::{Delivered, Follow};

/// Declares what a service hears, by the service that publishes it: each payload, with the
/// function that takes it into what a batch asks for.
///
/// ```
/// # use fault::Fault;
/// # use proto::redress::cases::v1::{CaseClosed, CaseReopened};
/// # use events::Delivered;
/// #[derive(Default)]
/// struct Batch {
///     open: i32,
/// }
///
/// impl Batch {
///     fn reopened(&mut self, _: &Delivered, reopened: CaseReopened) -> Result<(), Fault> {
///         self.open = reopened.cycle;
///         Ok(())
///     }
///
///     fn closed(&mut self, _: &Delivered, _: CaseClosed) -> Result<(), Fault> {
///         self.open = 0;
///         Ok(())
///     }
/// }
///
/// events::inbound! {
///     /// Takes in an event.
///     fn take(batch: &mut Batch) {
///         cases { CaseReopened => Batch::reopened, CaseClosed => Batch::closed }
///     }
/// }
///
/// assert_eq!(FOLLOWS[0].source, "cases");
/// assert_eq!(FOLLOWS[0].types, ["redress.cases.v1.CaseReopened", "redress.cases.v1.CaseClosed"]);
/// ```
///
/// Makes the function, and `FOLLOWS`: what [`Reactor::follows`](crate::Reactor::follows)
/// answers. Does not compile where a payload is listed twice, has no function, or is no
/// message of `redress.<service>.v1`. The function fails with INVALID_ARGUMENT/INVALID_EVENT
/// for a payload that is not listed, which no feed delivers.
#[macro_export]
macro_rules! inbound {
    (
        $(#[$meta:meta])*
        $vis:vis fn $take:ident($batch:ident: &mut $target:ty) {
            $($service:ident { $($message:ident => $handler:path),+ $(,)? })+
        }
    ) => {
        /// What is followed.
        $vis const FOLLOWS: &[$crate::Follow] = &[$($crate::Follow {
            source: stringify!($service),
            types: &[$(concat!("redress.", stringify!($service), ".v1.", stringify!($message))),+],
        }),+];

        const _: () = {
            // Two of one name do not compile.
            #[expect(dead_code, reason = "only the names count")]
            enum Listed { $($($message),+),+ }
            $($(assert!($crate::is_named::<$crate::contracts::$service::v1::$message>(
                concat!("redress.", stringify!($service), ".v1.", stringify!($message)),
            ));)+)+
        };

        $(#[$meta])*
        $vis fn $take($batch: &mut $target, event: &$crate::Delivered) -> ::std::result::Result<(), ::fault::Fault> {
            $($(if event.is::<$crate::contracts::$service::v1::$message>() {
                return $handler($batch, event, event.read::<$crate::contracts::$service::v1::$message>()?);
            })+)+
            Err($crate::not_followed(event))
        }
    };
}

/// Whether this is the full name of a message.
#[must_use]
pub const fn is_named<M: Name>(full_name: &str) -> bool {
    let (package, name, full) = (M::PACKAGE.as_bytes(), M::NAME.as_bytes(), full_name.as_bytes());
    if full.len() != package.len() + 1 + name.len() || full[package.len()] != b'.' {
        return false;
    }
    let mut at = 0;
    while at < package.len() {
        if full[at] != package[at] {
            return false;
        }
        at += 1;
    }
    at = 0;
    while at < name.len() {
        if full[package.len() + 1 + at] != name[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// All that two lists follow: each service once, each payload once. Of a service of which one of
/// them follows everything, that.
#[must_use]
pub fn joined(one: &[Follow], other: &[Follow]) -> Vec<Follow> {
    let mut all: Vec<(&'static str, Option<Vec<&'static str>>)> = Vec::new();
    for follow in one.iter().chain(other) {
        let found = all.iter_mut().find(|(source, _)| *source == follow.source);
        let types = (!follow.types.is_empty()).then(|| follow.types.to_vec());
        match (found, types) {
            (None, types) => all.push((follow.source, types)),
            (Some((_, Some(known))), Some(types)) => {
                let new: Vec<_> = types.into_iter().filter(|name| !known.contains(name)).collect();
                known.extend(new);
            }
            (Some((_, known)), _) => *known = None,
        }
    }
    let follow = |(source, types): (_, Option<Vec<_>>)| Follow {
        source,
        // Followed for as long as the process runs.
        types: types.map_or(&[], |types| &*types.leak()),
    };
    all.into_iter().map(follow).collect()
}

/// The fault of an event of a payload that is not followed.
pub fn not_followed(event: &Delivered) -> Fault {
    Fault::new(Kind::Invalid, "INVALID_EVENT", format!("{} is not followed", event.type_name))
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::CaseClosed;

    use super::*;

    #[test]
    fn joined_lists_name_each_service_and_payload_once() {
        let follow = |source, types| Follow { source, types };
        let joined = joined(
            &[follow("cases", &["a", "b"]), follow("intake", &["c"])],
            &[follow("cases", &["b", "d"]), follow("intake", &[]), follow("feedback", &["e"])],
        );
        let all: Vec<_> = joined.iter().map(|follow| (follow.source, follow.types)).collect();
        assert_eq!(all, [("cases", &["a", "b", "d"][..]), ("intake", &[]), ("feedback", &["e"])]);
    }

    #[test]
    fn a_full_name_is_package_and_name() {
        assert!(is_named::<CaseClosed>("redress.cases.v1.CaseClosed"));
        for other in [
            "redress.cases.v1.CaseClose",
            "redress.cases.v1.CaseClosedX",
            "redress.cases.v2.CaseClosed",
            "CaseClosed",
        ] {
            assert!(!is_named::<CaseClosed>(other), "{other}");
        }
    }
}
