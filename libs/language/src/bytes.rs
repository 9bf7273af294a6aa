//! A model as bytes, to be kept: a mark, the version of the layout, then what the
//! model holds, little-endian, each list after its length.

use crate::model::{Class, Model};
use crate::terms::Terms;

/// What the bytes of a model begin with: a mark and the version of the layout.
const MARK: [u8; 5] = *b"RDLM\x01";

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not a model, or one of another version.
    #[error("these bytes are no model of this version")]
    Mark,
    /// Shorter or longer than they say.
    #[error("the bytes of the model are cut or torn")]
    Torn,
}

impl Model {
    /// The model as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { classes, terms: Terms { hashes, rarity }, weights, temperature } = self;
        let mut bytes = MARK.to_vec();
        bytes.extend(temperature.to_le_bytes());
        length(&mut bytes, classes.len());
        for Class { name, bias, unit } in classes {
            length(&mut bytes, name.len());
            bytes.extend(name.as_bytes());
            bytes.extend(bias.to_le_bytes());
            bytes.extend(unit.to_le_bytes());
        }
        length(&mut bytes, hashes.len());
        bytes.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(rarity.iter().flat_map(|rarity| rarity.to_le_bytes()));
        bytes.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
        bytes
    }

    /// Reads a model from its bytes.
    ///
    /// # Errors
    ///
    /// Fails if the bytes do not begin as a model does, or are cut or torn.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let rest = bytes.strip_prefix(&MARK).ok_or(Unreadable::Mark)?;
        Reader { rest }.model().ok_or(Unreadable::Torn)
    }
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    // Limits on classes and terms keep every list far below this.
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn model(mut self) -> Option<Model> {
        let temperature = self.number()?;
        let classes = (0..self.length()?).map(|_| self.class()).collect::<Option<Vec<_>>>()?;
        let terms = self.length()?;
        let hashes = self.many(terms, u32::from_le_bytes)?;
        let rarity = self.many(terms, f32::from_le_bytes)?;
        let weights = self.many(terms.checked_mul(classes.len())?, i16::from_le_bytes)?;
        let sorted = hashes.is_sorted_by(|a, b| a < b);
        let whole = self.rest.is_empty() && sorted && temperature > 0.0;
        whole.then_some(Model { classes, terms: Terms { hashes, rarity }, weights, temperature })
    }

    fn class(&mut self) -> Option<Class> {
        let length = self.length()?;
        let name = str::from_utf8(self.take(length)?).ok()?.to_owned();
        Some(Class { name, bias: self.number()?, unit: self.number()? })
    }

    fn length(&mut self) -> Option<usize> {
        let length = self.many(1, u32::from_le_bytes)?;
        usize::try_from(length[0]).ok()
    }

    fn number(&mut self) -> Option<f32> {
        self.many(1, f32::from_le_bytes).map(|numbers| numbers[0])
    }

    fn many<T, const N: usize>(&mut self, count: usize, read: fn([u8; N]) -> T) -> Option<Vec<T>> {
        let bytes = self.take(count.checked_mul(N)?)?;
        let (items, _) = bytes.as_chunks::<N>();
        Some(items.iter().map(|item| read(*item)).collect())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Example, learn};

    fn model() -> Model {
        let texts =
            ["the parcel is late", "the parcel came late", "the bill is wrong", "the bill came twice"];
        let classes = ["delivery", "delivery", "billing", "billing"];
        let examples: Vec<Example<'_>> =
            texts.iter().zip(classes).map(|(text, class)| Example { class, text }).collect();
        learn(&examples).expect("two classes with words in common")
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let model = model();
        assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model));
    }

    #[test]
    fn bytes_that_are_no_whole_model_are_refused() {
        let bytes = model().to_bytes();
        assert_eq!(Model::from_bytes(b"RDLM\x02"), Err(Unreadable::Mark));
        for end in MARK.len()..bytes.len() {
            assert_eq!(Model::from_bytes(&bytes[..end]), Err(Unreadable::Torn), "cut at {end}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Model::from_bytes(&longer), Err(Unreadable::Torn));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let marked = [MARK.as_slice(), &bytes].concat();
            if let Ok(model) = Model::from_bytes(&marked) {
                prop_assert_eq!(model.to_bytes().len(), marked.len());
            }
        }
    }
}
