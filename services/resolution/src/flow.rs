//! What takes several statements: `progress` carries plans on, `investigations` ends what
//! departments are asked on cases that end, `departments` knows those that there are,
//! `department_watch` notices which of them nobody works for, `restock` hands out again what
//! waited for goods, `stock_alerts` tells of what is short again and again.

pub(crate) mod department_watch;
pub(crate) mod departments;
pub(crate) mod investigations;
pub(crate) mod progress;
pub(crate) mod restock;
pub(crate) mod stock_alerts;
