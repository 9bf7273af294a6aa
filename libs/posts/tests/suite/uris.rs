//! One text for the addresses of one page.

use posts::normalized_uri;
use proptest::prelude::*;

#[test]
fn addresses_of_one_page_are_one() {
    let one = "https://x.example/ann/status/7";
    for other in [
        "https://x.example/ann/status/7",
        "http://x.example/ann/status/7/",
        "HTTPS://X.Example:443/ann/status/7",
        "http://x.example:80/ann/status/7//",
        "https://x.example/ann/status/7?utm_source=app&UTM_Medium=x",
        "https://x.example/ann/status/7?fbclid=1&spm=a.b#top",
        " https://user:secret@x.example/ann/status/7? ",
    ] {
        assert_eq!(normalized_uri(other).as_deref(), Some(one), "{other}");
    }
}

#[test]
fn addresses_of_other_pages_are_others() {
    for (text, expected) in [
        ("https://x.example", Some("https://x.example/")),
        ("https://x.example/a?id=2&b=1", Some("https://x.example/a?b=1&id=2")),
        ("https://x.example/a?id=1&utm_source=x", Some("https://x.example/a?id=1")),
        ("https://x.example:8443/a", Some("https://x.example:8443/a")),
        ("https://x.example/#!/a", Some("https://x.example/#!/a")),
        ("https://微博.example/a", Some("https://xn--3-8z5e.example/a")),
        ("javascript:alert(1)", None),
        ("ftp://x.example/a", None),
        ("x.example/a", None),
        ("", None),
    ] {
        let normal = normalized_uri(text);
        if text.contains('微') {
            assert!(normal.is_some_and(|normal| normal.is_ascii()), "a name in Punycode");
        } else {
            assert_eq!(normal.as_deref(), expected, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn normalizing_again_changes_nothing(
        text in "(http|https|HTTP)://[a-zA-Z]{1,8}\\.(example|test)(:[0-9]{1,4})?(/[a-zA-Z0-9%./ 退-]{0,20})?(\\?[a-z_=&0-9;]{0,20})?(#[!a-z]{0,5})?",
    ) {
        if let Some(once) = normalized_uri(&text) {
            let twice = normalized_uri(&once);
            prop_assert_eq!(twice.as_ref(), Some(&once));
        }
    }

    #[test]
    fn where_a_reader_came_from_does_not_matter(
        path in "[a-z0-9/]{0,12}",
        query in "[a-z]{1,4}=[0-9]{1,3}",
        tracking in "(utm_[a-z]{1,8}|fbclid|gclid|igsh)=[a-z0-9]{0,8}",
        is_first in any::<bool>(),
    ) {
        let page = format!("https://x.example/{path}?{query}");
        let told = if is_first {
            format!("http://X.EXAMPLE/{path}/?{tracking}&{query}#f")
        } else {
            format!("http://X.EXAMPLE/{path}/?{query}&{tracking}#f")
        };
        prop_assert_eq!(normalized_uri(&told), normalized_uri(&page));
    }
}
