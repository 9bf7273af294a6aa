//! Every limit on what is read here.

/// Longest path, and longest query, in bytes as they were sent.
pub const MAX_PATH_BYTES: usize = 4096;
/// Most segments of a path.
pub const MAX_SEGMENTS: usize = 16;
/// Most parameters of a query.
pub const MAX_QUERY_PARAMETERS: usize = 250;
/// Deepest nesting of a body: deeper than any contract, and far from the end of the stack.
pub const MAX_DEPTH: usize = 64;
/// Most values of a body: what the codec of the rpcs accepts of a message.
pub const MAX_VALUES: usize = 50_000;
/// Most violations that are told of one request.
pub const MAX_VIOLATIONS: usize = 200;
/// Longest template of a rule.
pub const MAX_TEMPLATE_BYTES: usize = 512;
