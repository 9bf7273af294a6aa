//! Telephone numbers, as people write them.

use proptest::prelude::*;
use tables::phone::{Country, NotAPhone, normalised};

fn read(country: &str, text: &str) -> Result<String, NotAPhone> {
    normalised(text, Country::named(country).unwrap())
}

#[test]
fn numbers_are_told_as_e_164() {
    let cases = [
        ("CN", "13812345678", "+8613812345678"),
        ("CN", "+86 138 1234 5678", "+8613812345678"),
        ("CN", "+86138-1234-5678", "+8613812345678"),
        ("CN", "0086 138 1234 5678", "+8613812345678"),
        ("CN", "0086-10-6552-9988", "+861065529988"),
        ("CN", "(010) 6552-9988", "+861065529988"),
        ("CN", "（０１０）６５５２－９９８８", "+861065529988"),
        ("CN", "＋８６　１３８１２３４５６７８", "+8613812345678"),
        ("CN", "tel:+86-10-6552-9988", "+861065529988"),
        ("CN", "010-65529988转8001", "+861065529988;ext=8001"),
        ("CN", "010-65529988 分机：8001", "+861065529988;ext=8001"),
        ("CN", "010-65529988 ext. 8001", "+861065529988;ext=8001"),
        ("CN", "tel:+861065529988;ext=8001", "+861065529988;ext=8001"),
        ("CN", "400-810-8888", "+864008108888"),
        ("CN", "001 202 555 0123", "+12025550123"),
        ("CN", "+852 2345 6789", "+85223456789"),
        ("TW", "0912-345-678", "+886912345678"),
        ("DE", "030 901820", "+4930901820"),
        ("DE", "+49 (0)30 901820", "+4930901820"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("US", "(202) 555-0123 x12", "+12025550123;ext=12"),
        ("IT", "06 69812345", "+390669812345"),
    ];
    for (country, text, told) in cases {
        assert_eq!(read(country, text).as_deref(), Ok(told), "{text}");
    }
}

#[test]
fn a_masked_number_stays_as_it_is() {
    for masked in ["138****1234", "138XXXX1234", "138 **** 1234", "＊＊＊＊１２３４５６７", "+86 138****1234"]
    {
        assert_eq!(read("CN", masked).as_deref(), Ok(masked), "{masked}");
    }
}

#[test]
fn what_is_no_number_is_refused_by_name() {
    use NotAPhone::{NoSuch, Other, Several};
    let cases = [
        ("", Other),
        ("abc", Other),
        ("none", Other),
        ("****", Other),
        ("1381234567a", Other),
        ("138+12345678", Other),
        ("010-65529988 ext.", Other),
        ("138123456", NoSuch),
        ("110", NoSuch),
        ("95555", NoSuch),
        ("12345678901234567890", NoSuch),
        ("010-65529988-8001", NoSuch),
        ("13812345678/13912345678", Several),
        ("13812345678、13912345678", Several),
    ];
    for (text, why) in cases {
        assert_eq!(read("CN", text), Err(why), "{text:?}");
    }
    assert!(Country::named("XX").is_err() && Country::named("China").is_err());
    assert!(Country::named("cn").is_ok());
}

proptest! {
    /// What was told once is told again.
    #[test]
    fn what_is_normalised_stays_so(tail in 0_u32..100_000_000, ext in proptest::option::of(1_u32..9_999)) {
        let number = format!("138{tail:08}");
        let text = ext.map_or(number.clone(), |ext| format!("{number}转{ext}"));
        let once = read("CN", &text).unwrap();
        prop_assert!(once.starts_with(&format!("+86{number}")), "{}", once);
        prop_assert_eq!(read("CN", &once), Ok(once.clone()));
    }

    /// No text makes it panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9０-９+() *x.;ext转]{0,40}") {
        let _ = read("CN", &text);
    }
}
