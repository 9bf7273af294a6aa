//! The questions that every complaint is asked, whatever its form.

use jiff::Timestamp;
use jiff::civil::Date;
use proto::redress::directory::v1::{Customer, Order, Product};
use proto::redress::intake::v1::{Channel, Complainant, Complaint, RemedySought, Respondent};
use serde::Deserialize;

use crate::form::Posted;
use crate::guest::Guest;
use crate::papers::Paper;
use crate::schema::{Field, Item, Kind, fields};
use crate::words::Words;

/// A few questions under one heading.
pub(super) struct Section {
    /// The heading.
    pub(super) heading: String,
    /// The questions.
    pub(super) items: Vec<Item>,
}

/// What a link to the form may tell beforehand, as a shop's page of an order does.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Beforehand {
    /// The kind of complaint; absent, they are asked.
    pub(super) category: Option<String>,
    #[serde(default)]
    order: String,
    #[serde(default)]
    product: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
}

impl Beforehand {
    /// What it says of whom and what, as forms are filled in with; none where it says nothing.
    pub(super) fn known(&self) -> Option<(Customer, Order, Product)> {
        let all = [&self.order, &self.product, &self.name, &self.email, &self.phone];
        let customer = Customer {
            display_name: short(&self.name),
            email: short(&self.email),
            phone: short(&self.phone),
            ..Customer::default()
        };
        let order = Order { order_ref: short(&self.order), ..Order::default() };
        let product =
            Product { product_ref: short(&self.product), title: short(&self.product), ..Product::default() };
        all.iter().any(|told| !told.is_empty()).then_some((customer, order, product))
    }

    /// Puts it into the questions.
    pub(super) fn fill(&self, sections: &mut [Section]) {
        let told = [
            ("order_ref", &self.order),
            ("product", &self.product),
            ("name", &self.name),
            ("email", &self.email),
            ("phone", &self.phone),
        ];
        for field in sections.iter_mut().flat_map(|section| fields(&mut section.items)) {
            let known = told.iter().find(|(name, value)| *name == field.name && !value.is_empty());
            if let Some((_, value)) = known {
                field.values = vec![short(value)];
            }
        }
    }
}

/// What somebody may have told a link, as long as it may be.
fn short(text: &str) -> String {
    const MAX: usize = 200;
    text.chars().filter(|c| !c.is_control()).take(MAX).collect()
}

/// The questions before the form of the category.
pub(super) fn before(t: Words) -> Section {
    let items = vec![
        Field::own("subject", "complaint.subject", t.subject_label(), Kind::line("text", 300))
            .required()
            .saying(t.subject_help()),
        Field::own("description", "complaint.description", t.description_label(), Kind::lines(20_000))
            .required()
            .saying(t.description_help()),
        Field::own("occurred", "complaint.occur_time", t.occurred_label(), Kind::line("date", 10)),
    ];
    Section { heading: t.part_what().to_owned(), items: items.into_iter().map(Item::Field).collect() }
}

/// The questions after it, but who complains.
pub(super) fn after(t: Words) -> [Section; 2] {
    let about = vec![
        Field::own("product", "complaint.respondent.product", t.product_label(), Kind::line("text", 200)),
        Field::own("order_ref", "complaint.respondent.order_ref", t.order_label(), Kind::line("text", 200)),
    ];
    let wish = Field::own("wish", "complaint.remedy_sought.text", t.wish_label(), Kind::lines(2_000))
        .saying(t.wish_help());
    [
        Section { heading: t.part_about().to_owned(), items: about.into_iter().map(Item::Field).collect() },
        Section { heading: t.part_wish().to_owned(), items: vec![Item::Field(wish)] },
    ]
}

/// Who complains, and that they agree.
pub(super) fn who(t: Words) -> Section {
    let items = vec![
        Field::own("name", "complaint.complainant.display_name", t.name_label(), Kind::line("text", 200))
            .autocompleted("name"),
        Field::own("email", "complaint.complainant.email", t.email_label(), Kind::line("email", 320))
            .saying(t.email_help())
            .autocompleted("email"),
        Field::own("phone", "complaint.complainant.phone", t.phone_label(), Kind::line("tel", 40))
            .autocompleted("tel"),
        Field::own("consent", "complaint.consent_given", t.consent_label(), Kind::Tick).required(),
    ];
    Section { heading: t.part_you().to_owned(), items: items.into_iter().map(Item::Field).collect() }
}

/// What is wrong with what was sent, as far as is seen here: in the language of the page, and
/// before anything is asked of a service.
pub(super) fn check(sections: &mut [Section], guest: &Guest) {
    let t = guest.words();
    for field in sections.iter_mut().flat_map(|section| fields(&mut section.items)) {
        let is_empty = field.values.iter().all(|value| value.trim().is_empty());
        field.error = match field.name.as_str() {
            "consent" if is_empty => t.agree_first().to_owned(),
            _ if field.is_required && is_empty => t.fill_in().to_owned(),
            "email" if !is_empty && !field.value().contains('@') => t.wants_email().to_owned(),
            "occurred" if !is_empty => match day(field.value()) {
                None => t.wants_date().to_owned(),
                Some(day) if day > today(guest) => t.wants_past_date().to_owned(),
                Some(_) => String::new(),
            },
            _ => String::new(),
        };
    }
}

/// The complaint as intake takes it.
pub(super) fn complaint(
    posted: &Posted,
    papers: &[Paper],
    category: &str,
    form: String,
    guest: &Guest,
) -> Complaint {
    let text = |name: &str| posted.text(name).to_owned();
    let complainant = Complainant {
        display_name: text("name"),
        email: text("email"),
        phone: text("phone"),
        ..Complainant::default()
    };
    let respondent =
        Respondent { product: text("product"), order_ref: text("order_ref"), ..Respondent::default() };
    let wish = RemedySought { text: text("wish"), amount: None };
    Complaint {
        channel: Channel::Web.into(),
        complainant: (complainant != Complainant::default()).then_some(complainant),
        respondent: (respondent != Respondent::default()).then_some(respondent),
        subject: text("subject"),
        description: text("description"),
        occur_time: occurred(posted.text("occurred"), guest),
        remedy_sought: (!wish.text.is_empty()).then_some(wish),
        evidence: papers.iter().map(Paper::evidence).collect(),
        language: guest.words().tag().to_owned(),
        category_hint: category.to_owned(),
        consent_given: posted.is_ticked("consent"),
        form_data: form,
        ..Complaint::default()
    }
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn today(guest: &Guest) -> Date {
    guest.visitor.app.clock.now().to_zoned(guest.visitor.zone.clone()).date()
}

/// The beginning of that day, where they are.
fn occurred(text: &str, guest: &Guest) -> Option<prost_types::Timestamp> {
    let begin: Timestamp = day(text)?.to_zoned(guest.visitor.zone.clone()).ok()?.timestamp();
    Some(prost_types::Timestamp { seconds: begin.as_second(), nanos: 0 })
}
