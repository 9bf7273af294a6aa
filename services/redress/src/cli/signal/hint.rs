//! A hint as people write it on a command line: `stock@warehouse,category=goods,text=Count it`.

use proto::redress::feedback::v1::{ProblemTaskKind, SignalHint, SignalSeries};
use show::words;

/// Reads a hint; its text comes last.
pub(super) fn read(text: &str) -> Result<SignalHint, String> {
    let (text, instructions) = text.split_once(",text=").unwrap_or((text, ""));
    let mut parts = text.split(',');
    let (kind, department) = parts
        .next()
        .and_then(|head| head.split_once('@'))
        .ok_or("must begin with KIND@DEPARTMENT, as stock@warehouse")?;
    let mut series = SignalSeries::default();
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} must be NAME=VALUE"))?;
        match name {
            "category" => value.clone_into(&mut series.category),
            "product" => value.clone_into(&mut series.product),
            "region" => value.clone_into(&mut series.region),
            other => return Err(format!("{other:?} is none of category, product, region, text")),
        }
    }
    Ok(SignalHint {
        kind: words::read::<ProblemTaskKind>(kind)?.into(),
        department_id: department.to_owned(),
        series: (series != SignalSeries::default()).then_some(series),
        instructions: instructions.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_what_whom_and_of_which_signals() {
        let hint = read("recall@quality,category=goods/damaged,region=CN-SH,text=Count, then say").unwrap();
        assert_eq!((hint.kind(), hint.department_id.as_str()), (ProblemTaskKind::Recall, "quality"));
        let series = hint.series.unwrap();
        assert_eq!((series.category.as_str(), series.region.as_str()), ("goods/damaged", "CN-SH"));
        assert_eq!(hint.instructions, "Count, then say");
        assert_eq!(read("stock@warehouse").unwrap().series, None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, sentence) in [
            ("stock", "must begin with KIND@DEPARTMENT"),
            ("magic@warehouse", "must be one of stock, recall"),
            ("stock@warehouse,colour=red", "none of category"),
            ("stock@warehouse,red", "must be NAME=VALUE"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }
}
