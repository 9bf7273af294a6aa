//! The patterns of sentences, by what they record. Of two that fit, the first counts: the longer
//! one stands before the one it begins with.

use proto::redress::cases::v1::TimelineKind;

/// A sentence in English, and in Chinese with its values by their places.
pub(super) type Pattern = (&'static str, &'static str);

/// The sentences that entries of a kind may be.
pub(super) fn of(kind: TimelineKind) -> &'static [Pattern] {
    match kind {
        TimelineKind::Opened | TimelineKind::Triaged => BEGINNING,
        TimelineKind::Queued | TimelineKind::Assigned | TimelineKind::Accepted => HANDLING,
        TimelineKind::Note => NOTES,
        TimelineKind::Findings => FINDINGS,
        TimelineKind::Decided | TimelineKind::Resolved => RULING,
        TimelineKind::PlanProposed
        | TimelineKind::PlanApproved
        | TimelineKind::PlanEnded
        | TimelineKind::PlanRevised => PLANS,
        TimelineKind::TaskCompleted | TimelineKind::TaskNeedsAttention | TimelineKind::TaskWrittenOff => {
            TASKS
        }
        TimelineKind::Notice | TimelineKind::Response => CONTACT,
        TimelineKind::Reopened
        | TimelineKind::Closed
        | TimelineKind::Withdrawn
        | TimelineKind::OutOfScope => COURSE,
        TimelineKind::Clock => CLOCKS,
        TimelineKind::Escalated => URGENCY,
        TimelineKind::Merged | TimelineKind::Unmerged | TimelineKind::Linked | TimelineKind::Grouped => {
            TOGETHER
        }
        TimelineKind::Unspecified => &[],
    }
}

const BEGINNING: &[Pattern] = &[
    ("the complaint came in {} and a case was opened", "投诉经{0}提交，已立案"),
    ("triaged as {}, {}", "分级为 {0}，{1}"),
    ("triaged anew as {}, {}", "重新分级为 {0}，{1}"),
    ("confirmed as {}", "类别已确认为 {0}"),
    ("corrected to {} from {}", "类别由 {1} 更正为 {0}"),
];

const HANDLING: &[Pattern] = &[
    ("nobody can take it as things stand; it waits for a department", "目前无人可以接办，等待部门受理"),
    ("nobody can take it as things stand; it waits in the queue of {}", "目前无人可以接办，在 {0} 部门排队"),
    ("waits for a department", "等待部门受理"),
    ("waits in the queue of {}", "在 {0} 部门排队"),
    ("assigned to {} of {}", "派给 {1} 部门的 {0}"),
    ("a handler has taken the case up", "已有经办人接办"),
];

const NOTES: &[Pattern] = &[
    ("{} is asked for {}", "请 {0} 部门提供{1}"),
    ("what {} was asked is not wanted any more", "不再需要 {0} 部门的答复"),
    ("the article {}, lot {}, is recalled", "商品 {0}（批次 {1}）已召回"),
    ("the article {} is recalled", "商品 {0} 已召回"),
    ("added to case {}, which is merged into this one: {*}", "并入本案的案件 {0} 有补充：{1}"),
    ("the complainant added a piece of evidence", "投诉人补充了一份材料"),
    ("the complainant added {} pieces of evidence", "投诉人补充了 {0} 份材料"),
    ("the complainant added to the form", "投诉人补充了表单"),
    ("the complainant added", "投诉人补充"),
    ("staff added a piece of evidence", "工作人员补充了一份材料"),
    ("staff added {} pieces of evidence", "工作人员补充了 {0} 份材料"),
    ("staff added to the form", "工作人员补充了表单"),
    ("staff added", "工作人员补充"),
    ("nobody took the call; menu: {}; a call-back is asked for", "电话无人接听；菜单：{0}；要求回电"),
    ("nobody took the call; menu: {}", "电话无人接听；菜单：{0}"),
    ("nobody took the call; a call-back is asked for", "电话无人接听；要求回电"),
    ("nobody took the call", "电话无人接听"),
    ("a call; menu: {}", "来电；菜单：{0}"),
    ("the bot handed over to a person at turn {}", "机器人在第 {0} 轮对话转接人工"),
    ("the bot handed over to a person", "机器人转接人工"),
];

const FINDINGS: &[Pattern] = &[
    ("{} found: {+}\nevidence: {}\nit was asked: {*}", "{0} 部门查明：{1}\n证据：{2}\n所问：{3}"),
    ("{} found: {+}\nit was asked: {*}", "{0} 部门查明：{1}\n所问：{2}"),
    ("{+}\nroot cause: {*}", "{0}\n根本原因：{1}"),
];

const RULING: &[Pattern] = &[
    ("decided: {}, a remedy is due", "裁定：{0}，需要补救"),
    ("decided: {}", "裁定：{0}"),
    (
        "a correction to {} was asked for; a second person must confirm it",
        "申请将裁定更正为{0}，须由第二人确认",
    ),
    ("the correction was refused, the decision stays", "更正未获同意，维持原裁定"),
    ("the decision was corrected to {} from {}, a remedy is due", "裁定由{1}更正为{0}，需要补救"),
    ("the decision was corrected to {} from {}", "裁定由{1}更正为{0}"),
    ("the complaint is {}", "处理结果：{0}"),
];

