//! A text as UTF-8, whatever encoding it is written in.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, Encoding};

/// Stands for bytes that the encoding does not have: no UTF-8 has it, so that a row
/// with it is refused, and no other.
const BROKEN: u8 = 0xff;
/// Bytes read, and decoded, at once.
const BLOCK: usize = 64 * 1024;

/// A text in some encoding, read as UTF-8 without its mark; what cannot be decoded
/// reads as a byte that no UTF-8 has.
pub(crate) struct Decoded<R> {
    from: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    /// What of it is not decoded yet.
    rest: std::ops::Range<usize>,
    text: Vec<u8>,
    /// What of it is not read yet.
    ready: std::ops::Range<usize>,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// Decodes from here on.
    pub(crate) fn new(from: R, encoding: &'static Encoding) -> Self {
        Self {
            from,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BLOCK],
            rest: 0..0,
            text: vec![0; BLOCK],
            ready: 0..0,
            ended: false,
        }
    }

    /// Decodes what there is, until something is there to be read or all is.
    fn decode(&mut self) -> io::Result<()> {
        while self.ready.is_empty() && !self.ended {
            if self.rest.is_empty() {
                let read = self.from.read(&mut self.raw)?;
                self.rest = 0..read;
            }
            let last = self.rest.is_empty();
            // Room is left for what stands for a broken place.
            let room = self.text.len() - 1;
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.rest.clone()],
                &mut self.text[..room],
                last,
            );
            self.rest.start += read;
            self.ready = 0..written;
            match result {
                DecoderResult::Malformed(..) => {
                    self.text[written] = BROKEN;
                    self.ready.end += 1;
                }
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decode()?;
        let taken = self.ready.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.text[self.ready.start..self.ready.start + taken]);
        self.ready.start += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GB18030, UTF_8, UTF_16BE, UTF_16LE};
    use tables::encoding::recognised;

    use super::*;

    const CHINESE: &str = "编号,主题,内容\n1,快递丢件,快递员把包裹弄丢了，至今没有人联系我。\n\
                           2,退款未到,商家答应三天退款，已经两周了还没有到账。\n";

    fn wide(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        Decoded::new(bytes, recognised(bytes, &[]).encoding).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn a_text_is_the_same_in_whatever_encoding() {
        for (mark, big) in [(true, true), (true, false), (false, true), (false, false)] {
            let bytes = wide(CHINESE, mark, big);
            let right = if big { UTF_16BE } else { UTF_16LE };
            assert_eq!(recognised(&bytes, &[]).encoding, right, "mark {mark}");
            assert_eq!(decoded(&bytes), CHINESE.as_bytes());
        }
        for text in [GB18030.encode(CHINESE).0.into_owned(), format!("\u{feff}{CHINESE}").into_bytes()] {
            assert_eq!(decoded(&text), CHINESE.as_bytes(), "without its mark");
        }
    }

    #[test]
    fn a_broken_place_changes_nothing_else() {
        let mut bytes = CHINESE.repeat(3).into_bytes();
        let place = bytes.len() - 3;
        bytes[place] = 0xff;
        bytes[5] = 0xfe;
        assert_eq!(recognised(&bytes, &[]).encoding, UTF_8);
        let text = decoded(&bytes);
        // Begun and broken off, and what cannot begin: two in the first, three in the last.
        assert_eq!(text.split(|byte| *byte == BROKEN).count(), 1 + 5);
        assert!(String::from_utf8_lossy(&text).contains("商家答应三天退款"));
    }
}
