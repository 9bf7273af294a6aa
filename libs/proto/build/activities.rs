//! What process logs tell of events, as the events' messages say: `redress.event.v1.activity`
//! and `redress.event.v1.logged`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use protox::prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor,
};

/// The option of a message by which process logs tell of it.
const ACTIVITY: &str = "redress.event.v1.activity";
/// The option of what a field is to a process log.
const LOGGED: &str = "redress.event.v1.logged";

/// What is written of them.
pub(crate) struct Activities {
    /// An expression: each activity, sorted by number.
    pub(crate) table: String,
    /// Items: how each message is told, and a macro that hands all of them to another.
    pub(crate) items: String,
}

/// Something that an event may be to a process log.
struct Activity {
    number: i32,
    name: String,
    field: String,
    value: String,
    is_of_complaint: bool,
    complainant: i32,
    is_taken_back: bool,
}

impl Activity {
    fn read(option: &DynamicMessage, message: &str) -> Result<Self> {
        let text = |name: &str| {
            let value = option.get_field_by_name(name).context("no such field")?;
            anyhow::Ok(value.as_str().unwrap_or_default().to_owned())
        };
        let truth =
            |name: &str| option.get_field_by_name(name).is_some_and(|value| value.as_bool() == Some(true));
        let number = option.get_field_by_name("number").and_then(|value| value.as_i32()).unwrap_or(0);
        let part = option.get_field_by_name("complainant").and_then(|value| value.as_enum_number());
        let name = Some(text("name")?).filter(|name| !name.is_empty());
        Ok(Self {
            number,
            name: name.unwrap_or_else(|| super::snake_case(message).to_uppercase()),
            field: text("field")?,
            value: text("value")?,
            is_of_complaint: truth("of_complaint"),
            complainant: part.unwrap_or(0),
            is_taken_back: truth("taken_back"),
        })
    }

    /// Its line in the table.
    fn line(&self) -> String {
        let Self { number, name, is_of_complaint, complainant, .. } = self;
        let words = name.to_lowercase().replace('_', " ");
        format!(
            "Activity {{ number: {number}, name: {words:?}, of_complaint: {is_of_complaint}, \
             complainant: {complainant} }}"
        )
    }

    /// The condition under which a message is it; none where it always is.
    fn condition(&self, message: &MessageDescriptor) -> Result<Option<String>> {
        if self.field.is_empty() {
            return Ok(None);
        }
        let field = message.get_field_by_name(&self.field);
        let field = field.with_context(|| format!("{} has no field {}", message.full_name(), self.field))?;
        match field.kind() {
            Kind::Bool => Ok(Some(format!("self.{}", self.field))),
            Kind::Enum(kind) => {
                let value = kind.get_value_by_name(&self.value);
                let value = value.with_context(|| format!("{} has no {}", kind.full_name(), self.value))?;
                Ok(Some(format!("self.{} == {}", self.field, value.number())))
            }
            _ => bail!("{} decides nothing: it is neither a truth nor an enum", field.full_name()),
        }
    }
}

/// What a value of an enum begins with: what the name of its zero does.
fn prefix(kind: &EnumDescriptor) -> Result<String> {
    let zero = kind.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED");
    Ok(prefix.with_context(|| format!("{} is not unspecified", zero.full_name()))?.to_owned())
}

/// How a field is told, by what it is to the log: a field of `Logged`, and its value.
fn told(field: &FieldDescriptor, role: i32) -> Result<String> {
    let name = field.name();
    let wrong = || format!("{} is of another kind than its place in a process log", field.full_name());
    ensure!(!field.is_list(), wrong());
    let text = |place: &str| (field.kind() == Kind::String).then(|| format!("{place}: &self.{name}"));
    let number = |place: &str| matches!(field.kind(), Kind::Enum(_)).then(|| format!("{place}: self.{name}"));
    let told = match role {
        1 => (field.kind() == Kind::Int32).then(|| format!("cycle: self.{name}")),
        2 => text("plan"),
        3 => text("task"),
        4 => text("department"),
        5 => text("agent"),
        6 => text("other_case"),
        7 => text("category"),
        8 => number("priority"),
        9 => number("outcome"),
        10 => match field.kind() {
            Kind::Bool => Some(format!("detail: self.{name}.then(|| word({name:?}, \"\")).flatten()")),
            Kind::Enum(kind) => {
                let prefix = prefix(&kind)?;
                Some(format!("detail: word(self.{name}().as_str_name(), {prefix:?})"))
            }
            _ => None,
        },
        11 => match field.kind() {
            Kind::Message(kind) if kind.full_name() == "google.type.Money" => {
                Some(format!("amount: self.{name}.as_ref()"))
            }
            _ => None,
        },
        _ => None,
    };
    told.with_context(wrong)
}

