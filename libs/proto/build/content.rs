//! What counts as what was said in a complaint, as its fields say:
//! `redress.intake.v1.content`.

use anyhow::{Context as _, Result, ensure};
use protox::prost_reflect::{DescriptorPool, ExtensionDescriptor, Kind, MessageDescriptor};

/// The option of whether a field counts as what was said.
const CONTENT: &str = "redress.intake.v1.content";
/// Where it begins.
const COMPLAINT: &str = "redress.intake.v1.Complaint";
/// It does not count.
const NONE: i32 = 1;
/// It counts as it is written.
const VERBATIM: i32 = 3;

/// An expression: the paths, in numbers of fields, of those that count as they are written.
/// Every field that is part of a complaint must say whether it counts.
pub(crate) fn verbatim(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name(CONTENT).context("the contracts say what counts")?;
    let complaint = pool.get_message_by_name(COMPLAINT).context("there are complaints")?;
    let mut paths = Vec::new();
    walk(&complaint, &option, &[], &mut paths)?;
    Ok(format!("&{paths:?}").replace('[', "&[").replacen("&&[", "&[", 1))
}

fn walk(
    message: &MessageDescriptor,
    option: &ExtensionDescriptor,
    above: &[u32],
    paths: &mut Vec<Vec<u32>>,
) -> Result<()> {
    for field in message.fields() {
        let role = field.options().get_extension(option).as_enum_number().unwrap_or(0);
        ensure!(
            role != 0,
            "{} does not say whether it counts as what was said: ({CONTENT})",
            field.full_name()
        );
        let path = [above, &[field.number()]].concat();
        if role == VERBATIM {
            paths.push(path);
        } else if role != NONE
            && let Kind::Message(inner) = field.kind()
            && inner.package_name() == message.package_name()
        {
            walk(&inner, option, &path, paths)?;
        }
    }
    Ok(())
}
