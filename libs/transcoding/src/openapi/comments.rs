//! What the contracts say about themselves.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

/// The comments before each element, by file and path.
pub(crate) struct Comments(HashMap<String, HashMap<Vec<i32>, String>>);

impl Comments {
    pub(crate) fn read(pool: &DescriptorPool) -> Self {
        let files = pool.files().map(|file| {
            let proto = file.file_descriptor_proto();
            let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
            let said = locations.filter_map(|location| {
                let comment = location.leading_comments.as_deref()?;
                Some((location.path.clone(), unindented(comment)))
            });
            (file.name().to_owned(), said.collect())
        });
        Self(files.collect())
    }

    fn at(&self, file: &str, path: &[i32]) -> String {
        self.0.get(file).and_then(|file| file.get(path)).cloned().unwrap_or_default()
    }

    pub(crate) fn of_service(&self, service: &ServiceDescriptor) -> String {
        self.at(service.parent_file().name(), service.path())
    }

    pub(crate) fn of_method(&self, method: &MethodDescriptor) -> String {
        self.at(method.parent_service().parent_file().name(), method.path())
    }

    pub(crate) fn of_message(&self, message: &MessageDescriptor) -> String {
        self.at(message.parent_file().name(), message.path())
    }

    pub(crate) fn of_field(&self, field: &FieldDescriptor) -> String {
        self.at(field.parent_file().name(), field.path())
    }

    pub(crate) fn of_enum(&self, of: &EnumDescriptor) -> String {
        self.at(of.parent_file().name(), of.path())
    }

    pub(crate) fn of_value(&self, value: &EnumValueDescriptor) -> String {
        self.at(value.parent_file().name(), value.path())
    }
}

/// A comment without the space behind its slashes.
fn unindented(comment: &str) -> String {
    let lines: Vec<_> = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}
