//! Words of the inbox.

crate::words::phrases! {
    view_mine: "Mine", "我的案件";
    view_team: "My department", "本部门";
    view_waiting: "Waiting for a handler", "待派单";
    view_due: "Due next", "即将到期";
    view_breached: "Overdue", "已超期";
    view_unconfirmed: "Category to confirm", "待确认类别";
    views: "Views", "视图";
    inbox_empty: "No case is here.", "这里没有案件。";
    inbox_empty_mine: "No open case is yours. Take the next one, or look at those that wait.", "您没有未结案件。可领取下一件，或查看待派单案件。";
    search_label: "Words in subject or description", "按主题或内容搜索";
    search_results(words): "Cases with “{words}”", "包含“{words}”的案件";
    next_page: "Next page", "下一页";
    first_page: "First page", "第一页";
    claim_next: "Take the next case", "领取下一件";
    choose_row(subject): "Choose “{subject}”", "选择“{subject}”";
    choose_all: "Choose all", "全选";
    with_chosen: "With those chosen", "对所选案件";
    bulk_accept: "Accept", "接单";
    bulk_confirm: "Confirm the guessed category", "确认推测的类别";
    bulk_note: "Add a note", "添加备注";
    bulk_none: "Choose at least one case.", "请至少选择一个案件。";
    bulk_done(count): "Done for {count}", "{count} 件已完成";
    bulk_failed(count): "Not done for {count}", "{count} 件未完成";
    bulk_verdicts: "What became of each", "逐件结果";
    verdict_done: "Done", "已完成";
    guessed(category, percent): "guessed {category}, {percent} sure", "推测为 {category}，置信度 {percent}";
    keys_inbox: "j/k move · x choose · Enter open · / search", "j/k 移动 · x 选择 · Enter 打开 · / 搜索";
}
