//! What the values of contracts are called that supervisors see.

use proto::redress::assignment::v1::Presence;
use proto::redress::feedback::v1::SupervisionReason;

crate::names::names! {
    presence: Presence {
        Present: "Takes cases", "可派单";
        Away: "Away", "暂离";
        OffShift: "Off shift", "非当班";
        Absent: "Absent", "请假";
        Leaving: "Leaving", "离岗交接";
    }
    supervision_reason: SupervisionReason {
        Overdue: "Overdue", "已超期";
        Escalated: "Escalated", "已升级";
        Reworked: "Reopened", "返工";
        Disputed: "Disputed", "有异议";
        MoneyOverLimit: "Much money", "大额";
    }
}
