//! Breaks text into lines of a width; Chinese breaks anywhere.

use terminal::measure_text_width;

/// The lines of a text, each at most so wide, broken where the text is as well; one line where
/// there is no width.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.split_whitespace().collect::<Vec<_>>().join(" ")] };
    let mut lines = Lines { width, done: Vec::new(), line: String::new(), used: 0 };
    for (number, part) in text.lines().enumerate() {
        if number > 0 && lines.used > 0 {
            lines.feed();
        }
        for word in part.split_whitespace() {
            lines.word(word);
        }
    }
    lines.end()
}

struct Lines {
    width: usize,
    done: Vec<String>,
    line: String,
    used: usize,
}

impl Lines {
    fn word(&mut self, word: &str) {
        let wide = measure_text_width(word);
        let gap = usize::from(self.used > 0);
        // A word that is a sentence fills the line up; others begin the next.
        let breaks = wide > self.width / 2;
        if self.used + gap + wide > self.width && !breaks {
            self.feed();
        }
        if self.used > 0 {
            self.line.push(' ');
            self.used += 1;
        }
        for letter in word.chars() {
            let wide = measure_text_width(letter.encode_utf8(&mut [0; 4]));
            if self.used + wide > self.width && self.used > 0 {
                self.feed();
            }
            self.line.push(letter);
            self.used += wide;
        }
    }

    fn feed(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.done.push(line.trim_end().to_owned());
        self.used = 0;
    }

    fn end(mut self) -> Vec<String> {
        if self.used > 0 || self.done.is_empty() {
            self.feed();
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_text_stay_lines() {
        assert_eq!(wrap("found: sealed\n\nasked: who?", Some(40)), ["found: sealed", "asked: who?"]);
        assert_eq!(wrap("found: sealed\nasked: who?", None), ["found: sealed asked: who?"]);
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("to be or not to be", Some(9)), ["to be or", "not to be"]);
        assert_eq!(wrap("to be\nor not", None), ["to be or not"]);
        assert_eq!(wrap("", Some(9)), [""]);
    }

    #[test]
    fn chinese_breaks_anywhere() {
        assert_eq!(
            wrap("decided: 情况属实，我们向您致歉", Some(14)),
            ["decided: 情况", "属实，我们向您", "致歉"]
        );
    }

    #[test]
    fn nothing_is_wider_than_asked() {
        for line in wrap(
            "finance takes refund; sofia.rossi-with-a-very-long-name is the only one 部分情况属实",
            Some(20),
        ) {
            assert!(measure_text_width(&line) <= 20, "{line}");
        }
    }
}
