//! What the values of contracts are called that managers see.

use proto::redress::feedback::v1::{
    ImprovementEffectState, ImprovementKind, ImprovementState, ReportFormat, ReportLength, ReportState,
    SignalState,
};

crate::names::names! {
    signal_state: SignalState {
        Active: "Going on", "进行中";
        Ended: "Over", "已结束";
        Dismissed: "Dismissed", "已排除";
    }
    improvement_kind: ImprovementKind {
        Corrective: "Corrective", "纠正措施";
        Preventive: "Preventive", "预防措施";
    }
    improvement_state: ImprovementState {
        Open: "Open", "待落实";
        Done: "Done, to be assessed", "已落实，待评估";
        Verified: "Works", "验证有效";
        Ineffective: "Does not work", "验证无效";
    }
    effect_state: ImprovementEffectState {
        NotDone: "Not done yet", "尚未落实";
        NoSeries: "Nothing to count by", "无可比对的数据";
        NotEnoughData: "Too early to tell", "数据不足";
        Measured: "Measured", "已测算";
    }
    report_length: ReportLength {
        Month: "Month", "月报";
        Quarter: "Quarter", "季报";
        Year: "Year", "年报";
    }
    report_format: ReportFormat {
        Html: "Page", "网页";
        Xlsx: "Workbook", "工作簿";
        Csv: "Table", "数据表";
    }
    report_state: ReportState {
        Pending: "Waits", "等待生成";
        Running: "Being made", "生成中";
        Done: "Ready", "已完成";
        Failed: "Given up", "生成失败";
    }
}
