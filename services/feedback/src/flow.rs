//! What takes several statements: `deliver` sends notices by mail, and settles them.

pub(crate) mod deliver;
