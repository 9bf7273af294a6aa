//! Posts as networks push them: what is read, what is taken, which addresses are one.

mod documents;
mod keywords;
mod mappings;
mod paths;
mod uris;
