//! Pages over HTTP, from a suite that runs.

mod browser;
mod sign_in;
mod skeleton;
