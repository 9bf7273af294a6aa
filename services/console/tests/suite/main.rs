//! Pages over HTTP, from a suite that runs.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod admin;
mod browser;
mod case;
mod case_changes;
mod complainant;
mod department;
mod figures;
mod inbox;
mod oidc;
mod sign_in;
mod skeleton;
mod team;
mod work;
