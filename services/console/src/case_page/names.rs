//! What else the page of a case names: pauses, extensions, corrections, revisions.

use proto::redress::cases::v1::{CorrectionState, ExtensionState, PauseReason};
use proto::redress::resolution::v1::{PlanRevisionState, StepChangeKind};

crate::names::names! {
    pause_reason: PauseReason {
        AwaitingComplainant: "The complainant was asked for something", "等待投诉人补充";
        Appraisal: "An appraisal or test is under way", "鉴定、检测或检验";
        Proceedings: "A court or authority has the matter", "司法、仲裁或行政程序";
        ForceMajeure: "Nobody could act", "不可抗力";
    }
    extension_state: ExtensionState {
        Pending: "Waits for a decision", "待审批";
        Granted: "Granted", "已批准";
        Refused: "Refused", "未批准";
    }
    correction_state: CorrectionState {
        Pending: "Waits for a second person", "待第二人确认";
        InForce: "In force", "已生效";
        Refused: "Refused", "未同意";
    }
    revision_state: PlanRevisionState {
        Pending: "Waits for approval", "待审批";
        Applied: "In force", "已生效";
        Rejected: "Rejected", "已驳回";
        Lapsed: "Lapsed", "已失效";
    }
    step_change: StepChangeKind {
        Added: "Put in", "新增";
        Replaced: "Replaced", "替换";
        Removed: "Taken out", "移除";
    }
}
