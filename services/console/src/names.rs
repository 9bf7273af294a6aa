//! What the values of contracts are called, in each language.

use proto::redress::cases::v1::{CaseState, Outcome, Priority};
use proto::redress::intake::v1::Channel;

use crate::words::Words;

/// Methods of [`Words`] that name the values of an enum; what is not named is unknown.
macro_rules! names {
    ($($method:ident: $enum:ident { $($value:ident: $english:literal, $chinese:literal;)+ })+) => {
        impl Words {
            $(
                /// What a value is called.
                pub(crate) fn $method(self, value: i32) -> &'static str {
                    match $enum::try_from(value) {
                        $(Ok($enum::$value) => self.pick($english, $chinese),)+
                        _ => self.unknown(),
                    }
                }
            )+
        }
    };
}

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
}
