//! Words of the page of a case.

crate::words::phrases! {
    case_title(subject): "Case: {subject}", "案件：{subject}";
}
