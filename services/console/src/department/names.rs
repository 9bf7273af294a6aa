//! What the values of contracts are called that departments see.

use proto::redress::feedback::v1::ProblemTaskKind;
use proto::redress::resolution::v1::{
    Inquiry, ProposalKind, ProposalState, StatementDirection, StatementVerdict,
};

crate::names::names! {
    inquiry: Inquiry {
        Evidence: "Evidence is asked for", "需提供证据";
        Statement: "A statement is asked for", "需作出说明";
    }
    problem_question: ProblemTaskKind {
        Stock: "Is the stock affected?", "库存是否受影响？";
        Recall: "Should it be recalled?", "是否需要召回？";
    }
    proposal_kind: ProposalKind {
        Extension: "More time", "延期";
        Completion: "That it was done", "确认已完成";
        WriteOff: "To write it off", "核销";
    }
    proposal_state: ProposalState {
        Pending: "Waits for a decision", "待审批";
        Approved: "Approved", "已批准";
        Refused: "Refused", "已驳回";
    }
    verdict: StatementVerdict {
        Matched: "Matched", "相符";
        Missing: "Missing in the statement", "对账单缺失";
        Doubled: "Doubled", "重复";
        DifferentAmount: "Different amount", "金额不符";
        Unknown: "Unknown to the ledger", "台账无记录";
        Unreadable: "Unreadable", "无法读取";
    }
    direction: StatementDirection {
        Paid: "Paid", "付出";
        Collected: "Collected", "收回";
    }
}
