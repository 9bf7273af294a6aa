//! What other systems post: `receiving` believes a delivery by its signature and keeps it as it
//! came; `splitting` reads it by the source's mapping, into posts; `taking` looks at each post,
//! and it becomes a complaint, is counted to a matter that is known, is added to a case, or is
//! set aside. `mappings` keeps ready those in use, `refusals` notes what was not believed.
//!
//! Nothing is done with a delivery before it is durable. What a post becomes is registered
//! under a key made of its id, so that it becomes that once; which matter it is of is decided
//! by one at a time in a tenant.

pub(crate) mod mappings;
pub(crate) mod receiving;
pub(crate) mod refusals;
pub(crate) mod splitting;
pub(crate) mod taking;

use std::time::Duration;

use server::Retention;

use crate::post::NEAR_WINDOW;
use crate::store::{matters, posts, webhook_deliveries};

/// Topic of those who wait for deliveries to split.
pub(crate) const DELIVERIES: &str = "webhook_deliveries";
/// Topic of those who wait for posts to take.
pub(crate) const POSTS: &str = "posts";

/// How long what became nothing is kept.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// How long posts of a matter are recognised after the last that told of it: two years.
const KNOWN: Duration = Duration::from_hours(731 * 24);

/// Posts that became nothing, or were counted.
pub(crate) const SET_ASIDE: Retention = Retention { name: "posts.forget", kept: KEPT, forget: posts::forget };
/// That deliveries were taken in.
pub(crate) const DELIVERED: Retention =
    Retention { name: "webhook_deliveries.forget", kept: KEPT, forget: webhook_deliveries::forget };
/// Texts that are compared no more.
pub(crate) const SKETCHES: Retention =
    Retention { name: "posts.sketches", kept: NEAR_WINDOW.unsigned_abs(), forget: matters::forget_sketches };
/// What posts are known by, and who posted them.
pub(crate) const KEYS: Retention =
    Retention { name: "posts.keys", kept: KNOWN, forget: matters::forget_keys };
