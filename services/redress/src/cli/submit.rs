//! `redress submit` and `redress track`: the complainant's two verbs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use client::Token;
use proto::google::r#type::Money;
use proto::redress::cases::v1::TrackComplaintRequest;
use proto::redress::intake::v1::{
    Channel, Complainant, Complaint, Matter, RemedySought, Respondent, SubmitComplaintRequest,
};
use show::table::facts;
use show::{json, lines, text, words};

use super::attachment::attached;
use super::connection::Connection;

#[derive(Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    connection: Connection,
    /// The complaint as JSON (see redress/intake/v1/complaint.proto), `-` for standard
    /// input; the flags add to it
    #[arg(long)]
    file: Option<PathBuf>,
    #[arg(long, value_parser = words::read::<Channel>,
        help = format!("How it came: {}", words::choices::<Channel>()))]
    channel: Option<Channel>,
    /// complaint, or report (of a violation)
    #[arg(long, value_parser = words::read::<Matter>)]
    matter: Option<Matter>,
    /// The channel's own number for it
    #[arg(long)]
    external_ref: Option<String>,
    /// One line
    #[arg(long)]
    subject: Option<String>,
    /// What happened
    #[arg(long)]
    description: Option<String>,
    /// Language to answer in, e.g. `zh-CN`
    #[arg(long)]
    language: Option<String>,
    /// Category the channel believes in, e.g. `delivery/damaged`
    #[arg(long)]
    category: Option<String>,
    /// Sum asked for, e.g. `CNY 128`
    #[arg(long, value_parser = lines::read_money)]
    amount: Option<Money>,
    /// A machine wrote it, not a person (an out-of-office reply, a delivery report): no
    /// automatic notice answers it
    #[arg(long)]
    automatic: bool,
    /// A file that proves it, uploaded first; may be given several times
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    complainant: Who,
}

#[derive(Args)]
#[command(next_help_heading = "Complainant")]
struct Who {
    /// Customer number
    #[arg(long)]
    customer: Option<String>,
    /// Name
    #[arg(long)]
    name: Option<String>,
    /// E-mail address, for notices
    #[arg(long)]
    email: Option<String>,
    /// Telephone number
    #[arg(long)]
    phone: Option<String>,
    /// Order, shipment or transaction it is about
    #[arg(long)]
    order: Option<String>,
    /// Product it is about
    #[arg(long)]
    product: Option<String>,
}

impl Submit {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut complaint = self.complaint()?;
        let caller = self.connection.open().await?;
        let request_id = caller.request_id();
        complaint.evidence.extend(attached(&caller, &self.attach, &request_id).await?);
        let request = SubmitComplaintRequest { request_id, complaint: Some(complaint) };
        let response = caller.intake().submit_complaint(request).await?;
        let token = Token::of(&response).map(|token| token.as_str().to_owned()).unwrap_or_default();
        show::answer(caller.json, &response.into_inner(), |answer| {
            let known = if answer.already_registered { "the channel had registered it before" } else { "" };
            facts(&[
                ("complaint", answer.complaint_id.clone()),
                ("receipt code", answer.receipt_code.clone()),
                ("received", lines::time(answer.receive_time.as_ref())),
                ("note", known.to_owned()),
                ("follow it", format!("redress track {}", quoted(&answer.receipt_code))),
                ("next", format!("redress case get {} --after {token}", answer.complaint_id)),
            ])
        })
    }

    fn complaint(&self) -> anyhow::Result<Complaint> {
        let mut complaint = match &self.file {
            Some(file) => {
                let read = read_text(file)?;
                json::read(&read).with_context(|| format!("{}", file.display()))?
            }
            None => Complaint::default(),
        };
        if let Some(channel) = self.channel {
            complaint.set_channel(channel);
        }
        if let Some(matter) = self.matter {
            complaint.set_matter(matter);
        }
        set(&mut complaint.external_ref, self.external_ref.as_ref());
        set(&mut complaint.subject, self.subject.as_ref());
        set(&mut complaint.description, self.description.as_ref());
        set(&mut complaint.language, self.language.as_ref());
        set(&mut complaint.category_hint, self.category.as_ref());
        complaint.automatic |= self.automatic;
        if let Some(amount) = &self.amount {
            let sought = complaint.remedy_sought.get_or_insert_with(RemedySought::default);
            sought.amount = Some(amount.clone());
        }
        self.complainant.add_to(&mut complaint);
        Ok(complaint)
    }
}

/// A receipt code as a shell takes it: its last character may be one of which a shell thinks
/// something of its own.
fn quoted(code: &str) -> String {
    let is_plain = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_plain { code.to_owned() } else { format!("'{code}'") }
}

impl Who {
    fn add_to(&self, complaint: &mut Complaint) {
        if self.customer.is_some() || self.name.is_some() || self.email.is_some() || self.phone.is_some() {
            let who = complaint.complainant.get_or_insert_with(Complainant::default);
            set(&mut who.customer_id, self.customer.as_ref());
            set(&mut who.display_name, self.name.as_ref());
            set(&mut who.email, self.email.as_ref());
            set(&mut who.phone, self.phone.as_ref());
        }
        if self.order.is_some() || self.product.is_some() {
            let about = complaint.respondent.get_or_insert_with(Respondent::default);
            set(&mut about.order_ref, self.order.as_ref());
            set(&mut about.product, self.product.as_ref());
        }
    }
}

fn set(field: &mut String, value: Option<&String>) {
    if let Some(value) = value {
        value.clone_into(field);
    }
}

/// A text file; `-` is standard input.
pub(super) fn read_text(file: &Path) -> anyhow::Result<String> {
    let read = || {
        if file == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(file)
        }
    };
    read().with_context(|| format!("{}", file.display()))
}

#[derive(Args)]
pub(crate) struct Track {
    #[command(flatten)]
    connection: Connection,
    /// The code given at registration
    receipt_code: String,
    /// For whom it is asked, as the channel tells its users apart
    #[arg(long, default_value = "")]
    end_user: String,
}

impl Track {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let request = TrackComplaintRequest { receipt_code: self.receipt_code, end_user: self.end_user };
        let answer = caller.cases().track_complaint(request).await?.into_inner();
        show::answer(caller.json, &answer, text::progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_a_shell_would_read_is_quoted() {
        assert_eq!(quoted("7VCES-Y07PH-YWRA3-18EXW-U"), "7VCES-Y07PH-YWRA3-18EXW-U");
        for last in ["*", "~", "$", "="] {
            let code = format!("7VCES-Y07PH-YWRA3-18EXW-{last}");
            assert_eq!(quoted(&code), format!("'{code}'"));
        }
    }
}
