//! Pages over HTTP, from a suite that runs.

mod browser;
mod case;
mod complainant;
mod oidc;
mod sign_in;
mod skeleton;
