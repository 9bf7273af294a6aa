//! The rules against a worker that keeps them, and against one for each that does not.

#[cfg(test)]
mod worker;

#[cfg(test)]
mod rules;
