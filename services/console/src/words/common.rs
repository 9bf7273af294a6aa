//! Words of every page.

crate::words::phrases! {
    product: "Redress", "Redress 投诉处理";
    skip: "Skip to the content", "跳到正文";
    navigation: "Navigation", "导航";
    language: "Language", "语言";
    inbox: "Inbox", "收件箱";
    sign_in: "Sign in", "登录";
    sign_out: "Sign out", "退出";
    signed_in_as(name): "Signed in as {name}", "当前用户：{name}";
    development: "Development: nobody proves who they are", "开发环境：身份未经验证";
    search: "Search", "搜索";
    send: "Send", "提交";
    back: "Back", "返回";
    optional: "optional", "选填";
    required: "required", "必填";
    yes: "Yes", "是";
    no: "No", "否";
    unknown: "Unknown", "未知";
    minutes(n): "{n} min", "{n} 分钟";
    hours(n): "{n} h", "{n} 小时";
    days(n): "{n} d", "{n} 天";
    ago(amount): "{amount} ago", "{amount}前";
    within(amount): "in {amount}", "{amount}后";
    draft_kept: "Kept in this browser until it is sent.", "内容已暂存在本浏览器，提交后清除。";
    draft_restored: "What you wrote before was put back.", "已恢复您此前填写的内容。";
    draft_discard: "Discard it", "清除";
    connection_lost: "The connection is lost; this page may be out of date.", "连接已断开，页面内容可能不是最新。";
    connection_back: "Up to date again.", "已恢复同步。";
    changed_meanwhile: "The case changed. What you are writing was left as it is.", "案件已更新，您正在填写的内容保持不变。";
    keyboard: "Keyboard", "键盘快捷键";
}