const PLANS: &[Pattern] = &[
    ("a remedy plan was proposed", "已提出处理方案"),
    (
        "the remedy plan was approved automatically, by {} of the approval policy",
        "处理方案由审批策略的 {0} 自动批准",
    ),
    ("the remedy plan was approved", "处理方案已获批准"),
    ("the remedy plan was rejected", "处理方案已被驳回"),
    ("the remedy plan was cancelled and undone", "处理方案已取消并撤销"),
    ("the remedy plan is to be revised ({}), once that is approved", "处理方案待变更（{0}），须经批准"),
    ("the remedy plan was revised ({}), approved by {}", "处理方案已变更（{0}），由 {1} 批准"),
    ("the remedy plan was revised ({})", "处理方案已变更（{0}）"),
    ("the remedy plan is not revised", "处理方案不作变更"),
];

const TASKS: &[Pattern] = &[
    ("{} could not carry out its task", "{0} 部门未能完成任务"),
    ("{} could not undo the {}: it is written off", "{0} 部门未能撤销{1}，已核销"),
    ("{} has no {}; it is expected on {*}", "{0} 部门缺少 {1}，预计 {2} 到货"),
    ("{} is overdue with its task", "{0} 部门的任务已逾期"),
    ("{} carried out the {} of {}, reference {*}", "{0} 部门已完成{1}（{2}），凭证号 {3}"),
    ("{} carried out the {} of {*}", "{0} 部门已完成{1}（{2}）"),
    ("{} carried out the {}, reference {*}", "{0} 部门已完成{1}，凭证号 {2}"),
    ("{} carried out the {}", "{0} 部门已完成{1}"),
    ("{} undid the {} of {}, reference {*}", "{0} 部门已撤销{1}（{2}），凭证号 {3}"),
    ("{} undid the {} of {*}", "{0} 部门已撤销{1}（{2}）"),
    ("{} undid the {}, reference {*}", "{0} 部门已撤销{1}，凭证号 {2}"),
    ("{} undid the {}", "{0} 部门已撤销{1}"),
];

const CONTACT: &[Pattern] = &[
    ("the {} was delivered", "{0}已送达"),
    ("the {} could not be delivered", "{0}未能送达"),
    ("the {} came back and was not delivered after all", "{0}被退回，未能送达"),
    ("the {} was given {} on {*}", "{0}已于 {2} 告知（{1}）"),
    ("the complainant accepted the outcome", "投诉人接受处理结果"),
    ("the complainant disputed the outcome", "投诉人不接受处理结果"),
    (
        "the complainant of case {}, merged into this one, accepted the outcome",
        "并入本案的案件 {0} 的投诉人接受处理结果",
    ),
    (
        "the complainant of case {}, merged into this one, disputed the outcome",
        "并入本案的案件 {0} 的投诉人不接受处理结果",
    ),
];

const COURSE: &[Pattern] = &[
    ("imported: it was closed on {}, {}", "历史数据：已于 {0} 办结，{1}"),
    ("imported: it was closed on {}", "历史数据：已于 {0} 办结"),
    ("taken up again as cycle {}", "重新受理，第 {0} 轮"),
    ("closed: {}", "办结：{0}"),
    ("the complainant withdrew, as the channel says", "投诉人经渠道撤诉"),
    ("the complainant withdrew, by the receipt code", "投诉人凭查询码撤诉"),
    ("the complainant withdrew", "投诉人撤诉"),
    ("this is not ours to decide; please turn to", "不属于我们的受理范围，请联系"),
];

const CLOCKS: &[Pattern] = &[
    ("reminder {}: it is promised {}, due {*}", "提醒 {0}：承诺{1}，{2} 到期"),
    ("reminder {}: it is promised {}", "提醒 {0}：承诺{1}"),
    (
        "step {} of the promise {} passed while nobody could take it",
        "{1}时限的步骤 {0} 已过，期间无人可以处理",
    ),
    ("the promise {} was broken: it was due {} by {*}", "{0}时限已超期：应于 {1} 前完成，依据 {2}"),
    ("the time {} runs on", "{0}时限恢复计时"),
    ("the time {} stands still ({})", "{0}时限暂停（{1}）"),
    ("{} more were asked for {}", "申请将{1}时限延长 {0}"),
    ("more time {} was granted until {}", "{0}时限延期获批，至 {1}"),
    ("more time {} was granted", "{0}时限延期获批"),
    ("more time {} was refused", "{0}时限延期未获批准"),
    (
        "{+}\nit takes longer: {+}; more by {}; the answer by {*}",
        "{0}\n需要更长时间：{1}；将于 {2} 前告知进展；将于 {3} 前答复",
    ),
    ("{+}\nit takes longer: {+}; more by {*}", "{0}\n需要更长时间：{1}；将于 {2} 前告知进展"),
    ("{+}\nit takes longer: {+}; the answer by {*}", "{0}\n需要更长时间：{1}；将于 {2} 前答复"),
    ("{+}\nit takes longer: {*}", "{0}\n需要更长时间：{1}"),
];

