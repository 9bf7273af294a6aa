//! Contract ⇄ domain: the tree of categories.

use fault::{Check, Fault};
use kernel::page::Page;
use proto::redress::cases::v1::{
    Category as WireCategory, GetCategoryRequest, ImportCategoriesRequest, ListCategoriesRequest,
};

use crate::categories::{Category, MAX_PATH, tree};

/// Most categories of a tree.
const MAX_CATEGORIES: usize = 10_000;

/// A tree to be imported, and the version it replaces as far as the caller knows.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The version seen; 0 is none.
    pub(crate) seen: Option<i64>,
    /// The tree.
    pub(crate) categories: Vec<Category>,
}

/// Reads a whole tree.
pub(crate) fn import(request: ImportCategoriesRequest) -> Result<Import, Fault> {
    let ImportCategoriesRequest { request_id, expected_version, categories } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let categories = check.some("categories", categories, MAX_CATEGORIES);
    let mut rows = Vec::with_capacity(categories.len());
    for (at, category) in categories.into_iter().enumerate() {
        let WireCategory { path, title, leaf: _ } = category;
        let path = check.text(&format!("categories[{at}].path"), path, MAX_PATH);
        rows.push((path, check.text(&format!("categories[{at}].title"), title, MAX_PATH)));
    }
    let categories = tree(rows).unwrap_or_else(|wrong| {
        for (at, what) in wrong {
            check.fail(&format!("categories[{at}].path"), what);
        }
        Vec::new()
    });
    check.done("INVALID_CATEGORIES")?;
    Ok(Import { seen: expected_version, categories })
}

/// Which categories are to be listed.
#[derive(Clone, Debug)]
pub(crate) struct CategoryListQuery {
    /// Only those below this path; empty for all.
    pub(crate) below: String,
    /// Which page.
    pub(crate) page: Page,
    /// Version and place after which the page begins.
    pub(crate) after: Option<(i64, i32)>,
}

/// Reads which categories are to be listed.
pub(crate) fn list(request: ListCategoriesRequest) -> Result<CategoryListQuery, Fault> {
    let ListCategoriesRequest { below, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &below);
    let below = check.text("below", below, MAX_PATH);
    let after = page.after.as_deref().and_then(|key| {
        let (version, ordinal) = key.split_once(' ')?;
        Some((version.parse().ok()?, ordinal.parse().ok()?))
    });
    check.ensure(after.is_some() == page.after.is_some(), "page_token", "is not a token of this list");
    check.done("INVALID_LIST")?;
    Ok(CategoryListQuery { below, page, after })
}

/// A page of a tree that has been replaced.
pub(crate) fn outdated() -> Fault {
    let mut check = Check::new();
    check.fail("page_token", "is of a tree that has been replaced since; begin again");
    check.done("INVALID_LIST").err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Reads a path.
pub(crate) fn path(request: GetCategoryRequest) -> Result<String, Fault> {
    let mut check = Check::new();
    let path = check.required("path", request.path, MAX_PATH);
    check.done("INVALID_CATEGORY")?;
    Ok(path)
}

/// A category as callers see it.
pub(crate) fn category(category: Category) -> WireCategory {
    let Category { path, title, leaf } = category;
    WireCategory { path, title, leaf }
}
