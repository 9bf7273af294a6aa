//! In which encoding a text is written: of one short row as of thousands.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};
use proptest::prelude::*;
use tables::encoding::{Why, named, recognised};

/// A text as the bytes of an encoding; all of it must have some there.
fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    if encoding == UTF_16LE {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if encoding == UTF_16BE {
        return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    }
    let (bytes, _, unmappable) = encoding.encode(text);
    assert!(!unmappable, "{} has not all of {text}", encoding.name());
    bytes.into_owned()
}

/// Texts that are read as they were written, in each of these encodings.
const SAMPLES: [(&str, &[&Encoding]); 46] = [
    // Simplified Chinese: headings alone, one row, one cell.
    ("编号,主题,内容\n", &[UTF_8, GB18030, UTF_16LE, UTF_16BE]),
    ("编号,主题,内容\n1,丢件,快递员把包裹弄丢了\n", &[UTF_8, GB18030, UTF_16LE, UTF_16BE]),
    ("id,主题\n1,丢件\n", &[UTF_8, GB18030, UTF_16LE, UTF_16BE]),
    ("姓名;电话\n张伟;13800000000\n", &[UTF_8, GB18030, UTF_16LE]),
    ("subject,description\nLate,快递太慢了\n", &[UTF_8, GB18030, UTF_16LE, UTF_16BE]),
    ("subject,description\nLate,退款\n", &[UTF_8, GB18030]),
    ("subject\n退货\n", &[UTF_8, GB18030, UTF_16LE]),
    ("留言编号,留言用户,留言主题\n", &[UTF_8, GB18030, UTF_16BE]),
    ("subject,description\na,商家拒绝赔偿，态度恶劣！\n", &[UTF_8, GB18030]),
    ("投诉内容\n燃气表没用也在走\n", &[UTF_8, GB18030]),
    ("联通\n", &[UTF_8, GB18030]),
    ("subject\n联通客服一直打不通\n", &[UTF_8, GB18030]),
    ("x,y\n是,否\n", &[UTF_8, GB18030]),
    ("a,b\n价格,￥128．50\n", &[UTF_8, GB18030]),
    ("subject\n一二三\n", &[UTF_8, GB18030]),
    // Characters of four bytes, and what only the newer set has.
    ("姓名,电话\n𠮷田,1\n", &[UTF_8, GB18030, UTF_16LE]),
    ("姓名,内容\n㛃㛃,收到的货是坏的\n", &[UTF_8, GB18030]),
    ("subject,description\n1,客户很生气😡，要退款\n", &[UTF_8, GB18030, UTF_16LE]),
    ("subject,description\nx,朱镕基路的商店\n", &[UTF_8, GB18030]),
    ("姓名\n王㐂\n", &[UTF_8, GB18030]),
    // Traditional Chinese.
    ("編號,主題,內容\n", &[UTF_8, BIG5, UTF_16LE, UTF_16BE]),
    ("編號,主題,內容\n1,退款未到,店家說三天退款\n", &[UTF_8, BIG5, UTF_16LE]),
    ("姓名,電話\n陳大文,0912345678\n", &[UTF_8, BIG5]),
    ("subject,description\nLate,包裹遺失了\n", &[UTF_8, BIG5, UTF_16LE]),
    ("subject\n退貨\n", &[UTF_8, BIG5]),
    ("subject,description\n1,客服電話一直打不通，已經兩個星期了\n", &[UTF_8, BIG5, GB18030]),
    ("訂單編號,金額\nA1,100\n", &[UTF_8, BIG5]),
    ("subject,description\n1,不要再打電話來了\n", &[UTF_8, BIG5]),
    ("a\n我的訂單\n", &[UTF_8, BIG5]),
    // Japanese and Korean.
    ("件名,内容\n返品,まだ届いていません\n", &[UTF_8, SHIFT_JIS, EUC_JP, UTF_16LE]),
    ("番号,氏名,電話番号\n", &[UTF_8, SHIFT_JIS, EUC_JP]),
    ("subject\n商品が壊れていました\n", &[UTF_8, SHIFT_JIS, EUC_JP]),
    ("번호,제목,내용\n1,배송,아직 배송이 오지 않았습니다\n", &[UTF_8, EUC_KR, UTF_16LE]),
    ("이름,전화\n", &[UTF_8, EUC_KR]),
    ("subject,description\n1,환불해 주세요\n", &[UTF_8, EUC_KR]),
    // Western and other letters.
    ("numéro,détails\n", &[UTF_8, WINDOWS_1252, UTF_16LE]),
    ("numéro,détails\n1,Le colis est arrivé cassé à l’hôtel.\n", &[UTF_8, WINDOWS_1252, UTF_16LE]),
    ("Name;Größe;Beschreibung\nMüller;5;Die Lieferung war beschädigt\n", &[UTF_8, WINDOWS_1252, UTF_16BE]),
    ("Betreff;Straße\n1;Hauptstraße 5\n", &[UTF_8, WINDOWS_1252]),
    ("subject\nÄrger über Öl\n", &[UTF_8, WINDOWS_1252]),
    ("subject\nça coûte 5 €\n", &[UTF_8, WINDOWS_1252]),
    ("asunto\nEl pedido llegó tarde, señor\n", &[UTF_8, WINDOWS_1252]),
    ("тема;описание\n1;Товар пришёл сломанным, деньги не возвращают\n", &[UTF_8, WINDOWS_1251, UTF_16LE]),
    // ASCII alone.
    ("subject,description\nLate,Again\n", &[UTF_8, UTF_16LE, UTF_16BE]),
    ("x\n", &[UTF_8, UTF_16LE]),
    ("", &[UTF_8]),
];

