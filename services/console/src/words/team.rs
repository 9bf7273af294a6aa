//! Words of those who answer for the work of others.

crate::words::phrases! {
    team_board: "Team", "团队";
    team_load: "Queues and load", "队列与负荷";
    team_climbed: "Escalated and overdue", "升级与超期";
    team_decisions: "To be decided", "待审批";
    no_department: "No department yet", "尚无部门";
    age_between(from, until): "{from}–{until} days", "{from}–{until} 天";
    age_from(from): "{from} days and more", "{from} 天以上";
    count_open: "Open", "未结";
    count_escalated: "Escalated", "已升级";
    count_reworked: "Reopened", "返工";
    count_disputed: "Disputed", "有异议";
    load_waiting: "Waiting for a handler, by department and age", "待派单：按部门与等待时间";
    load_nothing_waits: "Nothing waits for a handler.", "没有待派单的案件。";
    load_total: "Together", "合计";
    load_people: "Who has what, and how much room", "经办人负荷";
    load_presence: "Now", "当前状态";
    load_load: "Cases, and room for", "在办数与容量";
    load_full: "full", "已满";
    load_oldest: "Oldest without an outcome", "最早未出结果";
    load_departments: "Departments that carry remedies out", "执行部门";
    load_no_tasks: "No department has tasks.", "没有部门任务。";
    load_attended: "Who takes them", "领取情况";
    load_is_attended: "Taken", "正常";
    load_unattended(far): "Nobody asks for them, since {far}", "无人领取：{far}";
    climbed_any: "All", "全部";
    climbed_reasons: "Why", "原因";
    decide_plans: "Remedy plans", "处理方案";
    decide_extensions: "More time for cases", "案件延期";
    decide_proposals: "What is proposed about tasks", "任务申请";

    decide_none_here: "None.", "无。";
    decide_looked(cases, tasks): "Looked for among the open cases due first ({cases}) and the tasks due first ({tasks}).", "查找范围：最近到期的未结案件（{cases} 件）与任务（{tasks} 项）。";
    decide_own: "You asked for it, so somebody else decides.", "该申请由您提出，须由他人审批。";
    decide_asked_by(name): "Asked for by {name}", "申请人：{name}";
    decide_more_time(amount, kind): "{amount} more for “{kind}”", "“{kind}”延长 {amount} 个单位";
    decide_until(time): "until {time}", "延至 {time}";
    decide_second(reason): "Needs a second approval: {reason}", "需二次审批：{reason}";
    decide_refuse: "Refuse", "驳回";
    done_decided_approve: "Approved.", "已批准。";
    done_decided_refuse: "Refused.", "已驳回。";
}
