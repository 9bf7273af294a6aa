//! The complaints return of the Financial Conduct Authority, DISP 1 Annex 1R: its head fields,
//! and counts by product. Products are codes of the tenant's, for the list of the form was not
//! to be had; the causes of the form are known, and hold until 2026-12-31.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::record::Closing;
use super::{FCA_CONSOLIDATED, Problems, Record, Return};
use crate::report::csv;

/// The code that says that a complaint is about a failure to consider vulnerability.
pub const FAILURE: &str = "vulnerability_failure";
/// The causes of the form.
pub const CAUSES: &[&str] = &[
    "Unsuitable advice",
    "Unclear guidance/arrangement",
    "Disputes over sums/charges",
    "Product performance/features",
    "Product disclosure information",
    "Errors/not following instructions",
    "Delays/timescales",
    "Other general admin/customer service",
    "Arrears related",
    "Other",
];

/// Where redress is counted.
const CURRENCY: &str = "GBP";
/// Business days of the first band.
const FIRST_BAND: usize = 3;
/// Days of the second: eight weeks.
const SECOND_BAND: i32 = 8 * 7;
/// From how many on complaints of a half-year may be published.
const PUBLISHED_HALF_YEAR: i64 = 500;
/// The same of longer periods.
const PUBLISHED_YEAR: i64 = 1_000;
/// No half-year has more days.
const HALF_YEAR: i32 = 184;
/// Most products, and most causes of one.
const MAX_CODES: usize = 1_000;

/// What the complaints about a product come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Received within the period.
    pub opened: i64,
    /// Closed by the end of the third business day after receipt.
    pub within_3_days: i64,
    /// Closed later, within eight weeks.
    pub within_8_weeks: i64,
    /// Closed later still.
    pub later: i64,
    /// Closed and upheld, in whole or in part.
    pub upheld: i64,
    /// Paid for those, in pence.
    pub redress_upheld: i64,
    /// Paid for others, in pence.
    pub redress_not_upheld: i64,
    /// Those that were opened, by cause.
    pub causes: BTreeMap<String, i64>,
}

/// What the complaints of a return come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open when the period began.
    pub outstanding_start: i64,
    /// Received within it.
    pub opened: i64,
    /// Closed within it.
    pub closed: i64,
    /// Open at its end.
    pub outstanding_end: i64,
    /// By product.
    pub products: BTreeMap<String, Product>,
    /// Opened and closed, of customers who need extra care.
    pub vulnerable: (i64, i64),
    /// Opened and closed, about a failure to consider that.
    pub failure: (i64, i64),
}

/// Pence as whole pounds, half a pound up.
fn pounds(pence: i64) -> i64 {
    (pence.abs() + 50) / 100 * pence.signum()
}

fn is_consolidated(of: &Return) -> bool {
    of.term.start >= FCA_CONSOLIDATED
}

/// Whether it was upheld: as decided, in whole or in part; undecided, by what was paid.
fn is_upheld(of: &Return, record: &Record, closing: Closing) -> bool {
    match closing.outcome {
        Some(outcome) => matches!(outcome, 1 | 2),
        None => record.is_paid(of),
    }
}

impl Product {
    fn closed(&self) -> i64 {
        self.within_3_days + self.within_8_weeks + self.later
    }

    fn is_nothing(&self) -> bool {
        self.opened == 0 && self.closed() == 0 && self.redress_upheld == 0 && self.redress_not_upheld == 0
    }

    fn close(&mut self, of: &Return, record: &Record, closing: Closing) {
        let (received, closed) = (of.date(record.received), of.date(closing.at));
        let eight_weeks = received.checked_add(SECOND_BAND.days()).unwrap_or(Date::MAX);
        if closed <= of.business_day_after(received, FIRST_BAND) {
            self.within_3_days += 1;
        } else if closed <= eight_weeks {
            self.within_8_weeks += 1;
        } else {
            self.later += 1;
        }
        self.upheld += i64::from(is_upheld(of, record, closing));
    }
}

