//! What is folded away, and above all what is not.

use super::*;

/// Folds, and holds that each line is of the sender or folded away.
fn own(whole: &str) -> String {
    let (own, quoted) = fold(whole);
    let mut left: Vec<&str> = own.lines().chain(quoted.lines()).map(str::trim).collect();
    for line in whole.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let at = left.iter().position(|kept| *kept == line);
        left.remove(at.unwrap_or_else(|| panic!("{line:?} is lost of {whole:?}")));
    }
    own
}

const OWN: &str = "Still broken.\n\nPlease call.";

#[test]
fn a_quote_below_is_folded_however_it_is_introduced() {
    for introduction in [
        "On Mon, 5 Jan 2026 at 10:30, Shop <service@example.com> wrote:",
        "On Mon, 5 Jan 2026 at 10:30, Shop\n<service@example.com>\nwrote:",
        "Am Mo., 5. Jan. 2026 um 10:30 Uhr schrieb Shop <service@example.com>:",
        "Am 05.01.26 um 10:30 schrieb Shop:",
        "Le lun. 5 janv. 2026 à 10:30, Shop <service@example.com> a écrit :",
        "El lun, 5 ene 2026 a las 10:30, Shop (<service@example.com>) escribió:",
        "在 2026年1月5日，10:30，商店 <service@example.com> 写道：",
        "商店 <service@example.com> 于2026年1月5日周一 10:30写道：",
        "2026年1月5日(月) 10:30 店 <service@example.com>:",
        "пн, 5 янв. 2026 г. в 10:30, Магазин <service@example.com>:",
    ] {
        for mark in ["> ", ">", ""] {
            let is_certain = introduction.contains('@');
            if mark.is_empty() && !is_certain {
                continue;
            }
            let text = format!("{OWN}\n\n{introduction}\n{mark}We are sorry.\n{mark}Your shop\n");
            assert_eq!(own(&text), OWN, "{introduction} {mark}");
        }
    }
}

#[test]
fn a_quote_below_a_separator_or_a_header_is_folded() {
    for introduction in [
        "-----Original Message-----\nFrom: Shop\nSent: Monday",
        "-----Ursprüngliche Nachricht-----\nVon: Shop",
        "------------------ 原始邮件 ------------------\n发件人: \"商店\" <service@example.com>;",
        "------------------ Original ------------------\nFrom: Shop",
        "------------------&nbsp;原始邮件&nbsp;------------------\n发件人: 商店",
        "--------------------------------\n发件人：商店 <service@example.com>\n日　期：2026年1月5日\n主　题：您的投诉",
        "---- 回复的原邮件 ----\n| 发件人 | 商店 |",
        "---------- Forwarded message ---------\nFrom: Shop <service@example.com>",
        "-------- 转发邮件信息 --------\n发件人：商店",
        "Begin forwarded message:\n\nFrom: Shop",
        "-----Shop/Example wrote: -----\nTo: Ada",
        "From: Shop\nSent: Monday, January 5, 2026 10:30\nTo: Ada\nSubject: Your order",
        "________________________________\nVon: Shop <service@example.com>\nGesendet: Montag\nAn: Ada",
        "*From:* Shop <service@example.com>\n*Date:* Monday\n*To:* Ada",
        "发件人： 商店\n发送时间： 2026-01-05 10:30\n收件人： 张三\n主题： 您的订单",
        "De : Boutique <service@example.com>\nEnvoyé : lundi\nÀ : Ada",
        "発: x\n差出人: 店 <service@example.com>\n日時: 2026年1月5日\n件名: ご注文",
    ] {
        let text = format!("{OWN}\n\n{introduction}\n\nWe are sorry.\n> Earlier\n");
        let expected =
            if introduction.starts_with('発') { format!("{OWN}\n\n発: x") } else { OWN.to_owned() };
        assert_eq!(own(&text), expected, "{introduction}");
    }
}

#[test]
fn answers_between_quotes_are_the_senders() {
    let text =
        "Hello,\n\nOn 5 Jan 2026, Shop wrote:\n> Is it broken?\nYes.\n> Was it late?\n\nA week.\n\n> Bye";
    assert_eq!(own(text), "Hello,\n\nYes.\n\nA week.");
    let below = "On 5 Jan 2026, Shop wrote:\n> Is it broken?\n\nYes, it is.";
    assert_eq!(own(below), "Yes, it is.");
    let marked = "-----Original Message-----\n> From: Shop\n> Is it broken?\nYes.\n> Bye";
    assert_eq!(own(marked), "Yes.");
}

#[test]
fn words_that_only_look_like_a_quote_are_the_senders() {
    for text in [
        "发件人：李四\n收件人：张三\n日期：2026年1月5日\n主题：包裹破损\n请赔偿",
        "我要投诉：\n发件人：李四\n收件人：张三\n日期：2026年1月5日\n包裹破损",
        "From: Beijing\nTo: Shanghai\nDate: 5 January\nIt never came.",
        "On Monday 5 January your driver wrote:\n\"Nobody at home\"\nThat is a lie.",
        "Your agent wrote: come tomorrow.\nI came.",
        "Original message was ignored.\nI write again.",
        "---- order ----\nA-7\n---- address ----\nExample Road 1",
        "Total -- 12 Euro --\nI want it back.",
        "Please answer to 5 of us, and to <ada@example.org>:\nI want it back.",
        "On 5 counts ada@example.org wrote:\nI want it back.",
    ] {
        assert_eq!(own(text), text, "{text}");
    }
}

#[test]
fn signatures_are_folded_and_long_texts_below_a_dash_are_not() {
    assert_eq!(own("Broken.\n\n-- \nAda\nExample Road 1"), "Broken.");
    assert_eq!(own("Broken.\n--\nAda\n\nOn 5 Jan 2026, Shop wrote:\n> Hello"), "Broken.");
    assert_eq!(own("Broken.\n\nSent from my iPhone\n\nOn 5 Jan 2026, Shop wrote:\n> Hello"), "Broken.");
    for line in [
        "发自我的iPhone",
        "发自我的小米手机",
        "来自我的华为手机",
        "获取 Outlook for iOS",
        "Sent with Proton Mail secure email.",
    ] {
        assert_eq!(own(&format!("坏了。\n\n{line}")), "坏了。", "{line}");
    }
    for text in ["请退款。\n从我的账户扣了两次钱", "It came late.\nSent from Hamburg on 5 January"]
    {
        assert_eq!(own(text), text);
    }
    for (mark, lines) in [("--", 9), ("-- ", 16)] {
        let text =
            |lines: usize| format!("Broken.\n{mark}\n{}", "And another thing.\n".repeat(lines).trim_end());
        assert_eq!(own(&text(lines - 1)), "Broken.");
        assert_eq!(own(&text(lines)).lines().count(), lines + 2);
    }
}

#[test]
fn a_mail_of_nothing_but_quotes_is_all_the_senders() {
    for text in [
        "> Is it broken?\n> Bye",
        "---------- Forwarded message ---------\nFrom: Shop <service@example.com>\n\nWe are sorry.",
        "From: Shop <service@example.com>\nSent: Monday\nTo: Ada\n\nWe are sorry.",
        "Sent from my iPhone\n\n> Hello",
        "-- \nAda",
    ] {
        assert_eq!(fold(text), (text.to_owned(), String::new()), "{text}");
    }
    assert_eq!(fold(" \n\n"), (String::new(), String::new()));
}
