//! What is learnt from small sets of our own.

use proptest::prelude::*;

use super::*;

const TEXTS: [(&str, &str); 24] = [
    ("delivery", "The parcel arrived three days late"),
    ("delivery", "My parcel has still not arrived, the courier lost it"),
    ("delivery", "The courier left the parcel in the rain"),
    ("delivery", "Courier never rang, parcel returned to the depot"),
    ("delivery", "快递一直没有送到,物流信息不更新"),
    ("delivery", "快递员把包裹丢在门口,物流太慢"),
    ("delivery", "物流延误,包裹十天没有送到"),
    ("delivery", "包裹丢了,快递公司不赔"),
    ("billing", "I was charged twice on my invoice"),
    ("billing", "The invoice shows a fee nobody told me of"),
    ("billing", "Charged a late fee although the invoice was paid"),
    ("billing", "Wrong amount charged to my card, see invoice"),
    ("billing", "账单多扣了一笔费用"),
    ("billing", "发票金额不对,多收费用"),
    ("billing", "账单重复扣费,要求退回"),
    ("billing", "乱扣费用,账单看不懂"),
    ("staff", "The agent was rude and hung up on me"),
    ("staff", "Rude staff, the manager laughed at me"),
    ("staff", "Your manager was rude to my mother"),
    ("staff", "The agent shouted, rude and unhelpful staff"),
    ("staff", "客服态度恶劣,直接挂电话"),
    ("staff", "店员态度差,对老人大喊"),
    ("staff", "客服态度冷淡,不回答问题"),
    ("staff", "经理态度蛮横,客服推诿"),
];

fn examples() -> Vec<Example<'static>> {
    TEXTS.iter().map(|(class, text)| Example { class, text }).collect()
}

#[test]
fn new_texts_in_both_languages_are_told_apart() {
    let model = learn(&examples()).unwrap();
    let cases = [
        ("where is my parcel, the courier is late", "delivery"),
        ("包裹没有送到", "delivery"),
        ("the invoice is wrong, I was charged too much", "billing"),
        ("多扣了费用", "billing"),
        ("such a rude agent", "staff"),
        ("客服的态度太差了", "staff"),
    ];
    for (text, class) in cases {
        assert_eq!(model.classify(text).class, class, "{text}");
    }
}

#[test]
fn a_text_without_a_known_word_has_no_confidence() {
    let model = learn(&examples()).unwrap();
    assert!(model.classify("zzz").confidence.abs() < 1e-9);
    assert!(model.classify("").confidence.abs() < 1e-9);
    let sum: f32 = model.ranking("the rude courier").iter().map(|verdict| verdict.confidence).sum();
    assert!((sum - 1.0).abs() < 1e-5);
}

#[test]
fn the_same_texts_give_the_same_model() {
    assert_eq!(train(&examples()), train(&examples()));
}

#[test]
fn a_few_texts_all_right_make_no_model_certain() {
    let (model, evaluation) = train(&examples()).unwrap();
    assert_eq!(evaluation.confusion.texts(), 6);
    let most = TEXTS.iter().map(|(_, text)| model.classify(text).confidence).fold(0.0, f32::max);
    assert!(most < 0.999, "{most}");
}

#[test]
fn learning_from_too_little_is_refused() {
    let one = [Example { class: "a", text: "x y" }, Example { class: "a", text: "x y" }];
    assert_eq!(learn(&one), Err(TooLittle::OneClass));
    let apart = [Example { class: "a", text: "one" }, Example { class: "b", text: "two" }];
    assert_eq!(learn(&apart), Err(TooLittle::NothingInCommon));
    assert_eq!(learn(&[]), Err(TooLittle::OneClass));
}

proptest! {
    #[test]
    fn a_split_loses_nothing_and_holds_out_a_fifth_of_each_class(sizes in proptest::collection::vec(0_usize..40, 1..6)) {
        let names: Vec<String> = (0..sizes.len()).map(|class| format!("class {class}")).collect();
        let texts: Vec<String> = (0..40).map(|text| format!("text {text}")).collect();
        let examples: Vec<Example<'_>> = sizes
            .iter()
            .zip(&names)
            .flat_map(|(size, class)| texts.iter().take(*size).map(move |text| Example { class, text }))
            .collect();
        let (seen, held_out) = split(&examples);
        for (size, name) in sizes.iter().zip(&names) {
            let count = |part: &[Example<'_>]| part.iter().filter(|example| example.class == name).count();
            prop_assert_eq!(count(&seen) + count(&held_out), *size);
            let held = if *size < 2 { 0 } else { size.div_ceil(HELD_OUT) };
            prop_assert_eq!(count(&held_out), held);
        }
        let mut all = [seen, held_out].concat();
        all.sort_by_key(|example| (example.class, example.text));
        all.dedup();
        prop_assert_eq!(all.len(), examples.len());
    }

    #[test]
    fn any_texts_make_a_model_or_a_refusal(texts in proptest::collection::vec(("[ab]", "[a-c ]{0,12}"), 0..12)) {
        let examples: Vec<Example<'_>> =
            texts.iter().map(|(class, text)| Example { class, text }).collect();
        if let Ok((model, _)) = train(&examples) {
            for example in &examples {
                let verdict = model.classify(example.text);
                prop_assert!((0.0..=1.0).contains(&verdict.confidence));
            }
        }
    }
}
