//! A step of a plan as people write it on a command line:
//! `swap=exchange@warehouse,goods=SKU-7*1,after=money`, or, of a type of one's own,
//! `card=custom@shop,type=gift-card,input={"value": 50}`, whose input comes last.

use proto::redress::resolution::v1::{Goods, RemedyKind, Step};
use show::lines::read_money;
use show::words;

/// Reads a step.
pub(crate) fn read(text: &str) -> Result<Step, String> {
    let (text, input) = text.split_once(",input=").unwrap_or((text, ""));
    let mut parts = text.split(',');
    let (step_id, what) =
        parts.next().and_then(|head| head.split_once('=')).ok_or("must begin with ID=KIND@DEPARTMENT")?;
    let (kind, department) = what.split_once('@').ok_or("must say who does it: KIND@DEPARTMENT")?;
    let mut step = Step {
        step_id: step_id.to_owned(),
        kind: words::read::<RemedyKind>(kind)?.into(),
        department_id: department.to_owned(),
        input: input.to_owned(),
        ..Step::default()
    };
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} must be NAME=VALUE"))?;
        match name {
            "amount" => step.amount = Some(read_money(value)?),
            "goods" => step.goods = Some(goods(value)?),
            "after" => step.depends_on = value.split('+').map(str::to_owned).collect(),
            "note" => value.clone_into(&mut step.instructions),
            "type" => value.clone_into(&mut step.remedy_type),
            other => return Err(format!("{other:?} is none of amount, goods, after, note, type, input")),
        }
    }
    Ok(step)
}

/// `SKU*2`, or `SKU` for one.
pub(crate) fn goods(text: &str) -> Result<Goods, String> {
    let (sku, quantity) = text.rsplit_once('*').unwrap_or((text, "1"));
    let quantity = quantity.parse().map_err(|_| format!("goods are SKU*QUANTITY, unlike {text:?}"))?;
    Ok(Goods { sku: sku.to_owned(), quantity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_what_who_and_after_what() {
        let step = read("swap=exchange@warehouse,goods=SKU-7*2,after=money+sorry,note=gift wrap").unwrap();
        assert_eq!(step.step_id, "swap");
        assert_eq!(step.kind(), RemedyKind::Exchange);
        assert_eq!(step.department_id, "warehouse");
        assert_eq!(step.goods, Some(Goods { sku: "SKU-7".into(), quantity: 2 }));
        assert_eq!(step.depends_on, ["money", "sorry"]);
        assert_eq!(step.instructions, "gift wrap");
        let step = read("money=refund@finance,amount=CNY 128.50").unwrap();
        assert_eq!(step.amount.map(|sum| (sum.units, sum.nanos)), Some((128, 500_000_000)));
    }

    #[test]
    fn a_step_of_a_type_of_ones_own_has_its_input_last() {
        let step = read(r#"card=custom@,type=gift-card,note=gold,input={"value": 50, "to": "a=b"}"#).unwrap();
        assert_eq!((step.kind(), step.department_id.as_str()), (RemedyKind::Custom, ""));
        assert_eq!((step.remedy_type.as_str(), step.instructions.as_str()), ("gift-card", "gold"));
        assert_eq!(step.input, r#"{"value": 50, "to": "a=b"}"#);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, sentence) in [
            ("refund", "must begin with ID=KIND@DEPARTMENT"),
            ("a=refund", "must say who does it"),
            ("a=magic@finance", "must be one of apology"),
            ("a=refund@finance,amount=9", "must be a currency and a sum"),
            ("a=exchange@warehouse,goods=x*many", "goods are SKU*QUANTITY"),
            ("a=repair@quality,colour=red", "none of amount"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }
}
