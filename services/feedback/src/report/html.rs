//! A report as one HTML file: for a screen, a phone and for paper, light and dark. It is XML
//! as well, loads nothing and runs nothing.

use std::fmt::Write as _;

use charts::escaped;

use super::document::{Block, Cell, Chart, Document, Table, shown};
use super::section::Name;
use super::word::{Word, colon};

/// How it looks.
const STYLE: &str = include_str!("style.css");
/// The figures that stand large at the top.
const CARDS: usize = 8;
/// A table of so few columns has room beside its chart.
const BESIDE: usize = 7;
/// A section of so few rows is not parted by the end of a page.
const SHORT: usize = 12;

/// The page.
pub fn render(document: &Document) -> String {
    let language = document.language;
    let (title, kind) = (escaped(&document.title), escaped(&document.kind));
    let mut page = format!(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{tag}\" xml:lang=\"{tag}\">\n<head>\n\
         <meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><p class=\"kind\">{kind}</p><h1>{title}</h1>",
        tag = if language.tag() == "zh" { "zh-Hans" } else { language.tag() },
    );
    let notes = document.notes.iter().map(|note| format!("<li>{}</li>", escaped(note)));
    let _ = writeln!(page, "<ul class=\"notes\">{}</ul></header>", notes.collect::<String>());
    let _ = write!(page, "<nav aria-label=\"{0}\"><h2>{0}</h2><ol>", Word::Contents.of(language));
    for (place, block) in document.blocks.iter().enumerate() {
        let _ = write!(page, "<li><a href=\"#s{place}\">{}</a></li>", escaped(&block.title));
    }
    page.push_str("</ol></nav>\n<main>\n");
    for (place, block) in document.blocks.iter().enumerate() {
        section(&mut page, document, block, place);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn section(page: &mut String, document: &Document, block: &Block, place: usize) {
    let title = escaped(&block.title);
    let _ = write!(
        page,
        "<section id=\"s{place}\"{} aria-labelledby=\"h{place}\"><h2 id=\"h{place}\">{title}</h2><p class=\"lead\">{}</p>",
        if block.table.rows.len() <= SHORT { " class=\"short\"" } else { "" },
        escaped(&block.lead)
    );
    if block.name == Name::Headlines {
        cards(page, document, &block.table);
    }
    let is_drawn = block.chart.as_ref().filter(|chart| has_data(chart));
    let is_beside = is_drawn.is_some() && block.table.columns.len() <= BESIDE;
    let _ = write!(page, "<div class=\"{}\">", if is_beside { "both" } else { "one" });
    if let Some(chart) = is_drawn {
        let description = format!("{} {}", block.lead, Word::SeeTable.of(document.language));
        let drawn = charts::chart(chart, &format!("c{place}"), &block.title, &description);
        let _ = write!(page, "<figure>{drawn}{}</figure>", charts::legend(chart));
    }
    table(page, document, block);
    page.push_str("</div></section>\n");
}

fn has_data(chart: &Chart) -> bool {
    match chart {
        Chart::Lines { labels, .. } => !labels.is_empty(),
        Chart::Bars { rows, .. } => !rows.is_empty(),
        Chart::Heat(map) => !map.rows.is_empty(),
    }
}

/// The most important figures, large.
fn cards(page: &mut String, document: &Document, table: &Table) {
    page.push_str("<dl class=\"cards\">");
    for row in table.rows.iter().take(CARDS) {
        let cell =
            |place: usize| row.get(place).map(|cell| shown(cell, document.language)).unwrap_or_default();
        let (name, value, before) = (cell(0), cell(1), cell(4));
        let compared = table.columns.get(4).cloned().unwrap_or_default();
        let _ = write!(
            page,
            "<div><dt>{}</dt><dd class=\"big\">{}</dd><dd class=\"was\">{}{}{}</dd></div>",
            escaped(&name),
            escaped(&value),
            escaped(&compared),
            colon(document.language),
            escaped(&before)
        );
    }
    page.push_str("</dl>");
}

fn table(page: &mut String, document: &Document, block: &Block) {
    let Table { columns, rows, summed, notes } = &block.table;
    if rows.is_empty() {
        let _ = write!(page, "<div><p class=\"none\">{}</p>", Word::NothingCounted.of(document.language));
    } else {
        let _ = write!(
            page,
            "<div class=\"scroll\" tabindex=\"0\"><table><caption>{}</caption><thead><tr>",
            escaped(&block.title)
        );
        for column in columns {
            let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(column));
        }
        page.push_str("</tr></thead><tbody>");
        for row in rows {
            page.push_str("<tr>");
            for (place, cell) in row.iter().enumerate() {
                let text = shown(cell, document.language);
                let text = escaped(&text);
                let _ = if place == 0 {
                    write!(page, "<th scope=\"row\">{text}</th>")
                } else {
                    write!(page, "<td>{text}</td>")
                };
            }
            page.push_str("</tr>");
        }
        page.push_str("</tbody>");
        if let Some(totals) = totals(columns.len(), rows, summed) {
            let _ = write!(page, "<tfoot><tr><th scope=\"row\">{}</th>", Word::Total.of(document.language));
            for total in totals.iter().skip(1) {
                let text =
                    total.map(|total| shown(&Cell::Count(total), document.language)).unwrap_or_default();
                let _ = write!(page, "<td>{text}</td>");
            }
            page.push_str("</tr></tfoot>");
        }
        page.push_str("</table>");
    }
    for note in notes {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(note));
    }
    page.push_str("</div>");
}

/// What columns add up to; none where nothing may be added, or something is not told: the
/// rest would tell it.
pub fn totals(columns: usize, rows: &[Vec<Cell>], summed: &[usize]) -> Option<Vec<Option<i64>>> {
    let has_hidden = rows.iter().flatten().any(|cell| *cell == Cell::Suppressed);
    if summed.is_empty() || rows.len() < 2 || has_hidden {
        return None;
    }
    let count = |row: &Vec<Cell>, place: usize| match row.get(place) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    };
    let total =
        |place: usize| summed.contains(&place).then(|| rows.iter().map(|row| count(row, place)).sum());
    Some((0..columns).map(total).collect())
}
