//! Reviews of closed cases, how far raters agree, and scorecards.

use proto::redress::feedback::v1::{
    CriterionAgreement, GetQualityAgreementResponse, KappaState, ListQualityReviewsResponse,
    ListScorecardsResponse, QualityPolicy, QualityRating, QualityReview, QualityReviewState, ScoreMean,
    ScoreShare,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts, one_line};
use crate::words::word;

/// A page of reviews.
pub fn quality_reviews(list: &ListQualityReviewsResponse) -> String {
    if list.reviews.is_empty() {
        return none_of("reviews", &list.next_page_token);
    }
    let mut table = Table::new(["review", "case", "cycle", "handler", "state", "rated", "score", "drawn"]);
    for one in &list.reviews {
        table.row([
            one.review_id.clone(),
            one.case_id.clone(),
            one.cycle.to_string(),
            one.agent_id.clone(),
            word::<QualityReviewState>(one.state),
            one.rating_count.to_string(),
            one.score.map(|score| format!("{score:.1}")).unwrap_or_default(),
            time(one.create_time.as_ref()),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One review, and the ratings of it that are seen.
pub fn quality_review(one: &QualityReview) -> String {
    let head = facts(&[
        ("review", one.review_id.clone()),
        ("case", one.case_id.clone()),
        ("cycle", one.cycle.to_string()),
        ("handler", one.agent_id.clone()),
        ("policy", one.policy_version.to_string()),
        ("state", word::<QualityReviewState>(one.state)),
        ("rated by", one.rating_count.to_string()),
        ("score", one.score.map(|score| format!("{score:.1} of 100")).unwrap_or_default()),
        ("drawn", time(one.create_time.as_ref())),
        ("ticket", format!("{:.3} of {}", one.draw_ticket, one.draw_month)),
        ("completed", time(one.complete_time.as_ref())),
    ]);
    one.ratings.iter().map(rating).fold(head, |text, rating| text + "\n" + &rating)
}

fn rating(one: &QualityRating) -> String {
    let mut table = Table::new(["criterion", "class"]);
    for item in &one.items {
        table.row([item.criterion_id.clone(), item.rated_class.clone()]);
    }
    let head = facts(&[
        ("rater", one.rater.clone()),
        ("when", time(one.rate_time.as_ref())),
        ("score", format!("{:.1}", one.score)),
        ("note", one.note.clone()),
    ]);
    head + &table.render()
}

/// Which closed cases are reviewed, and by what.
pub fn quality_policy(one: &QualityPolicy) -> String {
    let head = facts(&[
        ("version", one.version.to_string()),
        ("drawn", format!("{} of a hundred closed cases of each handler", one.sample_percent)),
        ("seed", one.seed.clone()),
        ("made", time(one.create_time.as_ref())),
        ("by", one.creator.clone()),
        ("note", one.note.clone()),
    ]);
    let mut table = Table::new(["criterion", "weight", "classes, the worst first", "question"]);
    for criterion in &one.criteria {
        table.row([
            criterion.criterion_id.clone(),
            criterion.weight.to_string(),
            criterion.classes.join(" < "),
            criterion.question.clone(),
        ]);
    }
    head + "\n" + &table.render()
}

/// How far raters agree, criterion by criterion.
pub fn quality_agreement(answer: &GetQualityAgreementResponse) -> String {
    let mut table = Table::new(["criterion", "reviews", "agreed", "by chance", "kappa"]);
    for one in &answer.criteria {
        table.row([
            one.criterion_id.clone(),
            one.review_count.to_string(),
            share(one.observed, one.observed_lower, one.observed_upper),
            one.expected.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default(),
            kappa(one),
        ]);
    }
    format!("policy {}\n{}", answer.policy_version, table.render())
}

fn kappa(one: &CriterionAgreement) -> String {
    match (KappaState::try_from(one.kappa_state), one.kappa) {
        (Ok(KappaState::Measured), Some(kappa)) => {
            let end = Option::unwrap_or_default;
            format!("{kappa:.2} ({:.2} to {:.2})", end(one.kappa_lower), end(one.kappa_upper))
        }
        (Ok(KappaState::OneClass), _) => "none: both used one class only".to_owned(),
        _ => "none: nothing rated".to_owned(),
    }
}

fn share(share: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> String {
    let percent = |share: Option<f64>| share.unwrap_or_default() * 100.0;
    if share.is_none() {
        return "-".to_owned();
    }
    format!("{:.0} % ({:.0}–{:.0})", percent(share), percent(lower), percent(upper))
}

fn of(one: Option<&ScoreShare>) -> String {
    one.map_or_else(|| "-".to_owned(), |one| share(one.share, one.lower, one.upper))
}

fn mean(one: Option<&ScoreMean>) -> String {
    let Some((one, mean)) = one.and_then(|one| Some((one, one.mean?))) else { return "-".to_owned() };
    match (one.lower, one.upper) {
        (Some(lower), Some(upper)) => format!("{mean:.1} ({lower:.1}–{upper:.1}, {})", one.count),
        _ => format!("{mean:.1} ({})", one.count),
    }
}

/// What the work of each handler came to.
pub fn scorecards(list: &ListScorecardsResponse) -> String {
    if list.scorecards.is_empty() {
        return none_of("scorecards", &list.next_page_token);
    }
    let mut table =
        Table::new(["handler", "resolved", "adjusted", "on time", "reopened", "satisfaction", "quality", ""]);
    for one in &list.scorecards {
        table.row([
            one_line(&one.agent_id),
            one.resolved_count.to_string(),
            format!("{:.1}", one.adjusted_count),
            of(one.on_time.as_ref()),
            of(one.reopened.as_ref()),
            mean(one.satisfaction.as_ref()),
            mean(one.quality.as_ref()),
            if one.few { "few".to_owned() } else { String::new() },
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_kappa_it_says_why() {
        let measured = CriterionAgreement {
            kappa_state: KappaState::Measured.into(),
            kappa: Some(0.4),
            kappa_lower: Some(0.15),
            kappa_upper: Some(0.65),
            ..CriterionAgreement::default()
        };
        assert_eq!(kappa(&measured), "0.40 (0.15 to 0.65)");
        let one = CriterionAgreement { kappa_state: KappaState::OneClass.into(), kappa: None, ..measured };
        assert_eq!(kappa(&one), "none: both used one class only");
        assert_eq!(kappa(&CriterionAgreement::default()), "none: nothing rated");
    }

    #[test]
    fn figures_stand_with_their_uncertainty() {
        let none =
            ScoreShare { count: 0, total: 10, share: Some(0.0), lower: Some(0.0), upper: Some(0.2775) };
        assert_eq!(of(Some(&none)), "0 % (0–28)");
        assert_eq!(of(Some(&ScoreShare::default())), "-");
        let three = ScoreMean { count: 3, mean: Some(4.0), lower: Some(1.52), upper: Some(6.48) };
        assert_eq!(mean(Some(&three)), "4.0 (1.5–6.5, 3)");
        assert_eq!(mean(Some(&ScoreMean { lower: None, count: 1, ..three })), "4.0 (1)");
    }
}
