//! Answers as canonical proto3 JSON.

use prost_reflect::{DynamicMessage, MessageDescriptor};

/// An answer that cannot be written as JSON: a mistake of ours.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// It is not what its contract says.
    #[error("the answer is not what its contract says")]
    Message(#[from] prost::DecodeError),
    /// It has no form in JSON.
    #[error("the answer has no form in JSON")]
    Json(#[from] serde_json::Error),
}

/// The JSON of a message.
///
/// # Errors
///
/// Fails if it is not what the contract says, or carries what has no form in JSON: a
/// message that the contracts do not know.
pub fn answer(descriptor: &MessageDescriptor, message: &[u8]) -> Result<Vec<u8>, Unwritable> {
    let message = DynamicMessage::decode(descriptor.clone(), message)?;
    Ok(serde_json::to_vec(&message)?)
}
