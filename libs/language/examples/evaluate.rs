//! Learns and evaluates on a split of your own, so that another program can be given
//! the same:
//!
//!     cargo run --release -p language --example evaluate -- split.tsv
//!
//! A line is `train` or `test`, the class, the text, with tabs between. Printed are
//! the figures of every class, and how long a text takes.

use std::io::{self, Write as _};
use std::time::Instant;

use language::{Evaluation, Example, Model, learn};

fn main() -> io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name a file with the split"));
    };
    let split = std::fs::read_to_string(path)?;
    let part = |wanted: &str| -> Vec<Example<'_>> {
        let rows = split.lines().filter_map(|line| line.split_once('\t'));
        let of_part = rows.filter(|(part, _)| *part == wanted).filter_map(|(_, row)| row.split_once('\t'));
        of_part.map(|(class, text)| Example { class, text }).collect()
    };
    let (seen, held_out) = (part("train"), part("test"));
    let begun = Instant::now();
    let model = learn(&seen).map_err(io::Error::other)?;
    let learning = begun.elapsed();
    let bytes = model.to_bytes();
    let model = Model::from_bytes(&bytes).map_err(io::Error::other)?;
    let begun = Instant::now();
    let found = Evaluation::of(&model, &held_out).confusion;
    let texts = u32::try_from(held_out.len().max(1)).unwrap_or(u32::MAX);
    let each = begun.elapsed() / texts;
    let mut out = io::stdout().lock();
    for class in found.of_classes() {
        let (precision, recall, f1) = (class.precision, class.recall, class.f1);
        writeln!(out, "{precision:.3} {recall:.3} {f1:.3} {:6} {}", class.texts, class.class)?;
    }
    let (macro_f1, accuracy) = (found.macro_f1(), found.accuracy());
    writeln!(out, "macro-F1 {macro_f1:.4}, accuracy {accuracy:.4}")?;
    writeln!(out, "learnt in {learning:.1?}: {} terms, {} bytes; {each:?} a text", model.terms(), bytes.len())
}
