//! Bars of blocks, and two columns side by side.

use terminal::{Alignment, measure_text_width, pad_str, style};

/// Longest a bar gets.
const BAR_MAX: usize = 22;
/// Groups shown; the rest are summed up.
const GROUPS: usize = 14;

/// A bar per group under a heading, within a width.
pub(super) fn chart(heading: &str, groups: &[(String, u64)], width: usize) -> Vec<String> {
    let mut groups = groups.to_vec();
    if groups.len() > GROUPS {
        let rest = groups.split_off(GROUPS - 1).iter().map(|(_, count)| count).sum();
        groups.push(("others".to_owned(), rest));
    }
    let most = groups.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let name = groups.iter().map(|(name, _)| measure_text_width(name)).max().unwrap_or(0);
    let room = width.saturating_sub(name + 10).min(BAR_MAX);
    let mut lines = vec![style(heading).bold().to_string()];
    for (group, count) in &groups {
        let group = pad_str(group, name, Alignment::Left, None);
        lines.push(format!("  {group} {count:>5} {}", style(bar(*count, most, room)).cyan()));
    }
    lines.push(String::new());
    lines
}

/// A bar in eighths of a block; something is never nothing.
fn bar(count: u64, most: u64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let room = u64::try_from(room).unwrap_or(0);
    let eighths = (count * room * 8 / most).max(u64::from(count > 0));
    let whole = usize::try_from(eighths / 8).unwrap_or(0);
    let part = usize::try_from(eighths % 8).unwrap_or(0);
    "█".repeat(whole) + EIGHTHS[part]
}

/// Two columns of lines side by side.
pub(super) fn beside(left: &[String], right: &[String], width: usize) -> String {
    let mut text = String::new();
    for row in 0..left.len().max(right.len()) {
        let left = left.get(row).map_or("", String::as_str);
        let right = right.get(row).map_or("", String::as_str);
        let line = format!("  {}  {right}", pad_str(left, width, Alignment::Left, Some("…")));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    while text.ends_with("\n\n") {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 1000, 4), "▏");
        assert_eq!(bar(0, 10, 4), "");
    }

    #[test]
    fn what_is_too_much_is_summed_up() {
        let groups: Vec<_> = (0..20).map(|group| (format!("group {group}"), 1)).collect();
        let lines = chart("by group", &groups, 40);
        assert_eq!(lines.len(), GROUPS + 2);
        assert!(lines[GROUPS].starts_with("  others       7 "), "{}", lines[GROUPS]);
    }

    #[test]
    fn columns_stand_side_by_side() {
        let text = beside(&["a".into(), "燃气".into()], &["b".into()], 6);
        assert_eq!(text, "  a       b\n  燃气\n");
    }
}