const URGENCY: &[Pattern] = &[
    ("raised to level {}", "升级至第 {0} 级"),
    ("raised to {}", "优先级提高至 {0}"),
    ("lowered to {}", "优先级降低至 {0}"),
    ("{} was asked for; a second person must agree", "申请将优先级降低至 {0}，须由第二人同意"),
    ("somebody else is to take it over", "须由他人接办"),
];

const TOGETHER: &[Pattern] = &[
    ("merged into case {} though of other people ({})", "已并入案件 {0}，投诉人不同（{1}）"),
    ("merged into case {}", "已并入案件 {0}"),
    (
        "case {} was merged into this one though of other people ({})",
        "案件 {0} 已并入本案，投诉人不同（{1}）",
    ),
    ("case {} was merged into this one", "案件 {0} 已并入本案"),
    ("no longer merged into case {}", "不再并入案件 {0}"),
    ("case {} is no longer merged into this one", "案件 {0} 不再并入本案"),
    ("linked to case {} as {}", "与案件 {0} 关联（{1}）"),
    ("no longer linked to case {}", "不再与案件 {0} 关联"),
    ("joined group {}, {}", "加入群组 {0}：{1}"),
    ("left group {}", "退出群组 {0}"),
    ("group {} has {} cases, which makes it a major matter", "群组 {0} 已有 {1} 件案件，属于重大事项"),
];

/// Words of a service's that stand in sentences.
pub(super) const VALUES: &[(&str, &str)] = &[
    ("by telephone", "电话"),
    ("by chat", "在线客服"),
    ("through the app", "应用"),
    ("by e-mail", "电子邮件"),
    ("through the web form", "网页表单"),
    ("through social media", "社交媒体"),
    ("by letter", "信函"),
    ("at a branch", "营业网点"),
    ("through a regulator", "监管机构"),
    ("through a partner", "合作方"),
    ("upheld", "投诉成立"),
    ("partly upheld", "部分成立"),
    ("not upheld", "不成立"),
    ("closed by staff", "由工作人员办结"),
    ("the complainant accepted the outcome", "投诉人接受处理结果"),
    ("the time to answer has passed", "答复期限已过"),
    ("it was reopened as often as is allowed", "重新受理次数已达上限"),
    ("acknowledgement", "受理告知"),
    ("notice of the outcome", "处理结果告知"),
    ("notice of further recourse", "救济途径告知"),
    ("notice of more time", "延期告知"),
    ("holding reply", "暂缓答复"),
    ("survey", "满意度调查"),
    ("notice of a delay", "缺货告知"),
    ("notice that the time to answer ends", "答复期限届满提醒"),
    ("news of an open case", "进展告知"),
    ("confirmation of the withdrawal", "撤诉确认"),
    ("announcement of a call", "回电预告"),
    ("word of a call that was missed", "未接通告知"),
    ("to acknowledge the complaint", "告知收到"),
    ("to say whether it is taken on", "受理决定"),
    ("to object to having been sent it", "异议"),
    ("to answer for the first time", "首次响应"),
    ("to end the stage", "阶段"),
    ("to decide and tell the complainant", "裁定并告知"),
    ("to tell what was decided", "告知结果"),
    ("to send the final response", "最终答复"),
    ("to tell how it goes", "进展告知"),
    ("to carry out the remedy", "补救"),
    ("to review the decision", "复核"),
    ("to finish a task", "任务"),
    ("awaiting-complainant", "等待投诉人"),
    ("appraisal", "鉴定检测"),
    ("proceedings", "司法或行政程序"),
    ("force-majeure", "不可抗力"),
    ("resolved", "已解决"),
    ("duplicate", "重复投诉"),
    ("related", "相关"),
    ("evidence", "证据"),
    ("statement", "情况说明"),
    ("apology", "致歉"),
    ("explanation", "说明"),
    ("refund", "退款"),
    ("compensation", "赔偿"),
    ("exchange", "换货"),
    ("repair", "维修"),
    ("redelivery", "重新投递"),
    ("service upgrade", "服务升级"),
    ("fee waiver", "费用减免"),
    ("record correction", "更正记录"),
    ("staff measures", "人员处理"),
    ("recall notice", "召回"),
    ("investigation", "协查"),
];

/// Units of time limits, as policies name one of them.
pub(super) const UNITS: [(&str, &str); 8] = [
    ("minute", "分钟"),
    ("hour", "小时"),
    ("working minute", "工作分钟"),
    ("working hour", "工作小时"),
    ("working day", "个工作日"),
    ("day", "天"),
    ("week", "周"),
    ("month", "个月"),
];
