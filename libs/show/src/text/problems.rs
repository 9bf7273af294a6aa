//! Problems, their cases, and the taxonomy of root causes.

use proto::redress::feedback::v1::{
    ListProblemCasesResponse, ListProblemsResponse, Problem, ProblemState, RootCauses,
};

use super::problem_tasks::rows;
use super::signals::series;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of problems.
pub fn problems(list: &ListProblemsResponse) -> String {
    if list.problems.is_empty() {
        return none_of("problems", &list.next_page_token);
    }
    let mut table = Table::new(["problem", "state", "opened", "cases", "signals", "root cause", "title"]);
    for one in &list.problems {
        table.row([
            one.problem_id.clone(),
            word::<ProblemState>(one.state),
            time(one.open_time.as_ref()),
            one.case_count.to_string(),
            one.signal_ids.len().to_string(),
            one.root_cause.clone(),
            one.title.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// One problem, and what departments are asked about it.
pub fn problem(one: &Problem) -> String {
    let cause = if one.root_cause.is_empty() {
        String::new()
    } else {
        format!("{} (version {} of the root causes)", one.root_cause, one.root_causes_version)
    };
    let head = facts(&[
        ("problem", one.problem_id.clone()),
        ("version", one.version.to_string()),
        ("title", one.title.clone()),
        ("description", one.description.clone()),
        ("joined by signals of", one.series.as_ref().map(series).unwrap_or_default()),
        ("state", word::<ProblemState>(one.state)),
        ("cases", one.case_count.to_string()),
        ("signals", one.signal_ids.join(", ")),
        ("root cause", cause),
        ("opened", time(one.open_time.as_ref())),
        ("by", if one.opener.is_empty() { "a signal".to_owned() } else { one.opener.clone() }),
        ("closed", time(one.close_time.as_ref())),
        ("closed by", one.closer.clone()),
        ("conclusion", one.conclusion.clone()),
    ]);
    if one.tasks.is_empty() { head } else { format!("{head}\n{}", rows(&one.tasks)) }
}

/// A page of a problem's cases.
pub fn problem_cases(list: &ListProblemCasesResponse) -> String {
    if list.cases.is_empty() {
        return none_of("cases", &list.next_page_token);
    }
    let mut table = Table::new(["case", "linked", "by"]);
    for one in &list.cases {
        let by = if one.linker.is_empty() { "a signal".to_owned() } else { one.linker.clone() };
        table.row([one.case_id.clone(), time(one.link_time.as_ref()), by]);
    }
    table.render() + &more(&list.next_page_token)
}

/// The root causes that are told apart.
pub fn root_causes(causes: &RootCauses) -> String {
    let head = facts(&[
        ("version", causes.version.to_string()),
        ("made", time(causes.create_time.as_ref())),
        ("by", causes.creator.clone()),
        ("note", causes.note.clone()),
    ]);
    let mut table = Table::new(["root cause", "in English", "in Chinese"]);
    for cause in &causes.causes {
        table.row([cause.path.clone(), cause.name.clone(), cause.name_zh.clone()]);
    }
    format!("{head}\n{}", table.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_a_signal_opened_says_so() {
        let one = Problem { title: "Cups".to_owned(), case_count: 3, ..Problem::default() };
        let text = problem(&one);
        assert!(text.contains("a signal") && text.contains("Cups"), "{text}");
        let list = ListProblemsResponse { problems: vec![one], ..ListProblemsResponse::default() };
        assert!(problems(&list).contains("Cups"));
        assert!(problem_cases(&ListProblemCasesResponse::default()).contains("no cases"));
    }
}
