//! Pages over HTTP, from a suite that runs.

mod browser;
mod case;
mod oidc;
mod sign_in;
mod skeleton;
