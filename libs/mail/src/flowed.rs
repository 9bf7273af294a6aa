//! `format=flowed` (RFC 3676): lines that end with a blank go on with the next one.

/// The text with its lines put together; `deletes_blank` is the parameter `DelSp`, with
/// which the blank at the end of a line is no part of the text.
pub(crate) fn unwrapped(text: &str, deletes_blank: bool) -> String {
    let (mut lines, mut goes_on): (Vec<(usize, String)>, bool) = (Vec::new(), false);
    for line in text.split('\n') {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let rest = line.get(depth..).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        // A signature begins here: no line goes on into it, nor it into the next.
        let is_signature = rest == "-- ";
        let is_flowed = rest.ends_with(' ') && !is_signature;
        let rest = if is_flowed && deletes_blank { rest.strip_suffix(' ').unwrap_or(rest) } else { rest };
        match lines.last_mut() {
            Some((last, text)) if goes_on && *last == depth && !is_signature => text.push_str(rest),
            _ => lines.push((depth, rest.to_owned())),
        }
        goes_on = is_flowed;
    }
    let whole = |(depth, text): &(usize, String)| {
        let blank = if *depth > 0 && !text.is_empty() { " " } else { "" };
        format!("{}{blank}{text}", ">".repeat(*depth))
    };
    lines.iter().map(whole).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_as_far_as_they_are_of_one_quote() {
        let text = "My parcel \nis lost.\n\n>> I am \n>> sorry.\n> Really? \nYes \n\n-- \nAda";
        assert_eq!(
            unwrapped(text, false),
            "My parcel is lost.\n\n>> I am sorry.\n> Really? \nYes \n-- \nAda"
        );
    }

    #[test]
    fn a_blank_may_be_only_a_mark_and_a_line_be_stuffed() {
        assert_eq!(
            unwrapped("包裹 \n坏了\n >not quoted\n From here", true),
            "包裹坏了\n>not quoted\nFrom here"
        );
        assert_eq!(unwrapped("", false), "");
        assert_eq!(unwrapped("a\n", false), "a\n");
    }
}
