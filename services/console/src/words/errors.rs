//! What went wrong, by status.

crate::words::phrases! {
    problem_invalid: "Something is missing or wrong", "内容有缺漏或错误";
    problem_not_found: "Not found", "未找到";
    problem_forbidden: "Not allowed", "无权操作";
    problem_signed_out: "You are signed out", "您已退出登录";
    problem_conflict: "Somebody else was faster", "他人已先行修改";
    problem_not_now: "Not possible as things stand", "当前无法执行";
    problem_too_many: "Too much at once", "请求过多";
    problem_unavailable: "Not available just now", "暂时不可用";
    problem_internal: "Something went wrong here", "系统出错";
    explain_invalid: "Look at what is said below, mend it and send it again. What you wrote is still there.", "请按下列说明修改后重新提交，您填写的内容仍在。";
    explain_not_found: "It is not there, or not any more.", "所查找的内容不存在或已不存在。";
    explain_forbidden: "You may not do this or see this.", "您无权查看或执行此操作。";
    explain_signed_out: "Sign in again. What you wrote is kept in this browser.", "请重新登录，您填写的内容已保存在本浏览器。";
    explain_not_now: "The state of things does not allow it. Open the page again to see how it stands.", "当前状态不允许此操作，请重新打开页面查看最新情况。";
    explain_too_many: "Wait a moment, then try again.", "请稍候再试。";
    explain_unavailable: "A part of the system does not answer. Nothing is lost: try again in a moment.", "系统的一部分暂无响应。数据不会丢失，请稍后重试。";
    explain_internal: "It is our mistake and has been recorded. Try again; if it stays, tell your administrator.", "这是系统的错误，已被记录。请重试；如仍未解决，请联系管理员。";
    service_says: "The service says", "服务返回";
    reason: "Reason", "原因代码";
    to_start: "To the start page", "返回首页";
}
