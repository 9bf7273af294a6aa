//! What the values of contracts are called that administrators meet.

use proto::redress::assignment::v1::EarlierHandler;
use proto::redress::resolution::v1::ApprovalDemand;

crate::names::names! {
    earlier_handler: EarlierHandler {
        Avoided: "Passed over while another can take it", "有他人可接办时避开";
        Recused: "Never", "不得再办";
    }
    approval_demand: ApprovalDemand {
        Automatic: "Approved by itself", "自动批准";
        Approvers: "Approved by people", "人工审批";
        Refusal: "Refused", "拒绝";
    }
}
