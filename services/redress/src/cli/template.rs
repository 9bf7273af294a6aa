//! `redress template …`: the words of notices, and when nobody is written to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateTemplateRequest, CreateTemplateRequest, GetQuietHoursRequest, GetTemplateRequest,
    ListTemplatesRequest, NoticeKind, PreviewTemplateRequest, QuietHours, SetQuietHoursRequest, Template,
};

use super::connection::{Connection, Page};
use show::{self, json, text, words};

#[derive(Args)]
pub(crate) struct Templates {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists the organisation's own templates, latest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows the template in force, or that of a version; 0 is the shipped one
    Get {
        #[command(flatten)]
        key: Key,
        /// Which version
        #[arg(long)]
        version: Option<i64>,
    },
    /// Makes the next version of a template, not in force yet
    Add {
        /// The template as JSON, as `get --json` shows one
        file: PathBuf,
    },
    /// Writes a letter by a template, and keeps nothing
    Preview {
        /// The template as JSON, as `get --json` shows one
        file: PathBuf,
        /// The case whose next notice of that kind is written; a sample without
        #[arg(long, default_value = "")]
        case: String,
        /// On how many of the latest notices of the kind and language it is tried besides
        #[arg(long, default_value_t = 0)]
        latest: i32,
    },
    /// Puts a version in force; 0 is the shipped one
    Activate {
        #[command(flatten)]
        key: Key,
        /// Which version
        #[arg(long)]
        version: i64,
        /// On how many of the latest notices of the kind and language it is tried first
        #[arg(long, default_value_t = 0)]
        latest: i32,
    },
    /// Shows when nobody is written to, or settles it
    Quiet {
        /// From when on, as `22:00`
        #[arg(long, requires = "end")]
        start: Option<String>,
        /// Until when, as `07:30`; the same as `--start` for never
        #[arg(long, requires = "start")]
        end: Option<String>,
        /// Zone of those whose own is not known, as `Asia/Shanghai`
        #[arg(long, default_value = "", requires = "start")]
        time_zone: String,
        /// Why
        #[arg(long, default_value = "", requires = "start")]
        note: String,
    },
}

#[derive(Args)]
struct Key {
    /// acknowledgement, outcome, recourse, extension, holding, survey, shortage, closing-soon,
    /// progress, withdrawal, call-back-planned, call-back-missed
    #[arg(value_parser = words::read::<NoticeKind>)]
    kind: NoticeKind,
    /// en, zh
    language: String,
}

fn read(file: &Path) -> anyhow::Result<Option<Template>> {
    let read = super::submit::read_text(file)?;
    json::read(&read).with_context(|| format!("{}", file.display())).map(Some)
}

impl Templates {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut templates = TemplateServiceClient::new(caller.client.calls());
        let request_id = caller.request_id();
        let template = match self.verb {
            Verb::List { page } => {
                let request = ListTemplatesRequest { page_size: page.limit, page_token: page.page };
                let answer = templates.list_templates(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::templates);
            }
            Verb::Preview { file, case: case_id, latest: latest_notices } => {
                let template = read(&file)?;
                let request = PreviewTemplateRequest { template, case_id, latest_notices };
                let answer = templates.preview_template(request).await?.into_inner();
                return show::answer(caller.json, &answer, text::template_sample);
            }
            Verb::Quiet { start: Some(start), end, time_zone, note } => {
                let quiet_hours = Some(QuietHours { start, end: end.unwrap_or_default(), time_zone });
                let request = SetQuietHoursRequest { request_id, quiet_hours, note };
                let answer = templates.set_quiet_hours(request).await?.into_inner();
                return show::answer(caller.json, &answer.quiet_hours.unwrap_or_default(), text::quiet_hours);
            }
            Verb::Quiet { start: None, .. } => {
                let answer = templates.get_quiet_hours(GetQuietHoursRequest {}).await?.into_inner();
                return show::answer(caller.json, &answer.quiet_hours.unwrap_or_default(), text::quiet_hours);
            }
            Verb::Get { key: Key { kind, language }, version } => {
                let request = GetTemplateRequest { kind: kind.into(), language, version };
                templates.get_template(request).await?.into_inner().template
            }
            Verb::Add { file } => {
                let request = CreateTemplateRequest { request_id, template: read(&file)? };
                templates.create_template(request).await?.into_inner().template
            }
            Verb::Activate { key: Key { kind, language }, version, latest: latest_notices } => {
                let kind = kind.into();
                let request = ActivateTemplateRequest { request_id, kind, language, version, latest_notices };
                templates.activate_template(request).await?.into_inner().template
            }
        };
        show::answer(caller.json, &template.unwrap_or_default(), text::template)
    }
}
