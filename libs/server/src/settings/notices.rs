//! How notices leave but by mail.

use clap::Args;

use super::Secret;

const SMS_CONTENT_TYPE: &str = "application/json";
const SMS_BODY: &str = r#"{"to": "{{ number }}", "text": "{{ text }}", "id": "{{ id }}"}"#;
const SMS_FINAL_STATUSES: &str = "400,404,410,413,422";

/// How notices leave but by mail (feedback).
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Services")]
pub struct NoticeSettings {
    /// URL of the operator's system that notices are posted to, signed
    #[arg(long = "notice-webhook-url", env = "REDRESS_NOTICE_WEBHOOK_URL", hide_env_values = true)]
    pub webhook_url: Option<Secret>,
    /// Secret they are signed with, as `whsec_…`; two, with a comma, while it is changed
    #[arg(long = "notice-webhook-secret", env = "REDRESS_NOTICE_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<Secret>,
    /// URL of the gateway that text messages are posted to
    #[arg(long, env = "REDRESS_SMS_URL", hide_env_values = true)]
    pub sms_url: Option<Secret>,
    /// What its body is: `application/json` or `application/x-www-form-urlencoded`
    #[arg(long, env = "REDRESS_SMS_CONTENT_TYPE", default_value = SMS_CONTENT_TYPE)]
    pub sms_content_type: String,
    /// The body, with the places `number`, `text`, `id` and `parts`
    #[arg(long, env = "REDRESS_SMS_BODY", default_value = SMS_BODY)]
    pub sms_body: String,
    /// Headers, `name: value`, one a line; an authorization, say
    #[arg(long, env = "REDRESS_SMS_HEADERS", hide_env_values = true)]
    pub sms_headers: Option<Secret>,
    /// Where in an answer of JSON the gateway's id of the message is, as `/message/id`
    #[arg(long, env = "REDRESS_SMS_ID_POINTER", default_value = "")]
    pub sms_id_pointer: String,
    /// Statuses that another attempt would not mend
    #[arg(long, env = "REDRESS_SMS_FINAL_STATUSES", value_delimiter = ',', default_value = SMS_FINAL_STATUSES,
          value_parser = clap::value_parser!(u16).range(300..=599))]
    pub sms_final_statuses: Vec<u16>,
    /// Calling code of telephone numbers that name none, as `86`; without one they are not
    /// written to
    #[arg(long, env = "REDRESS_SMS_COUNTRY", default_value = "")]
    pub sms_country: String,
    /// Mailbox that what comes back of notices' mails is sent to, as `bounces@example.org`: each
    /// mail has an address of its own there, `bounces+…@example.org`
    #[arg(long = "notice-bounce-address", env = "REDRESS_NOTICE_BOUNCE_ADDRESS", default_value = "")]
    pub bounce_address: String,
    /// Key that these addresses are signed with, at least 32 characters; two, with a comma,
    /// while it is changed
    #[arg(long = "notice-bounce-key", env = "REDRESS_NOTICE_BOUNCE_KEY", hide_env_values = true)]
    pub bounce_key: Option<Secret>,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            webhook_url: None,
            webhook_secret: None,
            sms_url: None,
            sms_content_type: SMS_CONTENT_TYPE.to_owned(),
            sms_body: SMS_BODY.to_owned(),
            sms_headers: None,
            sms_id_pointer: String::new(),
            sms_final_statuses: SMS_FINAL_STATUSES
                .split(',')
                .filter_map(|status| status.parse().ok())
                .collect(),
            sms_country: String::new(),
            bounce_address: String::new(),
            bounce_key: None,
        }
    }
}
