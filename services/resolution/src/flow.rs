//! What takes several statements: `progress` carries plans on, `departments` knows those
//! that there are.

pub(crate) mod departments;
pub(crate) mod progress;
