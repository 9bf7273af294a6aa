//! Made-up complaints, in two languages and by several roads.

use proto::google::r#type::Money;
use proto::redress::intake::v1::{Channel, Complainant, Complaint, RemedySought, Respondent};

/// Subject, description, language, channel.
const TEXTS: [(&str, &str, &str, Channel); 4] = [
    ("快递送达时杯子碎了", "包装完好，打开后六个杯子碎了两个，要求退款并换货。", "zh-CN", Channel::Phone),
    (
        "Cups arrived broken",
        "The parcel looked fine, but two of the six cups are broken. I want my money back.",
        "en",
        Channel::Email,
    ),
    ("重复扣款", "同一笔订单扣款两次，客服一直没有回复，请退还多扣的金额。", "zh-CN", Channel::InApp),
    (
        "Charged twice for one order",
        "My card was charged twice for the same order; please refund one of them.",
        "en",
        Channel::Web,
    ),
];

/// The complaint of this number; its number at the channel is its own, too.
pub fn made_up(number: usize) -> Complaint {
    let (subject, description, language, channel) = TEXTS[number % TEXTS.len()];
    Complaint {
        channel: channel.into(),
        external_ref: format!("made-up-{number}"),
        complainant: Some(Complainant {
            customer_id: format!("customer-{number}"),
            ..Complainant::default()
        }),
        respondent: Some(Respondent { order_ref: format!("order-{number}"), ..Respondent::default() }),
        subject: subject.to_owned(),
        description: description.to_owned(),
        remedy_sought: Some(RemedySought { text: "退款 / refund".to_owned(), amount: Some(yuan(199, 0)) }),
        language: language.to_owned(),
        consent_given: true,
        ..Complaint::default()
    }
}

/// A sum in renminbi.
pub fn yuan(units: i64, fen: i32) -> Money {
    Money { currency_code: "CNY".to_owned(), units, nanos: fen * 10_000_000 }
}
