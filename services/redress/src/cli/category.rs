//! `redress category …`: what complaints can be about, as a tree.
//!
//! A file of it is CSV: a column a level, from the root down, and if there is one
//! called `title`, the title of the last. What a row's category is below need not
//! have a row of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::cases::v1::category_service_client::CategoryServiceClient;
use proto::redress::cases::v1::{
    Category, GetCategoryRequest, ImportCategoriesRequest, ListCategoriesRequest,
};
use show::text;

use super::connection::{Caller, Connection, Expect, Page};

/// Heading of the column that is no level.
const TITLE: &str = "title";
/// Rows asked for at once.
const PAGE: i32 = 500;

#[derive(Args)]
pub(crate) struct Categories {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Replaces the whole tree by that of a CSV file
    Import {
        /// A column a level; `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        expect: Expect,
    },
    /// Writes the tree as CSV, fit to be imported
    Export,
    /// Lists categories
    List {
        /// Only those below this path
        #[arg(long, default_value = "")]
        below: String,
        #[command(flatten)]
        page: Page,
    },
    /// Shows a category
    Get {
        /// The category, as a path, e.g. `delivery/damaged`
        path: String,
    },
}

impl Categories {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut categories = CategoryServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Import { file, expect } => {
                let request = ImportCategoriesRequest {
                    request_id: caller.request_id(),
                    expected_version: expect.version,
                    categories: read(&file)?,
                };
                let answer = categories.import_categories(request).await?.into_inner();
                show::answer(caller.json, &answer, |answer| {
                    let (version, all, leaves) = (answer.version, answer.category_count, answer.leaf_count);
                    format!("version {version}: {all} categories, {leaves} of them without others below")
                })
            }
            Verb::Export => Ok(show::say(&write(&all(&caller).await?)?)?),
            Verb::List { below, page } => {
                let request = ListCategoriesRequest { below, page_size: page.limit, page_token: page.page };
                let answer = categories.list_categories(request).await?.into_inner();
                show::answer(caller.json, &answer, text::categories)
            }
            Verb::Get { path } => {
                let answer = categories.get_category(GetCategoryRequest { path }).await?.into_inner();
                show::answer(caller.json, &answer, text::category)
            }
        }
    }
}

/// The whole tree, page by page.
async fn all(caller: &Caller) -> anyhow::Result<Vec<Category>> {
    let mut categories = CategoryServiceClient::new(caller.client.calls());
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCategoriesRequest { below: String::new(), page_size: PAGE, page_token };
        let page = categories.list_categories(request).await?.into_inner();
        all.extend(page.categories);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Category>> {
    let text = super::submit::read_text(file)?;
    tree(text.trim_start_matches('\u{feff}')).with_context(|| format!("{}", file.display()))
}

/// The categories of a CSV text, each after what it is below. A category with two rows
/// of its own is there twice: the server tells which.
fn tree(text: &str) -> anyhow::Result<Vec<Category>> {
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let title_at = rows.headers()?.iter().position(|heading| heading == TITLE);
    let mut tree: Vec<Category> = Vec::new();
    // Where a category stands, and whether a row of its own has named it.
    let mut places: HashMap<String, (usize, bool)> = HashMap::new();
    for row in rows.records() {
        let row = row?;
        let title = title_at.and_then(|at| row.get(at)).unwrap_or_default();
        let cells = row.iter().enumerate().filter(|(at, _)| Some(*at) != title_at);
        let names: Vec<&str> = cells.map(|(_, name)| name).take_while(|name| !name.is_empty()).collect();
        for depth in 1..=names.len() {
            let (path, own) = (names[..depth].join("/"), depth == names.len());
            match places.get_mut(&path) {
                Some((at, has_row)) if own && !*has_row => {
                    title.clone_into(&mut tree[*at].title);
                    *has_row = true;
                }
                Some(_) if !own => {}
                _ => {
                    let title = if own { title } else { "" };
                    places.insert(path.clone(), (tree.len(), own));
                    tree.push(Category { path, title: title.to_owned(), leaf: false });
                }
            }
        }
    }
    Ok(tree)
}

/// A tree as CSV, a row a category.
fn write(categories: &[Category]) -> anyhow::Result<String> {
    let levels = categories.iter().map(|one| one.path.split('/').count()).max().unwrap_or(1);
    let mut rows = csv::Writer::from_writer(Vec::new());
    let headings = (1..=levels).map(|level| format!("level {level}"));
    rows.write_record(headings.chain([TITLE.to_owned()]))?;
    for Category { path, title, .. } in categories {
        let names = path.split('/').chain(std::iter::repeat(""));
        rows.write_record(names.take(levels).chain([title.as_str()]))?;
    }
    Ok(String::from_utf8(rows.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_alone_make_a_tree() {
        let tree = tree("一级,二级\n物流,破损\n物流,延误\n贷款,\n").unwrap();
        let paths: Vec<_> = tree.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["物流", "物流/破损", "物流/延误", "贷款"]);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let text = "level 1,level 2,title\nloan,,\"Loans, all\"\nloan,rate,\ncard,,Cards\n";
        let read = tree(text).unwrap();
        assert_eq!(read[0].title, "Loans, all");
        assert_eq!(write(&read).unwrap(), text);
        let late = tree("a,b,title\nloan,rate,\nloan,,Loans\n").unwrap();
        assert_eq!((late.len(), late[0].title.as_str()), (2, "Loans"));
        assert_eq!(tree("a\nx\nx\n").unwrap().len(), 2, "the server is to say that it is there twice");
    }
}