#[test]
fn the_encoding_of_short_texts_is_recognised() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (text, encodings) in SAMPLES {
        for encoding in encodings {
            cases += 1;
            let found = recognised(&encoded(text, encoding), &[]);
            if found.encoding != *encoding {
                wrong.push(format!(
                    "{text:?} in {}: {} ({})",
                    encoding.name(),
                    found.encoding.name(),
                    found.why
                ));
            }
        }
    }
    assert!(cases >= 100, "{cases}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Any longer text is recognised as its first row is.
#[test]
fn thousands_of_rows_are_recognised_as_one_is() {
    for (text, encodings) in SAMPLES.into_iter().filter(|(text, _)| text.contains("\n1,")) {
        for encoding in encodings {
            let (head, row) = text.split_once('\n').unwrap();
            let rows = format!("{head}\n{}", row.repeat(3_000));
            assert_eq!(recognised(&encoded(&rows, encoding), &[]).encoding, *encoding, "{text}");
        }
    }
}

#[test]
fn a_heading_that_the_mapping_names_decides() {
    // No word of the lists, and rare letters: nothing but the mapping can tell.
    let text = "槠,榍\n1,2\n";
    let bytes = encoded(text, GB18030);
    let found = recognised(&bytes, &["槠", "榍"]);
    assert_eq!(found.encoding, GB18030);
    assert_eq!(found.why, Why::Headings("槠".to_owned()));
    assert_eq!(found.why.to_string(), "so read, 槠 is a heading");
}

#[test]
fn letters_late_in_a_file_are_found() {
    let plain = "a,plain row of no letters but these\n".repeat(5_000);
    let text = format!("subject,description\n{plain}1,快递太慢了，一直没有送到\n");
    assert_eq!(recognised(&encoded(&text, GB18030), &[]).encoding, GB18030);
    assert_eq!(recognised(text.as_bytes(), &[]).encoding, UTF_8);
}

#[test]
fn a_mark_is_believed_and_ascii_is_utf_8() {
    assert_eq!(recognised(b"\xef\xbb\xbfa", &[]).why, Why::Mark);
    assert_eq!(recognised(b"\xff\xfea\0", &[]).encoding, UTF_16LE);
    assert_eq!(recognised(b"\xfe\xff\0a", &[]).encoding, UTF_16BE);
    assert_eq!(recognised(b"plain,text\n1,2\n", &[]).why, Why::Ascii);
    // A zero in a text that is not wide makes it no wide one.
    assert_eq!(recognised(b"a,b\n1,\0\n2,3\n", &[]).encoding, UTF_8);
}

#[test]
fn a_broken_place_or_two_leave_it_what_it_is() {
    let text = "编号,主题,内容\n1,快递丢件,快递员把包裹弄丢了，至今没有人联系我。\n".repeat(3);
    let mut bytes = text.clone().into_bytes();
    let place = bytes.len() - 3;
    bytes[place] = 0xff;
    bytes[5] = 0xfe;
    assert_eq!(recognised(&bytes, &[]).encoding, UTF_8);
    let mut bytes = encoded(&text, GB18030);
    bytes.truncate(bytes.len() - 2);
    bytes[40] = 0xff;
    assert_eq!(recognised(&bytes, &[]).encoding, GB18030);
}

#[test]
fn names_of_encodings_are_those_of_browsers() {
    assert_eq!(named("GBK"), Ok(GB18030));
    assert_eq!(named("gb2312"), Ok(GB18030));
    assert_eq!(named("utf-16le"), Ok(UTF_16LE));
    assert!(named("klingon").is_err());
}

proptest! {
    /// Any bytes get one answer, the same each time, and a text that is UTF-8 with Chinese
    /// in it is never read as anything else.
    #[test]
    fn the_same_bytes_read_the_same(bytes: Vec<u8>) {
        prop_assert_eq!(recognised(&bytes, &[]), recognised(&bytes, &[]));
    }
}
