//! In which encoding a file is written, and its text as UTF-8.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Stands for bytes that the encoding does not have: no UTF-8 has it, so that a row
/// with it is refused, and no other.
const BROKEN: u8 = 0xff;
/// Bytes read, and decoded, at once.
const BLOCK: usize = 64 * 1024;

/// The encoding people name: `gbk`, `utf-16le`, `windows-1252`, as browsers know them.
pub(crate) fn named(name: &str) -> Result<&'static Encoding, String> {
    let known = Encoding::for_label(name.trim().as_bytes());
    let known = known.ok_or_else(|| format!("{name} is no encoding: utf-8, gb18030, utf-16le, …"))?;
    Ok(if known == GBK { GB18030 } else { known })
}

/// The encoding of a text that begins like this; a guess, but for one that says so.
pub(crate) fn guessed(sample: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return encoding;
    }
    let (mut broken, mut known) = (0, 0);
    for chunk in sample.utf8_chunks() {
        known += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // What is nearly all UTF-8 is UTF-8 with a broken place or two: nothing else looks
    // like it, but for wide letters of English, half of which are zeros. A sample may
    // also end within a character.
    let narrow = broken <= 1 || broken * 20 <= known;
    let zeros = sample.split(|byte| *byte == 0).count() - 1;
    if narrow && zeros * 4 < sample.len() {
        return UTF_8;
    }
    if let Some(encoding) = wide(sample) {
        return encoding;
    }
    if narrow {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, false);
    match detector.guess(None, Utf8Detection::Deny) {
        // The older set is part of the newer one.
        encoding if encoding == GBK => GB18030,
        encoding => encoding,
    }
}

/// UTF-16 without a mark, which detectors of encodings do not look for: its line ends
/// and separators have a zero before or after them, every one on the same side.
fn wide(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = || sample.chunks_exact(2);
    let zeros = |side: usize| pairs().filter(|pair| pair[side] == 0 && pair[1 - side].is_ascii()).count();
    let has = |line_end: [u8; 2]| pairs().any(|pair| pair == line_end);
    let (high, low) = (zeros(0), zeros(1));
    if has([b'\n', 0]) && low > 10 * high {
        Some(UTF_16LE)
    } else if has([0, b'\n']) && high > 10 * low {
        Some(UTF_16BE)
    } else {
        None
    }
}

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
    use encoding_rs::WINDOWS_1252;

    use super::*;

    const CHINESE: &str = "编号,主题,内容\n1,快递丢件,快递员把包裹弄丢了，至今没有人联系我。\n\
                           2,退款未到,商家答应三天退款，已经两周了还没有到账。\n";

    fn wide(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        Decoded::new(bytes, guessed(bytes)).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn an_encoding_is_recognised() {
        let gbk = GBK.encode(CHINESE).0.into_owned();
        assert_eq!(guessed(&gbk), GB18030);
        assert_eq!(guessed(CHINESE.as_bytes()), UTF_8);
        assert_eq!(guessed(b"plain,text\n1,2\n"), UTF_8);
        let french = "numéro,détails\n1,Le colis est arrivé cassé à l'hôtel, après huit jours.\n";
        assert_eq!(guessed(&WINDOWS_1252.encode(french).0), WINDOWS_1252);
        assert_eq!(guessed(&wide("a,b\n1,2\n", false, false)), UTF_16LE, "English alone");
        for (mark, big) in [(true, true), (true, false), (false, true), (false, false)] {
            let bytes = wide(CHINESE, mark, big);
            assert_eq!(guessed(&bytes), if big { UTF_16BE } else { UTF_16LE }, "mark {mark}");
            assert_eq!(decoded(&bytes), CHINESE.as_bytes());
        }
        for text in [gbk, format!("\u{feff}{CHINESE}").into_bytes()] {
            assert_eq!(decoded(&text), CHINESE.as_bytes(), "without its mark");
        }
    }

    #[test]
    fn a_broken_place_changes_nothing_else() {
        let mut bytes = CHINESE.repeat(3).into_bytes();
        let place = bytes.len() - 3;
        bytes[place] = 0xff;
        bytes[5] = 0xfe;
        assert_eq!(guessed(&bytes), UTF_8);
        let text = decoded(&bytes);
        // Begun and broken off, and what cannot begin: two in the first, three in the last.
        assert_eq!(text.split(|byte| *byte == BROKEN).count(), 1 + 5);
        assert!(String::from_utf8_lossy(&text).contains("商家答应三天退款"));
        // A zero in a text that is not wide makes it no wide one.
        assert_eq!(guessed(b"a,b\n1,\0\n2,3\n"), UTF_8);
    }

    #[test]
    fn names_of_encodings_are_those_of_browsers() {
        assert_eq!(named("GBK"), Ok(GB18030));
        assert_eq!(named("gb2312"), Ok(GB18030));
        assert_eq!(named("utf-16le"), Ok(UTF_16LE));
        assert!(named("klingon").is_err());
    }
}
