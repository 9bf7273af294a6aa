//! The tree of categories: a line each; tried against the tree there is and the open cases.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::search_service_client::SearchServiceClient;
use proto::redress::cases::v1::{
    Category, FacetCasesRequest, ImportCategoriesRequest, ListCategoriesRequest,
};

use super::direct::{Direct, EditQuery, STAND, VERSION};
use super::input::{Input, InputKind, Placed, items, line_of_item, place_in};
use super::trial::{Cell, Trial, arrow};
use super::{Admin, ROWS};
use crate::form::Posted;
use crate::page::{Frame, html};
use crate::problem::Problem;
use crate::words::Words;

/// Most categories of a tree, as the contract has it.
const CATEGORIES_MAX: usize = 10_000;
/// Between the path and the title on a line.
const BAR: char = '|';
/// Most rows of a trial.
const ROWS_MAX: usize = 500;

pub(super) struct Categories;

/// The tree as it is, and its version; none where there is no tree.
async fn tree(admin: &Admin) -> Result<(Vec<Category>, i64), Problem> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCategoriesRequest { below: String::new(), page_size: ROWS, page_token };
        let mut service = CategoryServiceClient::new(admin.client.calls());
        let answer = service.list_categories(request).await?.into_inner();
        all.extend(answer.categories);
        page_token = answer.next_page_token;
        if page_token.is_empty() || all.len() >= CATEGORIES_MAX {
            return Ok((all, answer.version));
        }
    }
}

fn line(category: &Category) -> String {
    match category.title.as_str() {
        "" => category.path.clone(),
        title => format!("{} {BAR} {title}", category.path),
    }
}

fn read(text: &str) -> Vec<Category> {
    let of = |(_, line): (usize, &str)| {
        let (path, title) = line.split_once(BAR).unwrap_or((line, ""));
        Category { path: path.trim().to_owned(), title: title.trim().to_owned(), leaf: false }
    };
    items(text).map(of).collect()
}

#[derive(Template)]
#[template(path = "admin/categories.html")]
struct Page {
    f: Frame,
    /// Of each its depth, its path and its title.
    categories: Vec<(usize, String, String)>,
    version: i64,
}

pub(super) async fn show(admin: Admin) -> Result<Response, Problem> {
    let (tree, version) = tree(&admin).await?;
    let f = Frame::new(&admin.visitor, admin.words().categories(), "admin");
    let row = |one: Category| (one.path.matches('/').count().min(8), one.path, one.title);
    Ok(html(&Page { f, categories: tree.into_iter().map(row).collect(), version }))
}

/// How many open cases there are of each category, as far as they are counted; none where who
/// looks may not read cases.
async fn open_cases(admin: &Admin) -> Option<BTreeMap<String, i64>> {
    let request = FacetCasesRequest { filter: "open = true".to_owned(), fields: vec!["category".to_owned()] };
    let answer = SearchServiceClient::new(admin.client.calls()).facet_cases(request).await.ok()?;
    let counts = answer.into_inner().facets.into_iter().flat_map(|facet| facet.counts);
    Some(counts.map(|value| (value.value, value.count)).collect())
}

impl Direct for Categories {
    const KEY: &'static str = "categories";

    fn title(t: Words) -> &'static str {
        t.categories()
    }

    fn about(t: Words) -> &'static str {
        t.categories_edit()
    }

    fn list_path() -> &'static str {
        "/admin/categories"
    }

    fn inputs(t: Words, _: bool) -> Vec<Input> {
        vec![
            Input::hidden(VERSION),
            Input::new("categories", t.categories(), InputKind::Code { rows: 24, max: 400_000 })
                .saying(t.categories_help())
                .required(),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let text = inputs.iter().find(|input| input.name == "categories").map_or("", |input| &input.value);
        let line = place_in(path, "categories").and_then(|place| line_of_item(text, place));
        path.starts_with("categories").then_some(Placed { input: "categories", line })
    }

    async fn begin(admin: &Admin, _: &EditQuery) -> Result<Vec<(&'static str, String)>, Problem> {
        let (tree, version) = tree(admin).await?;
        let lines: Vec<String> = tree.iter().map(line).collect();
        Ok(vec![(VERSION, version.to_string()), ("categories", lines.join("\n"))])
    }

    async fn trial(admin: &Admin, posted: &Posted) -> Result<Trial, Problem> {
        let t = admin.words();
        let (old, version) = tree(admin).await?;
        let new = read(posted.text("categories"));
        let counts = open_cases(admin).await;
        let by_path = |tree: &[Category]| -> BTreeMap<String, String> {
            tree.iter().map(|one| (one.path.clone(), one.title.clone())).collect()
        };
        let (before, after) = (by_path(&old), by_path(&new));
        let mut rows = Vec::new();
        let mut counted = [0_usize; 3];
        for (path, title) in &after {
            let (place, kind, shown) = match before.get(path) {
                None => (0, t.put_in(), title.clone()),
                Some(known) if known != title => (1, t.retitled(), arrow(known, title)),
                Some(_) => continue,
            };
            counted[place] += 1;
            rows.push(vec![Cell::from(kind), path.as_str().into(), shown.into(), String::new().into()]);
        }
        for (path, title) in before.iter().filter(|(path, _)| !after.contains_key(*path)) {
            counted[2] += 1;
            let open =
                counts.as_ref().map(|counts| counts.get(path).copied().unwrap_or_default().to_string());
            rows.push(vec![
                t.taken_out().into(),
                path.as_str().into(),
                title.as_str().into(),
                open.unwrap_or_default().into(),
            ]);
        }
        rows.truncate(ROWS_MAX);
        let mut said = vec![t.categories_trial().to_owned()];
        if posted.text(VERSION) != version.to_string() {
            said.push(t.changed_since(version));
        }
        let [added, renamed, removed] = counted.map(|count| count.to_string());
        Ok(Trial {
            said,
            facts: vec![
                (t.put_in().to_owned(), added),
                (t.retitled().to_owned(), renamed),
                (t.taken_out().to_owned(), removed),
            ],
            columns: vec![t.change_word(), t.category(), t.title_word(), t.open_cases()],
            rows,
            stand: version.to_string(),
            ..Trial::default()
        })
    }

    async fn apply(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let request = ImportCategoriesRequest {
            request_id: posted.request_id(),
            expected_version: posted.number(STAND),
            categories: read(posted.text("categories")),
        };
        CategoryServiceClient::new(admin.client.calls()).import_categories(request).await?;
        Ok("/admin/categories".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_as_it_is_written() {
        let text = "delivery | Delivery · 配送\n\n# soon\ndelivery/late\n";
        let tree = read(text);
        assert_eq!(tree.len(), 2);
        assert_eq!((tree[0].path.as_str(), tree[0].title.as_str()), ("delivery", "Delivery · 配送"));
        let lines: Vec<String> = tree.iter().map(line).collect();
        assert_eq!(read(&lines.join("\n")), tree);
        let inputs = [Input { value: text.into(), ..Input::new("categories", "", InputKind::Number) }];
        assert_eq!(Categories::place("categories[1].path", &inputs).unwrap().line, Some(4));
    }
}
