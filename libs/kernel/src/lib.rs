//! Words every service shares: ids, the caller, roles, time, money, receipt codes, page
//! tokens. Pure: no I/O, and the only place that reads the clock or draws
//! random numbers.
#![warn(clippy::missing_errors_doc)]

pub mod caller;
pub mod id;
pub mod lane;
pub mod money;
mod numbered;
pub mod page;
pub mod person;
pub mod receipt;
pub mod role;
pub mod time;

pub use caller::{Caller, TenantId};
pub use id::{CaseId, EventId, Ids, NoticeId, PlanId, RandomIds, RecallId, TaskId};
pub use lane::Lane;
pub use money::Money;
pub use role::{Role, Roles};
pub use time::{Clock, SystemClock};
