//! The client against a server that fails as told.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod worker;
