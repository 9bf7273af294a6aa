//! The reasons a person meets, in words: what happened and what to do. The service's own
//! sentence stands beside it, in English.

use crate::words::Words;

/// A reason as services give it, in English, in Chinese.
type Told = (&'static str, &'static str, &'static str);

const REASONS: &[Told] = &[
    (
        "VERSION_MISMATCH",
        "Somebody else changed this in the meantime. Nothing of yours was lost: look at what changed, then send it again.",
        "在此期间他人已作修改。您填写的内容没有丢失：请查看变更，然后重新提交。",
    ),
    (
        "INVALID_CASE_STATE",
        "The case is not at a point where this can be done.",
        "案件当前状态不允许此操作。",
    ),
    ("CASE_NOT_FOUND", "There is no such case.", "没有这个案件。"),
    ("INVALID_CASE_ID", "This is not the number of a case.", "案件编号格式不正确。"),
    (
        "NOT_THE_HANDLER",
        "Only the person who handles the case, or a supervisor, may do this.",
        "只有案件经办人或主管可以这样做。",
    ),
    (
        "CALLER_RECUSED",
        "The complaint is about you, so you cannot act on it. You may write an internal note.",
        "该投诉涉及您本人，您须回避；您仍可填写内部备注。",
    ),
    (
        "ROLE_REQUIRED",
        "Your role does not allow this. Ask an administrator if it should.",
        "您的角色无权执行此操作，如需权限请联系管理员。",
    ),
    ("NO_CAPACITY", "This person has no room for another case now.", "该经办人目前已满负荷。"),
    (
        "NOT_ASSIGNED_TO_AGENT",
        "The case is not assigned to this person any more.",
        "案件已不再分配给该经办人。",
    ),
    ("NOT_WAITING", "The case has a handler already.", "案件已有经办人。"),
    ("ASSIGNMENT_NOT_FOUND", "Nobody was asked to handle this case yet.", "该案件尚未进入派单。"),
    ("QUEUE_EMPTY", "No case is waiting for you.", "目前没有等待您处理的案件。"),
    ("AGENT_NOT_FOUND", "You are not on the roster of agents.", "名册中没有该经办人。"),
    ("PLAN_NOT_FOUND", "There is no such plan.", "没有这个处理方案。"),
    (
        "PLAN_ALREADY_OPEN",
        "The case has a plan already: revise it, or cancel it first.",
        "案件已有处理方案：请先变更或取消。",
    ),
    (
        "CASE_NOT_DECIDED",
        "A remedy can be planned once the case is decided with a remedy due.",
        "案件裁定并确认需要补救后，才能提出处理方案。",
    ),
    (
        "APPROVER_IS_PROPOSER",
        "Whoever proposed a plan does not approve it.",
        "提出方案的人不能审批自己的方案。",
    ),
    (
        "INVALID_PLAN",
        "The plan cannot be proposed as it is: see what is wrong below.",
        "方案无法按此提出，请看下列问题。",
    ),
    (
        "APPROVER_LIMIT_EXCEEDED",
        "The sum is beyond what you may approve: somebody with a higher limit does.",
        "金额超出您的审批权限，须由权限更高者审批。",
    ),
    (
        "IDEMPOTENCY_KEY_REUSED",
        "This form was sent before with another content. Open the page again to send a new one.",
        "该表单此前已以不同内容提交过，请重新打开页面后再提交。",
    ),
    (
        "NOT_YET_APPLIED",
        "The change is still on its way. Try again in a moment.",
        "变更尚未同步完成，请稍后重试。",
    ),
    (
        "TOO_MANY_REQUESTS",
        "Too much was sent from where you are. Wait a moment, then send it again: what you wrote is still there.",
        "您所在的网络请求过多，请稍候再试，您填写的内容仍在。",
    ),
    ("ALREADY_ANSWERED", "This outcome was answered already.", "该处理结果已经答复过。"),
    (
        "RESPONSE_WINDOW_CLOSED",
        "The time to answer this outcome is over. You can complain anew.",
        "答复期限已过，您可以重新提交投诉。",
    ),
    ("SURVEY_ANSWERED", "This survey was answered already. Thank you.", "该调查已经作答，感谢您的反馈。"),
    ("SURVEY_EXPIRED", "The time to answer this survey is over.", "该调查已过期。"),
    ("SURVEY_CANCELLED", "This survey is not asked any more.", "该调查已取消。"),
    ("OVERLOADED", "There is too much to do at once. Try again in a moment.", "系统繁忙，请稍后重试。"),
    ("TOO_MANY_GUESSES", "Too many wrong codes. Wait a while, then try again.", "错误次数过多，请稍后再试。"),
    (
        "RECEIPT_CODE_UNKNOWN",
        "There is no complaint with this code. Look at it once more.",
        "没有与该查询码对应的投诉，请核对后再试。",
    ),
    (
        "PAGE_NOT_FOUND",
        "There is no such page. The address may be misspelt, or the page is for another role.",
        "没有这个页面。地址可能有误，或该页面面向其他角色。",
    ),
    ("SIGNED_OUT", "Sign in to see this page.", "请先登录再查看此页面。"),
    (
        "SIGN_IN_FAILED",
        "Signing in did not work: the identity provider does not answer as it should. Try again in a moment.",
        "登录未成功：身份提供方没有正常响应，请稍后重试。",
    ),
    (
        "SIGN_IN_EXPIRED",
        "Signing in took too long, or was begun in another browser. Begin again.",
        "登录超时，或登录是在其他浏览器中发起的，请重新登录。",
    ),
    ("SIGN_IN_REFUSED", "The identity provider did not let you in.", "身份提供方未允许您登录。"),
    (
        "FORM_EXPIRED",
        "The form is of an earlier session. What you wrote is kept in this browser: open the page again and send it.",
        "该表单属于此前的会话。您填写的内容仍保存在本浏览器：请重新打开页面后提交。",
    ),
    (
        "FORM_UNREADABLE",
        "What was sent cannot be read. It may be too large.",
        "提交的内容无法读取，可能过大。",
    ),
    (
        "FORM_INVALID",
        "Something in the form is missing or wrong: see below.",
        "表单有缺漏或错误，请看下列说明。",
    ),
    (
        "TRY_IT_FIRST",
        "It is put in force once its trial was shown, as it is: try it again. What you wrote is below.",
        "须先试算并查看结果后才能启用，请重新试算。您填写的内容仍在下方。",
    ),
    (
        "LEASE_LOST",
        "You do not hold this task any more: your time ran out and somebody else was handed it. What you wrote is still here, and if it was to say that the task is done, it is kept with the task.",
        "您已不再持有该任务：持有已到期，任务已由他人领取。您填写的内容仍在；如为完成回报，已随任务留存。",
    ),
    ("TASK_NOT_FOUND", "There is no such task.", "没有这项任务。"),
    ("DEPARTMENT_NOT_FOUND", "There is no such department.", "没有这个部门。"),
    (
        "INVALID_TASK_STATE",
        "The task is not at a point where this can be done.",
        "任务当前状态不允许此操作。",
    ),
    (
        "INVALID_RESULT",
        "What came of the task is not complete: see what is missing.",
        "处理结果不完整，请看下列问题。",
    ),
    (
        "EXECUTOR_IS_PLANNER",
        "Who proposed or approved the money does not move it: somebody else of the department does.",
        "提出或批准该款项的人不得执行，须由部门其他人员办理。",
    ),
    (
        "PROPOSAL_PENDING",
        "Something is proposed about this task already; it waits for a decision.",
        "该任务已有申请待审批。",
    ),
    ("STATEMENT_UNREADABLE", "The statement cannot be read: see why.", "对账单无法读取，请看原因。"),
    ("ORIGIN_NOT_ALLOWED", "This was sent from a page of another site.", "该请求来自其他网站的页面。"),
];

/// What a reason means; none where its status says enough.
pub(crate) fn told(t: Words, reason: &str) -> Option<&'static str> {
    let (_, english, chinese) = REASONS.iter().find(|(known, ..)| *known == reason)?;
    Some(t.pick(english, chinese))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::language::Language;

    /// Reasons that the console gives itself.
    const OWN: [&str; 11] = [
        "FORM_EXPIRED",
        "FORM_INVALID",
        "FORM_UNREADABLE",
        "PAGE_NOT_FOUND",
        "QUEUE_EMPTY",
        "SIGNED_OUT",
        "SIGN_IN_EXPIRED",
        "SIGN_IN_FAILED",
        "SIGN_IN_REFUSED",
        "TRY_IT_FIRST",
        "STATEMENT_UNREADABLE",
    ];

    /// What the contracts and the libraries say, where reasons are given.
    fn said(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                said(&path, all);
            } else if path.extension().is_some_and(|kind| kind == "proto" || kind == "rs") {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn each_reason_is_one_that_somebody_gives() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut all = String::new();
        for folder in ["proto", "libs/server/src", "libs/pg/src"] {
            said(&root.join(folder), &mut all);
        }
        let is_given = |reason: &str| OWN.contains(&reason) || all.contains(reason);
        let unknown: Vec<&str> =
            REASONS.iter().map(|(reason, ..)| *reason).filter(|reason| !is_given(reason)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn each_reason_is_told_once_in_each_language() {
        for (place, (reason, english, chinese)) in REASONS.iter().enumerate() {
            assert!(REASONS.iter().skip(place + 1).all(|other| other.0 != *reason), "{reason}");
            assert!(english.is_ascii() && !chinese.is_ascii(), "{reason}");
        }
        assert!(told(Words(Language::Chinese), "CASE_NOT_FOUND").is_some_and(|told| told.contains("案件")));
        assert_eq!(told(Words(Language::English), "SOMETHING_ELSE"), None);
    }
}
