//! The forms in use, each read once: a version never changes. Which version holds is
//! asked of the database every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fault::Fault;
use kernel::TenantId;
use pg::Db;
use server::Length;

use crate::form::{Form, FormCheck, Held, KeptForm, candidates};
use crate::store;

/// Most memory, in bytes, of the forms kept ready, roughly; beyond, all are read anew.
const MAX_READY_BYTES: usize = 32 << 20;

/// Forms that were read, and how much memory they take.
#[derive(Default)]
struct Ready {
    forms: HashMap<(TenantId, String, i64), Arc<Form>>,
    bytes: usize,
}

/// Finds forms, and keeps those in use ready.
pub(crate) struct Forms {
    db: Db,
    ready: Mutex<Ready>,
}

impl Forms {
    /// The forms of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db, ready: Mutex::default() }
    }

    /// The form that serves a category.
    pub(crate) async fn holding(&self, tenant: &TenantId, category: &str) -> Result<Option<Held>, Fault> {
        let candidates = candidates(category);
        let kept = self
            .db
            .transact("form.get", tenant, async move |mut tx| {
                let kept = store::forms::holding(&mut tx, &candidates).await?;
                Ok((tx, kept))
            })
            .await?;
        match kept {
            Some(kept) => Ok(Some(self.ready(tenant, kept).await?)),
            None => Ok(None),
        }
    }

    /// What a submission's form is to be checked against.
    pub(crate) async fn for_submission(
        &self,
        tenant: &TenantId,
        request_id: &str,
        category: &str,
    ) -> Result<FormCheck, Fault> {
        let candidates = candidates(category);
        let (answered, kept) = self
            .db
            .transact("intake.form", tenant, async move |mut tx| {
                let answered = store::is_answered(&mut tx, request_id).await?;
                let kept = store::forms::holding(&mut tx, &candidates).await?;
                Ok((tx, (answered, kept)))
            })
            .await?;
        if answered {
            return Ok(FormCheck::Answered);
        }
        Ok(FormCheck::By(match kept {
            Some(kept) => Some(self.ready(tenant, kept).await?),
            None => None,
        }))
    }

    /// A kept form, ready to be answered; read beside the calls, the first time.
    pub(crate) async fn ready(&self, tenant: &TenantId, kept: KeptForm) -> Result<Held, Fault> {
        let key = (tenant.clone(), kept.category.clone(), kept.version);
        let known = self.lock().forms.get(&key).cloned();
        if let Some(form) = known {
            return Ok(Held { kept, form });
        }
        let schema = kept.schema.clone();
        let read = server::blocking(tenant, Length::Quick, "form.compile", move || Form::read(&schema));
        let form = Arc::new(read.await?.map_err(Fault::internal)?);
        let mut ready = self.lock();
        if ready.bytes + form.bytes() > MAX_READY_BYTES {
            *ready = Ready::default();
        }
        if ready.forms.insert(key, Arc::clone(&form)).is_none() {
            ready.bytes += form.bytes();
        }
        Ok(Held { kept, form })
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
