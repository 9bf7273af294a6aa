//! Paths, and those that are not followed.

use posts::{InvalidPath, Path};
use proptest::prelude::*;
use serde_json::{Value, json};

fn found(path: &str, document: &Value) -> Vec<Value> {
    Path::parse(path).unwrap().find(document).into_iter().cloned().collect()
}

#[test]
fn paths_lead_where_the_standard_says() {
    let document = json!({
        "data": [{"text": "a", "user": {"name": "Ann"}}, {"text": "b", "kind": "ad"}],
        "it's": {"x,y": 1, "$": 2, "a..b": 3},
    });
    for (path, expected) in [
        ("$.data[*].text", vec![json!("a"), json!("b")]),
        ("$.data[0].user.name", vec![json!("Ann")]),
        ("$.data[-1].text", vec![json!("b")]),
        ("$..name", vec![json!("Ann")]),
        ("$.data[?@.kind == 'ad'].text", vec![json!("b")]),
        ("$.data[?!@.kind].text", vec![json!("a")]),
        ("$['it\\'s']['x,y']", vec![json!(1)]),
        ("$[\"it's\"]['$']", vec![json!(2)]),
        ("$[\"it's\"]['a..b']", vec![json!(3)]),
        ("$.nothing", vec![]),
    ] {
        assert_eq!(found(path, &document), expected, "{path}");
    }
}

#[test]
fn what_might_visit_too_much_is_refused() {
    let long = format!("$.{}", "a".repeat(300));
    let deep = "$".to_owned() + &".a".repeat(17);
    for (path, expected) in [
        (long.as_str(), InvalidPath::TooLong),
        (&deep, InvalidPath::TooManySegments),
        ("$..a..b", InvalidPath::SecondDescent),
        ("$[?@..a]..b", InvalidPath::SecondDescent),
        ("$[0,1]", InvalidPath::SeveralSelectors),
        ("$[?$.a == 1]", InvalidPath::RootInFilter),
        ("$[?match(@.a, '(a*)*b')]", InvalidPath::SeveralSelectors),
    ] {
        assert_eq!(Path::parse(path), Err(expected), "{path}");
    }
    for path in ["", "a", "$.", "$[", "text", "$.a b", "$['a"] {
        assert!(matches!(Path::parse(path), Err(InvalidPath::NoPath(_))), "{path}");
    }
}

proptest! {
    #[test]
    fn what_is_read_of_a_path_never_breaks_and_finds_no_more_than_there_is(
        path in "\\$(\\.\\.?[ab*]|\\[[0-9*]\\]|\\[\\?@(\\.[ab*])?\\]|\\['[ab,$.]{0,3}'\\]){0,8}",
        depth in 0_usize..5,
    ) {
        let mut document = json!(1);
        let mut count = 1;
        for _ in 0..depth {
            document = json!({"a": document, "b": [document]});
            count = 2 * count + 2;
        }
        if let Ok(path) = Path::parse(&path) {
            prop_assert!(path.find(&document).len() <= count);
        }
    }
}