impl Counts {
    /// Counts a complaint that belongs to the return.
    pub fn take(&mut self, of: &Return, record: &Record, problems: &mut Problems) {
        let closing = record.closed(of);
        let is_opened = of.covers(record.received);
        let closed = closing.filter(|closing| of.covers(closing.at));
        let was_open = record.closing().is_none_or(|closing| closing.at >= of.from);
        self.opened += i64::from(is_opened);
        self.closed += i64::from(closed.is_some());
        self.outstanding_start += i64::from(record.received < of.from && was_open);
        self.outstanding_end += i64::from(closing.is_none());
        let redress = record.redress(of, CURRENCY, problems);
        if is_opened || closed.is_some() || redress != 0 {
            self.by_product(of, record, (is_opened, closed, redress), problems);
        }
        if is_consolidated(of) && (is_opened || closed.is_some()) {
            self.vulnerability(of, record, (is_opened, closed.is_some()), problems);
        }
    }

    fn by_product(
        &mut self,
        of: &Return,
        record: &Record,
        (is_opened, closed, redress): (bool, Option<Closing>, i64),
        problems: &mut Problems,
    ) {
        let case = record.matched(of);
        let name = of.mapping.needed("product", &case, problems);
        if self.products.len() >= MAX_CODES && !self.products.contains_key(&name) {
            problems.push(("product", format!("there are more than {MAX_CODES} products")));
            return;
        }
        let product = self.products.entry(name).or_default();
        if is_opened {
            product.opened += 1;
            let code = of.mapping.needed("cause", &case, problems);
            let is_of_form = is_consolidated(of) || CAUSES.contains(&code.as_str());
            if !code.is_empty() && !is_of_form {
                problems.push(("cause", format!("`{code}` is no cause of DISP 1 Annex 1R")));
            }
            if product.causes.len() < MAX_CODES || product.causes.contains_key(&code) {
                *product.causes.entry(code).or_default() += 1;
            } else {
                problems.push(("cause", format!("there are more than {MAX_CODES} causes")));
            }
        }
        if let Some(closing) = closed {
            product.close(of, record, closing);
        }
        let is_upheld = record.closed(of).is_some_and(|closing| is_upheld(of, record, closing));
        let sum = if is_upheld { &mut product.redress_upheld } else { &mut product.redress_not_upheld };
        *sum = sum.saturating_add(redress);
    }

    fn vulnerability(
        &mut self,
        of: &Return,
        record: &Record,
        (opened, closed): (bool, bool),
        problems: &mut Problems,
    ) {
        match record.vulnerable {
            None => problems.push(("vulnerable_customer", "facts do not know; rebuild them".to_owned())),
            Some(false) => {}
            Some(true) => {
                self.vulnerable.0 += i64::from(opened);
                self.vulnerable.1 += i64::from(closed);
            }
        }
        if of.mapping.code(FAILURE, &record.matched(of)) == Some("yes") {
            self.failure.0 += i64::from(opened);
            self.failure.1 += i64::from(closed);
        }
    }

    fn is_nil(&self) -> bool {
        self.outstanding_start == 0 && self.opened == 0 && self.products.values().all(Product::is_nothing)
    }

    fn total(&self) -> Product {
        let mut total = Product::default();
        for product in self.products.values() {
            let Product { opened, within_3_days, within_8_weeks, later, upheld, .. } = product;
            total.opened += opened;
            total.within_3_days += within_3_days;
            total.within_8_weeks += within_8_weeks;
            total.later += later;
            total.upheld += upheld;
            // The sum of what is told: whole pounds.
            total.redress_upheld += pounds(product.redress_upheld) * 100;
            total.redress_not_upheld += pounds(product.redress_not_upheld) * 100;
            for (cause, count) in &product.causes {
                *total.causes.entry(cause.clone()).or_default() += count;
            }
        }
        total
    }

