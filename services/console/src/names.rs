//! What the values of contracts are called, in each language.

use proto::redress::assignment::v1::Presence;
use proto::redress::cases::v1::{
    CaseState, ClockKind, ClockState, IntervalKind, LinkKind, LinkStanding, Outcome, Priority, TimelineKind,
    Visibility,
};
use proto::redress::feedback::v1::{NoticeKind, NoticeState, Response};
use proto::redress::intake::v1::Channel;
use proto::redress::resolution::v1::{PlanState, RemedyKind, StepState, TaskState};

/// Methods of [`Words`] that name the values of an enum; what is not named is unknown.
macro_rules! names {
    ($($method:ident: $enum:ident { $($value:ident: $english:literal, $chinese:literal;)+ })+) => {
        impl $crate::words::Words {
            $(
                /// What a value is called.
                pub(crate) fn $method(self, value: impl std::borrow::Borrow<i32>) -> &'static str {
                    match $enum::try_from(*value.borrow()) {
                        $(Ok($enum::$value) => self.pick($english, $chinese),)+
                        _ => self.unknown(),
                    }
                }
            )+
        }
    };
}

pub(crate) use names;

names! {
    state: CaseState {
        Received: "Received", "已受理";
        Triaged: "Waiting", "待派单";
        Assigned: "Assigned", "已派单";
        Investigating: "Investigating", "调查中";
        Decided: "Decided", "已裁定";
        Remedying: "Being remedied", "补救中";
        Resolved: "Resolved", "已解决";
        Closed: "Closed", "已办结";
        Withdrawn: "Withdrawn", "已撤诉";
        OutOfScope: "Out of scope", "不予受理";
        Merged: "Merged", "已并案";
    }
    presence: Presence {
        Present: "Takes cases", "可派单";
        Away: "Away", "暂离";
        OffShift: "Off shift", "非当班";
        Absent: "Absent", "请假";
        Leaving: "Leaving", "离岗交接";
    }
    priority: Priority {
        P1: "P1", "P1";
        P2: "P2", "P2";
        P3: "P3", "P3";
        P4: "P4", "P4";
    }
    channel: Channel {
        Phone: "Telephone", "电话";
        Chat: "Chat", "在线客服";
        InApp: "App", "应用内";
        Email: "E-mail", "电子邮件";
        Web: "Web", "网页";
        Social: "Social media", "社交媒体";
        Letter: "Letter", "信函";
        Branch: "Branch", "营业网点";
        Regulator: "Regulator", "监管转办";
        Partner: "Partner", "合作方";
    }
    outcome: Outcome {
        Unspecified: "Not decided", "未裁定";
        Upheld: "Upheld", "投诉成立";
        PartlyUpheld: "Partly upheld", "部分成立";
        NotUpheld: "Not upheld", "不成立";
    }
    timeline_kind: TimelineKind {
        Opened: "Opened", "立案";
        Triaged: "Triaged", "分级";
        Assigned: "Assigned", "派单";
        Accepted: "Accepted", "接单";
        Note: "Note", "备注";
        Findings: "Findings", "调查结论";
        Decided: "Decided", "裁定";
        PlanProposed: "Plan proposed", "提出方案";
        PlanApproved: "Plan approved", "方案获批";
        PlanEnded: "Plan ended", "方案终止";
        TaskCompleted: "Task done", "任务完成";
        TaskNeedsAttention: "Task needs attention", "任务需处理";
        Resolved: "Resolved", "已解决";
        Notice: "Notice", "通知";
        Response: "Answer", "投诉人答复";
        Reopened: "Reopened", "重新受理";
        Closed: "Closed", "办结";
        Withdrawn: "Withdrawn", "撤诉";
        OutOfScope: "Out of scope", "不予受理";
        Queued: "Queued", "排队";
        Merged: "Merged", "并案";
        Unmerged: "Unmerged", "拆分";
        Linked: "Linked", "关联";
        Clock: "Clock", "时限";
        Escalated: "Escalated", "升级";
        Grouped: "Grouped", "归组";
        PlanRevised: "Plan revised", "方案变更";
        TaskWrittenOff: "Written off", "核销";
    }
    visibility: Visibility {
        Public: "Public", "公开";
        Internal: "Internal", "内部";
        Restricted: "Restricted", "受限";
    }
    clock_kind: ClockKind {
        Acknowledge: "Acknowledge", "告知收到";
        Accept: "Accept or refuse", "受理决定";
        Object: "Object", "异议";
        FirstResponse: "First response", "首次响应";
        Stage: "Stage", "阶段";
        Decide: "Decide", "裁定";
        Tell: "Tell the outcome", "告知结果";
        Final: "Final answer", "最终答复";
        Update: "Tell how it goes", "进展告知";
        Remedy: "Remedy", "补救";
        Review: "Review", "复核";
        Task: "Task", "任务";
    }
    clock_state: ClockState {
        Running: "Running", "计时中";
        Paused: "Paused", "已暂停";
        Met: "Met", "已达成";
        Stopped: "Stopped", "已停止";
    }
    interval_kind: IntervalKind {
        Counts: "Counts", "计时";
        Settled: "Settled", "已结算";
        BeforeFirstDay: "Before the first day", "起算日之前";
        OutOfHours: "Out of hours", "非工作时间";
        Weekend: "Weekend", "周末";
        Holiday: "Holiday", "节假日";
        Paused: "Paused", "暂停";
        ClocksSet: "Clocks were set", "时钟调整";
        RolledForward: "Rolled forward", "顺延";
    }
    remedy: RemedyKind {
        Apology: "Apology", "致歉";
        Explanation: "Explanation", "说明";
        Refund: "Refund", "退款";
        Compensation: "Compensation", "赔偿";
        Exchange: "Exchange", "换货";
        Repair: "Repair", "维修";
        Redelivery: "Delivery anew", "重新投递";
        ServiceUpgrade: "Better service", "服务升级";
        FeeWaiver: "Fee waived", "费用减免";
        RecordCorrection: "Record corrected", "更正记录";
        StaffMeasures: "Staff measures", "人员处理";
        RecallNotice: "Recall", "召回";
        Custom: "Of our own", "自定义";
        Investigation: "Investigation", "协查";
        StockAlert: "Stock alert", "缺货提醒";
        ProblemHint: "Question on a problem", "问题协查";
    }
    plan_state: PlanState {
        Proposed: "Waits for approval", "待审批";
        Executing: "Being carried out", "执行中";
        Completed: "Carried out", "已完成";
        Rejected: "Rejected", "已驳回";
        Cancelling: "Being undone", "撤销中";
        Cancelled: "Cancelled", "已取消";
    }
    step_state: StepState {
        Waiting: "Waits", "等待";
        Open: "Open", "进行中";
        Done: "Done", "完成";
        Dropped: "Dropped", "已移除";
        Undoing: "Being undone", "撤销中";
        Undone: "Undone", "已撤销";
        WrittenOff: "Written off", "已核销";
    }
    task_state: TaskState {
        Ready: "Ready", "待领取";
        Leased: "In work", "处理中";
        Completed: "Done", "已完成";
        NeedsAttention: "Needs attention", "需人工处理";
        Cancelled: "Cancelled", "已取消";
        OutcomeUnknown: "Outcome unknown", "结果未知";
        Reassigned: "Given to another", "已转派";
        AwaitingStock: "Awaits stock", "等待到货";
    }
    notice_kind: NoticeKind {
        Acknowledgement: "Acknowledgement", "受理告知";
        Outcome: "Outcome", "处理结果";
        Recourse: "Where else to turn", "救济途径";
        Extension: "More time", "延期告知";
        Holding: "Holding reply", "暂缓答复";
        Survey: "Survey", "满意度调查";
        Shortage: "Shortage", "缺货告知";
        ClosingSoon: "Closing soon", "即将办结";
        Progress: "Progress", "进展告知";
        Withdrawal: "Withdrawal confirmed", "撤诉确认";
        CallBackPlanned: "Call announced", "回电预告";
        CallBackMissed: "Call missed", "未接通告知";
    }
    notice_state: NoticeState {
        Pending: "On its way", "发送中";
        Delivered: "Delivered", "已送达";
        Undelivered: "Not delivered", "未送达";
    }
    answer: Response {
        Accepted: "Accepted", "接受";
        Disputed: "Disputed", "不接受";
    }
    link_kind: LinkKind {
        Duplicate: "The same complaint", "重复投诉";
        Related: "Related", "相关";
    }
    link_standing: LinkStanding {
        Suggested: "Suggested", "建议";
        Linked: "Linked", "已关联";
        Dismissed: "Dismissed", "已排除";
    }
}
