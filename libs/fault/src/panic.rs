//! A panic in one piece of work is our mistake about that piece, not the end of the
//! process.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::Fault;

/// Awaits work; its panic becomes a fault of its own. For work that shares nothing
/// with what goes on after it: what it held is dropped, a transaction rolled back.
pub fn caught<T>(work: impl Future<Output = Result<T, Fault>>) -> impl Future<Output = Result<T, Fault>> {
    let caught = AssertUnwindSafe(work).catch_unwind();
    caught.map(|outcome| outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))))
}

/// A panic as a fault.
pub fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::internal(format!("panicked: {}", said.unwrap_or("without a word")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_panic_said_is_the_cause() {
        let outcome: Result<(), Fault> = caught(async { panic!("number {}", 13) }).await;
        let chain = outcome.map_err(|fault| fault.chain());
        assert_eq!(chain, Err("INTERNAL: something went wrong on our side: panicked: number 13".to_owned()));
    }
}