    /// Which of the return's own rules the counts break.
    pub fn broken(&self) -> Problems {
        let total = self.total();
        let caused: i64 = total.causes.values().sum();
        let rules = [
            (
                self.outstanding_start + self.opened - self.closed == self.outstanding_end,
                "outstanding",
                "what was open at the start, and opened, and not closed, is not what is open at the end",
            ),
            (total.closed() == self.closed, "closed", "the bands do not add up to all that were closed"),
            (total.opened == self.opened, "opened", "the products do not add up to all that were opened"),
            (caused == self.opened, "cause", "the causes do not add up to all that were opened"),
            (total.upheld <= self.closed, "upheld", "more were upheld than were closed"),
        ];
        let broken = rules.into_iter().filter(|(holds, ..)| !holds);
        broken.map(|(_, field, problem)| (field, problem.to_owned())).collect()
    }

    /// What the return as a whole lacks or has wrong.
    pub fn flaws(&self, of: &Return) -> Problems {
        let mut problems = of.mapping.lacking(&["firm_reference"]);
        let is_yes = |field: &str| of.mapping.constant(field) == Some("yes");
        let others = of.mapping.constant("other_firm_references");
        let covers_more = is_yes("covers_more_than_one_entity");
        let mut ensure = |holds: bool, field: &'static str, problem: &str| {
            if !holds {
                problems.push((field, problem.to_owned()));
            }
        };
        let legal = !(covers_more && is_consolidated(of));
        ensure(
            legal,
            "covers_more_than_one_entity",
            "each legal entity has a return of its own from 2027 on",
        );
        ensure(
            covers_more == others.is_some(),
            "other_firm_references",
            "are named where the return covers more than one entity, and only there",
        );
        if self.is_published(of) {
            let consent = of.mapping.constant("early_publication_consent");
            ensure(
                consent.is_some(),
                "early_publication_consent",
                "is asked of a return with so many complaints",
            );
            let confirmed = consent != Some("yes") || is_yes("accuracy_confirmed");
            ensure(confirmed, "accuracy_confirmed", "must be yes where publication is consented to");
        }
        problems.extend(self.broken());
        problems
    }

    /// Whether there are so many complaints that they may be published.
    fn is_published(&self, of: &Return) -> bool {
        let days = of.term.start.until(of.term.end).map_or(0, |span| span.get_days());
        self.opened >= if days > HALF_YEAR { PUBLISHED_YEAR } else { PUBLISHED_HALF_YEAR }
    }

    /// The numbered fields at the head of the form, with what they are called.
    fn head(&self, of: &Return) -> Vec<(&'static str, &'static str, Value)> {
        let text = |field: &str| of.mapping.constant(field).unwrap_or_default().to_owned();
        let (is_nil, published) = (self.is_nil(), self.is_published(of));
        let covers_more = text("covers_more_than_one_entity") == "yes";
        let blank = |value: Value, told: bool| if told { value } else { Value::Null };
        let consent = text("early_publication_consent");
        vec![
            ("1", "covers more than one entity", json!(yes_no(covers_more))),
            ("34", "firm references of the others", blank(json!(text("other_firm_references")), covers_more)),
            ("2", "nil return", json!(yes_no(is_nil))),
            ("3", "outstanding at the start", blank(json!(self.outstanding_start), !is_nil)),
            ("49", "opened in the period", blank(json!(self.opened), !is_nil)),
            ("47", "consent to early publication", blank(json!(consent), published)),
            (
                "48",
                "accuracy confirmed",
                blank(json!(text("accuracy_confirmed")), published && consent == "yes"),
            ),
        ]
    }

    /// The counts of vulnerable customers, with what they are called; none where no fact
    /// knows them.
    fn care(&self, of: &Return) -> Vec<(&'static str, Option<i64>)> {
        if !is_consolidated(of) {
            return Vec::new();
        }
        let knows = of.mapping.rules.iter().any(|rule| rule.codes.contains_key(FAILURE));
        let told = |count: i64, known: bool| (known && !self.is_nil()).then_some(count);
        vec![
            ("opened, customers in vulnerable circumstances", told(self.vulnerable.0, true)),
            ("closed, customers in vulnerable circumstances", told(self.vulnerable.1, true)),
            ("opened, failure to consider vulnerability", told(self.failure.0, knows)),
            ("closed, failure to consider vulnerability", told(self.failure.1, knows)),
        ]
    }

    /// The return as a table: a row for each field.
    pub fn csv(&self, of: &Return) -> String {
        let mut file = row("section", "field", "product", "value");
        let firm = of.mapping.constant("firm_reference").unwrap_or_default();
        file += &row("firm", "firm reference", "", firm);
        file += &row("period", "first day", "", &of.term.start.to_string());
        file += &row("period", "last day", "", &of.term.last().to_string());
        for (number, name, value) in self.head(of) {
            let value = value.as_str().map_or_else(|| plain(&value), str::to_owned);
            file += &row("head", &format!("{number} {name}"), "", &value);
        }
        if !self.is_nil() {
            file += &row("head", "closed in the period", "", &self.closed.to_string());
            file += &row("head", "outstanding at the end", "", &self.outstanding_end.to_string());
        }
        for (name, count) in self.care(of) {
            file +=
                &row("vulnerability", name, "", &count.map(|count| count.to_string()).unwrap_or_default());
        }
        if self.is_nil() {
            return file;
        }
        let total = self.total();
        for (name, product) in self.products.iter().map(|(name, product)| (name.as_str(), product)) {
            file += &table("product", name, product);
        }
        file + &table("total", "", &total)
    }

    /// The return as an object.
    pub fn json(&self, of: &Return) -> String {
        let head: serde_json::Map<String, Value> =
            self.head(of).into_iter().map(|(number, _, value)| (number.to_owned(), value)).collect();
        let care: serde_json::Map<String, Value> =
            self.care(of).into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        let told = |value: Value| if self.is_nil() { Value::Null } else { value };
        let products: Vec<Value> =
            self.products.iter().map(|(name, product)| object(name, product)).collect();
        let object = json!({
            "return": "DISP 1 Annex 1R",
            "firm_reference": of.mapping.constant("firm_reference"),
            "first_day": of.term.start.to_string(),
            "last_day": of.term.last().to_string(),
            "fields": head,
            "closed": told(json!(self.closed)),
            "outstanding_at_end": told(json!(self.outstanding_end)),
            "products": told(json!(products)),
            "total": told(object("", &self.total())),
            "vulnerability": if care.is_empty() { Value::Null } else { Value::Object(care) },
        });
        format!("{object:#}\n")
    }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn plain(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}

