//! Words that boards share.

crate::words::phrases! {
    cases_behind: "The cases behind the number", "数字对应的案件";
    cases_filter: "Filter", "筛选条件";
    fresh_now: "Up to date.", "数据为最新。";
    fresh_seconds(n): "Up to date but for the last {n} s.", "数据滞后 {n} 秒。";
    fresh_minutes(n): "Up to date but for the last {n} min.", "数据滞后 {n} 分钟。";
    fresh_unknown: "How up to date it is cannot be told now.", "暂时无法确定数据的更新情况。";
    fresh_without(names): "Not heard of: {names}.", "未获取：{names}。";
    fresh_rebuilding: "The figures are being rebuilt: what was not read again yet is lacking.", "数据正在重建，尚未重新读取的部分暂缺。";
    fresh_parked(n): "{n} events were set aside, and are counted nowhere.", "{n} 个事件被搁置，未计入统计。";
}
