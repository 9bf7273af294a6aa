//! How many of the complaints that are told again are found again: by the index,
//! which only shows texts that share a band, and by the score. Own texts here, and
//! by `make real` those of the folder `REDRESS_DATA`.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use super::operators::{Dice, Operator};
use super::*;

/// Of the texts told again: how many share a band with the first telling, how many
/// are suggested, and how many texts that are not the same do share one.
#[derive(Debug, Default)]
struct Figures {
    told: usize,
    found: usize,
    suggested: usize,
    strangers: usize,
}

fn percent(part: usize, whole: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).expect("small"));
    100.0 * count(part) / count(whole.max(1))
}

/// Tells each text again and looks it up among all.
fn measure(texts: &[String], operator: Operator) -> Figures {
    let sketches: Vec<Option<Sketch>> = texts.iter().map(|text| Sketch::of(text)).collect();
    let mut index: HashMap<i64, Vec<usize>> = HashMap::new();
    for (at, sketch) in sketches.iter().enumerate() {
        for band in sketch.iter().flat_map(Sketch::bands) {
            index.entry(band).or_default().push(at);
        }
    }
    let mut figures = Figures::default();
    for (at, text) in texts.iter().enumerate() {
        let mut dice = Dice::new(u64::try_from(at).expect("small"));
        let again = Sketch::of(&operator.apply(text, &mut dice));
        let (Some(first), Some(again)) = (&sketches[at], again) else { continue };
        let mut shown: Vec<usize> =
            again.bands().iter().filter_map(|band| index.get(band)).flatten().copied().collect();
        shown.sort_unstable();
        shown.dedup();
        figures.told += 1;
        if shown.contains(&at) {
            figures.found += 1;
            figures.suggested += usize::from(first.likeness(&again) >= SUGGEST_FROM);
        }
        figures.strangers += shown.iter().filter(|other| texts[**other] != *text).count();
    }
    figures
}

fn report(of: &str, texts: &[String]) -> [Figures; 3] {
    Operator::ALL.map(|operator| {
        let figures = measure(texts, operator);
        eprintln!(
            "{of}: {operator:?}: of {} told again {:.1} % found, {:.1} % suggested; {:.1} other texts shown each",
            figures.told,
            percent(figures.found, figures.told),
            percent(figures.suggested, figures.told),
            percent(figures.strangers, figures.told) / 100.0,
        );
        figures
    })
}

/// Complaints made of parts: no two the same.
fn own(count: u64) -> Vec<String> {
    const WHAT: [&str; 8] = ["水壶", "耳机", "洗衣机", "毛毯", "手机壳", "电饭煲", "自行车", "台灯"];
    const WRONG: [&str; 6] = [
        "收到时外包装已经压坏,里面的零件散了一地",
        "用了不到三天就开不了机,怎么按都没有反应",
        "颜色和页面上的照片完全不一样,做工也很粗糙",
        "说好三天送到,现在半个月过去了还停在中转站",
        "少发了两件配件,说明书也是别的型号的",
        "有一股刺鼻的味道,家里老人闻了头晕",
    ];
    const DONE: [&str; 6] = [
        "打了四次客服电话,每次都让我等,没有人回复",
        "商家先答应换货,后来又说超过期限不给换",
        "上传了照片和发票,系统一直显示审核中",
        "维修点让我自己承担来回运费,我不接受",
        "站点的人态度很差,说爱去哪里投诉就去哪里投诉",
        "要求退款,订单却被关闭了",
    ];
    const WANT: [&str; 5] = [
        "希望尽快全额退款并上门取件",
        "请给我换一个新的,不要再寄旧的",
        "请核实责任并书面答复我",
        "要求赔偿我误工的损失",
        "希望你们管管这样的店",
    ];
    (0..count)
        .map(|seed| {
            let mut dice = Dice::new(seed + 1_000);
            let day = dice.below(28) + 1;
            let number = dice.below(900_000) + 100_000;
            format!(
                "我{day}号在你们这里购买的{},订单尾号{number}。{}。{}。{}。{}。",
                dice.pick(&WHAT),
                dice.pick(&WRONG),
                dice.pick(&DONE),
                dice.pick(&DONE),
                dice.pick(&WANT),
            )
        })
        .collect()
}

#[test]
fn own_texts_told_again_are_found_again() {
    let [typo, reorder, paraphrase] = report("own", &own(300));
    assert!(percent(typo.found, typo.told) > 99.0 && percent(typo.suggested, typo.told) > 90.0);
    assert!(percent(reorder.found, reorder.told) > 99.0 && percent(reorder.suggested, reorder.told) > 85.0);
    assert!(percent(paraphrase.found, paraphrase.told) > 95.0);
}

/// The texts of a column of a file, as many as wanted.
fn real(name: &str, column: &str, most: usize) -> Vec<String> {
    let Some(folder) = std::env::var_os("REDRESS_DATA") else {
        panic!("REDRESS_DATA does not name the folder with {name}");
    };
    let file = File::open(PathBuf::from(folder).join(name)).expect("the file is there");
    let mut rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let at = rows.headers().expect("a header").iter().position(|name| name == column).expect("the column");
    let texts = rows.records().map(|row| row.expect("a row")[at].to_owned());
    texts.filter(|text| text.chars().count() >= 40).take(most).collect()
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn real_complaints_told_again_are_found_again() {
    let files = [
        ("en_cfpb_narratives_3947.csv.gz", "Consumer complaint narrative"),
        ("zh_gov_messages_with_replies_2816.csv.gz", "留言详情"),
    ];
    for (name, column) in files {
        let [typo, reorder, paraphrase] = report(name, &real(name, column, 2_000));
        assert!(percent(typo.found, typo.told) > 99.0);
        assert!(percent(reorder.found, reorder.told) > 99.0);
        assert!(percent(paraphrase.found, paraphrase.told) > 90.0);
    }
}