fn row(section: &str, name: &str, product: &str, value: &str) -> String {
    // Of the numbers here some are negative, and none is a formula.
    let value = if value.parse::<i64>().is_ok() { value.to_owned() } else { csv::field(value) };
    csv::line([section.to_owned(), csv::field(name), csv::field(product), value])
}

/// The columns of a product, in order.
fn columns(product: &Product) -> [(&'static str, i64); 7] {
    [
        ("opened", product.opened),
        ("closed within 3 business days", product.within_3_days),
        ("closed after 3 business days and within 8 weeks", product.within_8_weeks),
        ("closed after 8 weeks", product.later),
        ("upheld", product.upheld),
        ("redress for upheld (GBP)", pounds(product.redress_upheld)),
        ("redress for not upheld (GBP)", pounds(product.redress_not_upheld)),
    ]
}

fn table(section: &str, name: &str, product: &Product) -> String {
    let counted =
        columns(product).into_iter().map(|(column, value)| row(section, column, name, &value.to_string()));
    let by_cause = product.causes.iter();
    let caused =
        by_cause.map(|(cause, count)| row(section, &format!("cause: {cause}"), name, &count.to_string()));
    counted.chain(caused).collect()
}

fn object(name: &str, product: &Product) -> Value {
    let counted = columns(product).into_iter().map(|(column, value)| (column.to_owned(), json!(value)));
    let mut all: serde_json::Map<String, Value> = counted.collect();
    if !name.is_empty() {
        all.insert("product".to_owned(), json!(name));
    }
    all.insert("causes".to_owned(), json!(product.causes));
    Value::Object(all)
}
