//! The codec of every rpc: prost's, but for requests that would take many times their
//! size once they are decoded. Two bytes are an empty message in a list, and a hundred
//! times as much in memory: the values of a request are counted before it is decoded.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use bytes::Buf as _;
use prost::{Message, Name};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Most values of a request, those of its lists and of the messages in it together.
pub const MAX_VALUES: usize = 50_000;
/// What a refusal for that reason says.
pub const TOO_MANY_VALUES: &str = "the message has more values than this server accepts: 50 000";

/// Which of a message's fields have messages, by number; and which are lists of numbers, with
/// the bytes that one of them takes at least.
#[derive(Default)]
struct Shape {
    messages: HashMap<u32, String>,
    packed: HashMap<u32, usize>,
}

static SHAPES: LazyLock<HashMap<String, Shape>> = LazyLock::new(|| shapes(&crate::descriptors()));

fn shapes(set: &FileDescriptorSet) -> HashMap<String, Shape> {
    let mut shapes = HashMap::new();
    for file in &set.file {
        for message in &file.message_type {
            shape(file.package(), message, &mut shapes);
        }
    }
    shapes
}

fn shape(scope: &str, message: &DescriptorProto, shapes: &mut HashMap<String, Shape>) {
    let name = format!("{scope}.{}", message.name());
    let mut shape_of = Shape::default();
    for field in &message.field {
        let number = u32::try_from(field.number()).unwrap_or_default();
        match field.r#type() {
            Type::Message | Type::Group => {
                let of = field.type_name().trim_start_matches('.').to_owned();
                shape_of.messages.insert(number, of);
            }
            Type::String | Type::Bytes => {}
            kind if field.label() == Label::Repeated => {
                let bytes = match kind {
                    Type::Double | Type::Fixed64 | Type::Sfixed64 => 8,
                    Type::Float | Type::Fixed32 | Type::Sfixed32 => 4,
                    _ => 1,
                };
                shape_of.packed.insert(number, bytes);
            }
            _ => {}
        }
    }
    for nested in &message.nested_type {
        shape(&name, nested, shapes);
    }
    shapes.insert(name, shape_of);
}

/// Counts the values of a message until there are too many. What cannot be read is left
/// to the decoder.
fn count(bytes: &[u8], name: &str, left: &mut usize, depth: usize) -> Option<()> {
    let shape = SHAPES.get(name);
    let mut rest = bytes;
    while !rest.is_empty() {
        *left = left.checked_sub(1)?;
        let Some(tag) = varint(&mut rest) else { return Some(()) };
        let field = u32::try_from(tag >> 3).unwrap_or_default();
        let length = match tag & 7 {
            0 => {
                varint(&mut rest);
                continue;
            }
            1 => 8,
            5 => 4,
            2 => varint(&mut rest).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX),
            _ => return Some(()),
        };
        let (inner, after) = rest.split_at_checked(length)?;
        rest = after;
        if let Some(shape) = shape.filter(|_| tag & 7 == 2) {
            if let Some(of) = shape.messages.get(&field).filter(|_| depth > 0) {
                count(inner, of, left, depth - 1)?;
            } else if let Some(bytes) = shape.packed.get(&field) {
                *left = left.checked_sub(inner.len() / bytes)?;
            }
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Deepest nesting that is counted; prost refuses what is deeper.
const DEPTH: usize = 100;

/// Whether a request has more values than are accepted.
fn is_too_much(bytes: &[u8], name: &str) -> bool {
    // A value takes two bytes at least: what is shorter is not looked at.
    bytes.len() > 2 * MAX_VALUES && count(bytes, name, &mut MAX_VALUES.clone(), DEPTH).is_none()
}

/// The codec of an rpc.
#[derive(Clone, Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstCodec::<T, U>::default().decoder())
    }
}

/// Decodes requests that are not too much, and all answers.
#[derive(Clone, Debug)]
pub struct BoundedDecoder<U>(ProstDecoder<U>);

impl<U: Message + Name + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        if U::NAME.ends_with("Request") && is_too_much(buf.chunk(), &U::full_name()) {
            return Err(Status::resource_exhausted(TOO_MANY_VALUES));
        }
        self.0.decode(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redress::cases::v1::{CreateRuleSetRequest, PauseClocksRequest, RuleSet, WordList};
    use crate::redress::feedback::v1::{KpiQuery, QueryKpisRequest};
    use crate::redress::intake::v1::{Complainant, Complaint, Evidence, SubmitComplaintRequest};

    fn is_refused<M: Message + Name>(message: &M) -> bool {
        is_too_much(&message.encode_to_vec(), &M::full_name())
    }

    fn submission(vulnerabilities: usize, evidence: usize) -> SubmitComplaintRequest {
        let complainant =
            Complainant { vulnerabilities: vec![String::new(); vulnerabilities], ..Complainant::default() };
        let complaint = Complaint {
            complainant: Some(complainant),
            evidence: vec![Evidence::default(); evidence],
            description: "x".repeat(3 * MAX_VALUES),
            ..Complaint::default()
        };
        SubmitComplaintRequest { complaint: Some(complaint), ..Default::default() }
    }

    #[test]
    fn values_are_counted_wherever_they_stand() {
        assert!(!is_refused(&submission(10, 50)), "a long text is one value");
        assert!(is_refused(&submission(MAX_VALUES, 0)) && is_refused(&submission(0, MAX_VALUES)));
        assert!(!is_refused(&submission(MAX_VALUES / 2 - 10, MAX_VALUES / 2 - 10)));
        assert!(is_refused(&submission(MAX_VALUES / 2, MAX_VALUES / 2)));
        let word = WordList { name: "a".to_owned(), words: vec!["word".to_owned(); MAX_VALUES / 2] };
        let rule_set = Some(RuleSet { word_lists: vec![word; 2], ..RuleSet::default() });
        assert!(is_refused(&CreateRuleSetRequest { rule_set, ..Default::default() }));
        assert!(is_refused(&PauseClocksRequest { kinds: vec![1; 3 * MAX_VALUES], ..Default::default() }));
        let percentiles = |count| QueryKpisRequest {
            queries: vec![KpiQuery { percentiles: vec![0.5; count], ..KpiQuery::default() }],
        };
        assert!(!is_refused(&percentiles(MAX_VALUES / 2)), "a number of eight bytes is one value");
        assert!(is_refused(&percentiles(MAX_VALUES)));
    }

    #[test]
    fn what_is_no_message_is_left_to_the_decoder() {
        let name = SubmitComplaintRequest::full_name();
        for bytes in [
            vec![0xff; 1 << 20],
            vec![0x0b; 1 << 20],
            [vec![0x0a, 0xff, 0xff, 0x7f], vec![0; 200_000]].concat(),
        ] {
            // Refused here or there, and never a panic.
            let _ = is_too_much(&bytes, &name);
        }
    }
}
