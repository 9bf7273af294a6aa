//! What the values of contracts are called that supervisors see.

use proto::redress::feedback::v1::SupervisionReason;

crate::names::names! {
    supervision_reason: SupervisionReason {
        Overdue: "Overdue", "已超期";
        Escalated: "Escalated", "已升级";
        Reworked: "Reopened", "返工";
        Disputed: "Disputed", "有异议";
        MoneyOverLimit: "Much money", "大额";
    }
}
