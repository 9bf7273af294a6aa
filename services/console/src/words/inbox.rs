//! Words of the inbox.

crate::words::phrases! {
    inbox_mine: "Mine", "我的案件";
}