/// The activities that a message may be.
fn of_message(message: &MessageDescriptor, option: &ExtensionDescriptor) -> Result<Vec<Activity>> {
    let options = message.options();
    let named = options.get_extension(option);
    let named = named.as_list().unwrap_or_default().iter().filter_map(|value| value.as_message());
    named.map(|one| Activity::read(one, message.name())).collect()
}

/// How a message is told.
fn implementation(
    message: &MessageDescriptor,
    activities: &[Activity],
    logged: &ExtensionDescriptor,
) -> Result<String> {
    let mut fields = BTreeMap::new();
    for field in message.fields() {
        let role = field.options().get_extension(logged).as_enum_number().unwrap_or(0);
        if role != 0 && fields.insert(role, told(&field, role)?).is_some() {
            bail!("{}: two fields are the same to a process log", message.full_name());
        }
    }
    let fields: Vec<String> = fields.into_values().collect();
    let mut choice = String::new();
    for (at, activity) in activities.iter().enumerate() {
        let condition = activity.condition(message)?;
        let is_last = at + 1 == activities.len();
        ensure!(
            condition.is_none() == is_last,
            "{}: the last of its activities, and only that, has no condition",
            message.full_name()
        );
        let found = format!("({}, {})", activity.number, activity.is_taken_back);
        let _ = match condition {
            Some(condition) => write!(choice, "if {condition} {{ {found} }} else "),
            None if at == 0 => write!(choice, "{found}"),
            None => write!(choice, "{{ {found} }}"),
        };
    }
    let module = message.package_name().replace('.', "::");
    let (name, comma) = (message.name(), if fields.is_empty() { "" } else { ", " });
    let fields = fields.join(", ");
    Ok(format!(
        "impl ToldInLogs for {module}::{name} {{ fn logged(&self) -> Logged<'_> {{ \
         let (activity, taken_back) = {choice}; \
         Logged {{ activity, taken_back, {fields}{comma}..Logged::default() }} }} }}\n"
    ))
}

/// What is written of the events that process logs tell of.
pub(crate) fn activities(pool: &DescriptorPool) -> Result<Activities> {
    let option = pool.get_extension_by_name(ACTIVITY).context("the contracts name activities")?;
    let logged = pool.get_extension_by_name(LOGGED).context("the contracts say what is logged")?;
    let (mut lines, mut names) = (BTreeMap::new(), BTreeSet::new());
    let (mut items, mut services) = (String::new(), BTreeMap::<String, Vec<String>>::new());
    for message in pool.all_messages() {
        let activities = of_message(&message, &option)?;
        let is_logged = |field: &FieldDescriptor| {
            field.options().get_extension(&logged).as_enum_number().unwrap_or(0) != 0
        };
        if activities.is_empty() {
            let stray = message.fields().find(is_logged);
            ensure!(stray.is_none(), "{}: its field is logged, and it is not", message.full_name());
            continue;
        }
        items += &implementation(&message, &activities, &logged)?;
        let service = message.package_name().split('.').nth(1).unwrap_or_default();
        services.entry(service.to_owned()).or_default().push(message.name().to_owned());
        for activity in activities {
            let number = activity.number;
            ensure!(
                (1..=i32::from(i16::MAX)).contains(&number),
                "{}: {number} is no number",
                message.full_name()
            );
            ensure!(names.insert(activity.name.clone()), "two activities are {}", activity.name);
            ensure!(
                lines.insert(number, activity.line()).is_none(),
                "two activities have the number {number}"
            );
        }
    }
    let lines: Vec<String> = lines.into_values().collect();
    let listed: String = services.iter().fold(String::new(), |mut listed, (service, messages)| {
        let _ = writeln!(listed, "            {service} {{ {} }}", messages.join(", "));
        listed
    });
    let _ = write!(
        items,
        "/// Hands all messages that process logs tell of, by service, to a macro.\n\
         #[macro_export]\nmacro_rules! for_each_logged {{\n    ($then:ident) => {{\n        \
         $then! {{\n{listed}        }}\n    }};\n}}\n"
    );
    Ok(Activities { table: format!("&[\n{}\n]", lines.join(",\n")), items })
}
