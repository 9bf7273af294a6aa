//! JSON whose members stand as they were written: the order of a form's questions is what its
//! author meant, which maps of `serde_json` forget.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A JSON value, its members in their order.
#[derive(Debug)]
pub(super) enum Node {
    /// An object.
    Map(Vec<(String, Node)>),
    /// An array.
    List(Vec<Node>),
    /// Anything else.
    Leaf(Value),
}

impl Node {
    /// A member of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members(None).find_map(|(named, value)| (named == name).then_some(value))
    }

    /// Its members, or those of the member with this name.
    pub(super) fn members(&self, of: Option<&str>) -> impl Iterator<Item = (&str, &Self)> {
        let members = match of.map_or(Some(self), |of| self.get(of)) {
            Some(Self::Map(members)) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The values of the array with this name.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &Self> {
        let values = match self.get(name) {
            Some(Self::List(values)) => values.as_slice(),
            _ => &[],
        };
        values.iter()
    }

    /// What a JSON pointer leads to.
    pub(super) fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut node = self;
        for name in pointer.split('/').skip(1) {
            let name = name.replace("~1", "/").replace("~0", "~");
            node = match node {
                Self::Map(_) => node.get(&name)?,
                Self::List(values) => values.get(name.parse::<usize>().ok()?)?,
                Self::Leaf(_) => return None,
            };
        }
        Some(node)
    }

    /// The text that it is.
    pub(super) fn as_str(&self) -> Option<&str> {
        self.leaf().and_then(Value::as_str)
    }

    /// What it is, where it is neither an object nor an array.
    pub(super) fn leaf(&self) -> Option<&Value> {
        if let Self::Leaf(value) = self { Some(value) } else { None }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Map(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Node::List(values))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
}
