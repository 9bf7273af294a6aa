//! Articles, what they are suggested for, and the cases they might be written about.

use proto::redress::cases::v1::{
    Article, ArticleMatch, ArticleScoreTerm, ArticleState, ArticleSuggestion, ArticleUsefulness,
    ListArticlesResponse, ListSolvedClustersResponse, Outcome, ShareEstimate, SuggestArticlesResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of articles.
pub fn articles(list: &ListArticlesResponse) -> String {
    if list.articles.is_empty() {
        return none_of("articles", &list.next_page_token);
    }
    let mut table =
        Table::new(["article", "state", "in force", "language", "used", "useful", "review", "title"]);
    for one in &list.articles {
        let uses = one.usefulness.unwrap_or_default();
        table.row([
            one.article_id.clone(),
            word::<ArticleState>(one.state),
            in_force(one),
            one.language.clone(),
            uses.use_count.to_string(),
            share(uses.useful.as_ref()),
            review(one),
            one.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One article, as one of its revisions has it.
pub fn article(one: &Article) -> String {
    let ArticleUsefulness { use_count, useful_count, useful, case_count, disputed_case_count, disputed } =
        one.usefulness.unwrap_or_default();
    let useful = format!("{useful_count} of {use_count}: {}", share(useful.as_ref()));
    let disputed = format!("{disputed_case_count} of {case_count} cases: {}", share(disputed.as_ref()));
    facts(&[
        ("article", one.article_id.clone()),
        ("version", one.version.to_string()),
        ("state", word::<ArticleState>(one.state)),
        ("revision", format!("{} of {}", one.revision, one.latest_revision)),
        ("in force", in_force(one)),
        ("title", one.title.clone()),
        ("text", one.body.clone()),
        ("language", one.language.clone()),
        ("categories", one.categories.join(", ")),
        ("products", one.products.join(", ")),
        ("grew from", one.source_case_ids.join(", ")),
        ("written by", one.author.clone()),
        ("written", time(one.revise_time.as_ref())),
        ("published by", one.reviewer.clone()),
        ("published", time(one.publish_time.as_ref())),
        ("review", review(one)),
        ("retired by", one.retirer.clone()),
        ("because", one.retire_reason.clone()),
        ("found useful", if use_count == 0 { String::new() } else { useful }),
        ("disputed afterwards", if case_count == 0 { String::new() } else { disputed }),
    ])
}

fn in_force(one: &Article) -> String {
    if one.published_revision == 0 { String::new() } else { format!("revision {}", one.published_revision) }
}

fn review(one: &Article) -> String {
    match (one.review_date.as_str(), one.review_due) {
        ("", _) => String::new(),
        (day, true) => format!("due since {day}"),
        (day, false) => format!("by {day}"),
    }
}

fn share(share: Option<&ShareEstimate>) -> String {
    let Some(ShareEstimate { share, lower, upper }) = share else { return "-".to_owned() };
    format!("{:.0} % ({:.0}–{:.0})", share * 100.0, lower * 100.0, upper * 100.0)
}

/// What may help with a case, and why.
pub fn suggestions(found: &SuggestArticlesResponse) -> String {
    if found.suggestions.is_empty() {
        return "no article in force has enough in common with it\n".to_owned();
    }
    suggested(&found.suggestions)
}

/// Articles that may help with a case, each with why.
pub(super) fn suggested(suggestions: &[ArticleSuggestion]) -> String {
    let told = suggestions.iter().map(|one| {
        let article = one.article.clone().unwrap_or_default();
        let why: Vec<String> = one.terms.iter().map(reason).collect();
        facts(&[
            ("article", format!("{}  score {:.1}", article.article_id, one.score)),
            ("title", article.title.clone()),
            ("language", article.language.clone()),
            ("why", why.join(", ")),
            ("found useful", share(article.usefulness.and_then(|uses| uses.useful).as_ref())),
        ])
    });
    told.collect::<Vec<_>>().join("\n")
}

fn reason(term: &ArticleScoreTerm) -> String {
    format!("{} {} {:.1}", word::<ArticleMatch>(term.r#match), term.term, term.score)
}

/// What articles might be written about.
pub fn solved_clusters(list: &ListSolvedClustersResponse) -> String {
    let looked_at = format!("{} closed cases were looked at\n", list.case_count);
    if list.clusters.is_empty() {
        return format!("no three of them in one category are alike: {looked_at}");
    }
    let told = list.clusters.iter().map(|one| {
        facts(&[
            ("category", one.category.clone()),
            ("cases", one.case_count.to_string()),
            ("satisfied", format!("{}: {}", one.satisfied_count, share(one.satisfied.as_ref()))),
            ("words", one.terms.join(", ")),
            ("typical", format!("{}  {}", one.typical_case_id, one.typical_subject)),
            ("outcome", word::<Outcome>(one.typical_outcome)),
            ("reasons", one.typical_decision_reasons.clone()),
            ("remedies", one.typical_remedies.join("\n")),
            ("cases", one.case_ids.join(" ")),
            ("articles", one.article_ids.join(", ")),
        ])
    });
    format!("{}\n{looked_at}", told.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_says_how_often_it_helped_and_when_it_is_due() {
        let half = ShareEstimate { share: 0.5, lower: 0.095, upper: 0.905 };
        let uses =
            ArticleUsefulness { use_count: 2, useful_count: 1, useful: Some(half), ..Default::default() };
        let one = Article {
            title: "Kettles".to_owned(),
            published_revision: 2,
            review_date: "2026-11-01".to_owned(),
            review_due: true,
            usefulness: Some(uses),
            ..Article::default()
        };
        let text = article(&one);
        for said in ["1 of 2: 50 % (10–90)", "due since 2026-11-01", "revision 2", "Kettles"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("disputed afterwards"), "it was used in no case: {text}");
        let list = ListArticlesResponse { articles: vec![one], ..ListArticlesResponse::default() };
        assert!(articles(&list).contains("50 % (10–90)"));
    }

    #[test]
    fn what_is_empty_says_so() {
        assert!(articles(&ListArticlesResponse::default()).contains("no articles"));
        assert!(suggestions(&SuggestArticlesResponse::default()).contains("no article"));
        let none = ListSolvedClustersResponse { case_count: 7, ..ListSolvedClustersResponse::default() };
        assert!(solved_clusters(&none).contains("7 closed cases"));
    }
}
