//! Ways in which the same complaint is told again: with slips of the finger, in
//! another order, in other words. Deterministic: a seed gives the same text.

/// Numbers that look random, from a seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(super::sketch::hash([seed].into_iter()))
    }

    /// A number below another.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = super::sketch::hash([self.0].into_iter());
        usize::try_from(self.0 >> 8).unwrap_or_default() % end.max(1)
    }

    pub(super) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// One way of telling it again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    /// A letter in forty is left out, doubled, or swapped with the next.
    Typo,
    /// The sentences come in another order.
    Reorder,
    /// Words are said otherwise, as far as the list of synonyms goes; a greeting
    /// before, a wish after.
    Paraphrase,
}

impl Operator {
    pub(super) const ALL: [Self; 3] = [Self::Typo, Self::Reorder, Self::Paraphrase];

    pub(super) fn apply(self, text: &str, dice: &mut Dice) -> String {
        match self {
            Self::Typo => typo(text, dice),
            Self::Reorder => reorder(text, dice),
            Self::Paraphrase => paraphrase(text, dice),
        }
    }
}

fn typo(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..letters.len().div_ceil(40) {
        let at = dice.below(letters.len());
        match dice.below(3) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letters[at]),
            _ if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => {}
        }
    }
    letters.into_iter().collect()
}

fn reorder(text: &str, dice: &mut Dice) -> String {
    let mut sentences: Vec<&str> = text.split_inclusive(['。', '!', '?', ';', ',', '.', ',', '\n']).collect();
    for end in (1..sentences.len()).rev() {
        sentences.swap(end, dice.below(end + 1));
    }
    sentences.concat()
}

/// Words that say the same, in the words of complaints.
const SYNONYMS: [(&str, &str); 40] = [
    ("客服", "客户服务人员"),
    ("电话", "热线"),
    ("退款", "退钱"),
    ("退货", "把货退掉"),
    ("质量", "品质"),
    ("很差", "特别不好"),
    ("没有", "并未"),
    ("收到", "拿到"),
    ("快递", "物流"),
    ("购买", "买"),
    ("投诉", "反映"),
    ("希望", "恳请"),
    ("解决", "处理"),
    ("问题", "情况"),
    ("多次", "好几回"),
    ("一直", "始终"),
    ("态度", "服务态度"),
    ("要求", "请求"),
    ("商家", "卖家"),
    ("订单", "单子"),
    ("received", "got"),
    ("customer service", "the support desk"),
    ("refund", "money back"),
    ("broken", "damaged"),
    ("called", "rang"),
    ("phone", "telephone"),
    ("payment", "transfer"),
    ("account", "profile"),
    ("because", "since"),
    ("never", "not once"),
    ("company", "firm"),
    ("help", "assistance"),
    ("told me", "said to me"),
    ("bought", "purchased"),
    ("again", "once more"),
    ("credit", "card"),
    ("information", "data"),
    ("report", "file"),
    ("bank", "branch"),
    ("letter", "note"),
];

fn paraphrase(text: &str, dice: &mut Dice) -> String {
    let mut told = text.to_owned();
    for (one, other) in SYNONYMS {
        told = told.replace(one, other);
    }
    let chinese = text.chars().any(|c| c > '\u{3000}');
    let (before, after) = if chinese {
        (["您好,", "你们好,我想说一件事,", "麻烦看一下,"], ["谢谢。", "请尽快回复我。", "等待答复。"])
    } else {
        (
            ["Hello, ", "Good day. ", "To whom it may concern: "],
            [" Thanks.", " Please answer soon.", " I await word."],
        )
    };
    format!("{}{told}{}", dice.pick(&before), dice.pick(&after))
}
