//! The rpcs of `ComplainantService`.

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::cases::v1::complainant_service_server::ComplainantService;
use proto::redress::cases::v1::{GetComplainantHistoryRequest, GetComplainantHistoryResponse};
use sameness::Person;
use tonic::{Request, Response, Status};

use crate::complainant::{ComplainantQuery, Identifier, MAX_HISTORY};
use crate::refusal::Refusal;
use crate::store;
use crate::wire::complainants::{self as wire, Whose};

/// The rpcs of `ComplainantService`.
#[derive(Clone)]
pub(crate) struct Complainants {
    db: Db,
}

impl Complainants {
    /// Serves the complainants of a schema's cases.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl ComplainantService for Complainants {
    async fn get_complainant_history(
        &self,
        request: Request<GetComplainantHistoryRequest>,
    ) -> Result<Response<GetComplainantHistoryResponse>, Status> {
        let caller = server::caller(&request)?;
        let (whose, page) = wire::history(request.into_inner())?;
        let (asked, counts, mut cases, page) = self
            .db
            .transact("complainant.history", &caller.tenant, async move |mut tx| {
                let asked = asked(&mut tx, &whose).await?;
                let counts = store::complainants::count(&mut tx, &asked).await?;
                let cases = store::complainants::list(&mut tx, &asked, &page).await?;
                Ok((tx, (asked, counts, cases, page)))
            })
            .await?;
        let next_page_token = page.cut(&mut cases, store::complainants::page_key);
        let total = counts.iter().map(|count| count.cases).sum();
        Ok(Response::new(GetComplainantHistoryResponse {
            cases: cases.into_iter().map(|case| wire::case(case, &asked.person)).collect(),
            next_page_token,
            identifiers: wire::identifiers(&Identifier::known(&asked.person)),
            total,
            open: counts.iter().map(|count| count.open).sum(),
            outcomes: counts.iter().map(wire::count).collect(),
            complete: total < MAX_HISTORY,
        }))
    }
}

/// What is known of whose history is asked for.
async fn asked(tx: &mut Tx, whose: &Whose) -> Result<ComplainantQuery, Fault> {
    match *whose {
        Whose::Person(person) => Ok(ComplainantQuery { person, case: None }),
        Whose::Case(id) => {
            let case = store::get(tx, id).await?.ok_or(Refusal::CaseNotFound)?;
            let keys = store::sketch::keys(tx, &[id.0]).await?.remove(&id).unwrap_or_default();
            Ok(ComplainantQuery { person: Person::of(&case.origin.customer_id, &keys), case: Some(id) })
        }
    }
}
