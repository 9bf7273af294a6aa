//! Compiles every contract below `proto/` with a pure-Rust protoc, so that a
//! plain `cargo build` needs nothing installed, and writes what all services
//! read off the contracts: which requests are mutations, who may call what, what process logs
//! tell of events, and what counts as said in a complaint.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use prost_types::FileDescriptorSet;
use protox::prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, MessageDescriptor, Value};

#[path = "build/activities.rs"]
mod activities;
#[path = "build/content.rs"]
mod content;

/// The option by which an rpc names its callers.
const MAY_CALL: &str = "redress.access.v1.may_call";
/// The option of a field by whose value alone something may be done.
const CAPABILITY: &str = "redress.access.v1.capability";

fn main() -> Result<()> {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", contracts.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);

    let mut files = Vec::new();
    collect(&contracts, &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&contracts])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    // Written here because tonic-prost-build writes it only when it runs protoc
    // itself. Source info rides along: reflection clients show the comments.
    fs::write(out.join("redress.bin"), compiler.encode_file_descriptor_set())?;
    let set = compiler.file_descriptor_set();
    // The comments are more than half of it, and programs read none. Compiled once more: types
    // that could leave them out do not keep options of our own.
    let mut bare = protox::Compiler::new([&contracts])?;
    bare.include_imports(true).include_source_info(false).open_files(&files)?;
    fs::write(out.join("redress.bare.bin"), bare.encode_file_descriptor_set())?;
    fs::write(out.join("mutations.rs"), mutations(&set))?;
    fs::write(out.join("servers.rs"), servers(&set))?;
    fs::write(out.join("callers.rs"), callers(&compiler.descriptor_pool())?)?;
    fs::write(out.join("capabilities.rs"), capabilities(&compiler.descriptor_pool())?)?;
    let activities = activities::activities(&compiler.descriptor_pool())?;
    fs::write(out.join("activities.rs"), activities.table)?;
    fs::write(out.join("logged.rs"), activities.items)?;
    fs::write(out.join("verbatim.rs"), content::verbatim(&compiler.descriptor_pool())?)?;
    fs::write(out.join("capability_bearers.rs"), capability_bearers(&compiler.descriptor_pool())?)?;

    let mut config = prost_build::Config::new();
    config.enable_type_names();
    // Their links and drawings are for another reader than rustdoc.
    config.disable_comments([".google.api"]);
    tonic_prost_build::configure()
        .out_dir(&out)
        .include_file("wire.rs")
        .codec_path("crate::codec::BoundedCodec")
        .compile_fds_with_config(set, config)?;
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ext| ext == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// An `impl Mutation` for each request of an rpc that carries a `request_id`.
fn mutations(set: &FileDescriptorSet) -> String {
    let mut code = String::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("redress.")) {
        let module = file.package().replace('.', "::");
        for service in &file.service {
            for method in &service.method {
                let request = method.input_type().rsplit('.').next().unwrap_or_default();
                let keyed = file.message_type.iter().any(|message| {
                    message.name() == request
                        && message.field.iter().any(|field| field.name() == "request_id")
                });
                if keyed {
                    let rpc = format!("{}.{}", service.name(), method.name());
                    let _ = writeln!(
                        code,
                        "impl Mutation for {module}::{request} {{ const RPC: &'static str = {rpc:?}; \
                         fn request_id(&self) -> &str {{ &self.request_id }} }}"
                    );
                }
            }
        }
    }
    code
}

/// A macro that hands the path of every generated server, below this crate, to another.
fn servers(set: &FileDescriptorSet) -> String {
    let mut paths = Vec::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("redress.")) {
        let package = file.package().replace('.', "::");
        for service in &file.service {
            let name = service.name();
            paths.push(format!("            {package}::{}_server::{name}Server;", snake_case(name)));
        }
    }
    paths.sort();
    format!(
        "/// Hands the path of every generated server, below `proto`, to a macro.\n\
         #[macro_export]\nmacro_rules! for_each_server {{\n    ($then:ident) => {{\n        \
         $then! {{\n{}\n        }}\n    }};\n}}\n",
        paths.join("\n")
    )
}

/// A service's name as the generated module has it: `CaseService` is `case_service`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A line for each rpc, sorted by path. Options of our own are read here because
/// the types the contracts are decoded into at run time do not keep them.
fn callers(pool: &DescriptorPool) -> Result<String> {
    let may_call = pool.get_extension_by_name(MAY_CALL).context("the contracts name callers")?;
    let mut lines = Vec::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = method.options();
        let named = options.get_extension(&may_call);
        let roles: Vec<_> =
            named.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number).collect();
        lines.push(format!("(\"/{}/{}\", &{roles:?})", method.parent_service().full_name(), method.name()));
    }
    lines.sort();
    Ok(format!("&[\n{}\n]", lines.join(",\n")))
}

/// The numbers of a message's fields by which alone something may be done.
fn marked(message: &MessageDescriptor, option: &ExtensionDescriptor) -> Vec<u32> {
    let is_one = |field: &FieldDescriptor| field.options().get_extension(option).as_bool() == Some(true);
    message.fields().filter(is_one).map(|field| field.number()).collect()
}

/// A line for each message with fields whose messages have such fields, or such messages in them,
/// sorted by name: which fields, and of which messages.
fn capability_bearers(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name(CAPABILITY).context("the contracts name capabilities")?;
    let messages: Vec<MessageDescriptor> = pool.all_messages().collect();
    let named = |message: &MessageDescriptor| message.full_name().to_owned();
    let mut bearing: BTreeSet<String> =
        messages.iter().filter(|message| !marked(message, &option).is_empty()).map(named).collect();
    loop {
        let mut lines = Vec::new();
        for message in &messages {
            let parts: Vec<(u32, String)> = message
                .fields()
                .filter_map(|field| Some((field.number(), field.kind().as_message()?.full_name().to_owned())))
                .filter(|(_, part)| bearing.contains(part))
                .collect();
            if !parts.is_empty() {
                lines.push((named(message), parts));
            }
        }
        let before = bearing.len();
        bearing.extend(lines.iter().map(|(name, _)| name.clone()));
        if bearing.len() == before {
            lines.sort();
            let lines: Vec<String> =
                lines.iter().map(|(name, parts)| format!("({name:?}, &{parts:?})")).collect();
            return Ok(format!("&[\n{}\n]", lines.join(",\n")));
        }
    }
}

/// A line for each message with fields by which alone something may be done, sorted by name.
fn capabilities(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name(CAPABILITY).context("the contracts name capabilities")?;
    let mut lines = Vec::new();
    for message in pool.all_messages() {
        let numbers = marked(&message, &option);
        if !numbers.is_empty() {
            lines.push(format!("({:?}, &{numbers:?})", message.full_name()));
        }
    }
    lines.sort();
    Ok(format!("&[\n{}\n]", lines.join(",\n")))
}
