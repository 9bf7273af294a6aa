//! `redress file-drop …` and `redress dropped-file …`: places that files of complaints are put
//! into, and the files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};
use client::Calls;
use proto::redress::intake::v1::file_drop_service_client::FileDropServiceClient;
use proto::redress::intake::v1::{
    Channel, DeleteFileDropRequest, DroppedFileState, FileDrop, FileDropPlace, GetDroppedFileRequest,
    GetFileDropRequest, ListDroppedFilesRequest, ListFileDropsRequest, SetFileDropRequest,
    TryDropMappingRequest,
};
use show::{text, words};

use super::connection::Connection;

type Client = FileDropServiceClient<Calls>;

#[derive(Args)]
pub(crate) struct FileDrops {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: DropVerb,
}

#[derive(Subcommand)]
enum DropVerb {
    /// Sets a file drop up, or changes it: it says all of it
    Set(Box<Set>),
    /// Tries how a file would be read, before it is put in force; registers nothing
    Try(Box<Try>),
    /// Takes no files of a drop until it is resumed
    Pause {
        /// Name of the drop
        drop: String,
    },
    /// Goes on with a paused drop
    Resume {
        /// Name of the drop
        drop: String,
    },
    /// Shows a drop, and how far it is
    Show {
        /// Name of the drop
        drop: String,
    },
    /// Lists all drops
    List,
    /// Forgets a drop; what lies there stays
    Delete {
        /// Name of the drop
        drop: String,
    },
}

#[derive(Args)]
struct Set {
    /// Its name, e.g. `acme`
    drop: String,
    /// Where it is, below the tenant's folder in REDRESS_DROP_FOLDER: files are put into
    /// PATH/incoming
    #[arg(long, value_name = "PATH", required_unless_present = "bucket")]
    folder: Option<String>,
    /// Where it is, below the tenant's keys in REDRESS_DROP_BUCKET, instead
    #[arg(long, value_name = "PATH", conflicts_with = "folder")]
    bucket: Option<String>,
    /// The channel of its complaints
    #[arg(long, default_value = "partner", value_parser = words::read::<Channel>)]
    channel: Channel,
    /// The authority, of the channel `regulator`
    #[arg(long, default_value = "", hide_default_value = true)]
    authority: String,
    /// Which column becomes which field, as `redress import --mapping` reads it; without one the
    /// headings are fields
    #[arg(long, value_name = "TOML")]
    mapping: Option<PathBuf>,
    /// The sheet of a workbook, where it is not the first
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    sheet: String,
    /// The encoding of its texts, where it is not the one recognised: utf-8, gb18030, …
    #[arg(long, default_value = "", hide_default_value = true)]
    encoding: String,
    /// What separates cells, where it is not the one recognised: a character, or `tab`
    #[arg(long, default_value = "", hide_default_value = true)]
    separator: String,
    /// Who answers for it
    #[arg(long)]
    owner: String,
    /// Language of complaints that name none
    #[arg(long, default_value = "zh-CN")]
    language: String,
    /// Hours it may be silent before that is told
    #[arg(long, value_name = "HOURS")]
    silent_after: Option<u32>,
}

#[derive(Args)]
struct Try {
    /// A drop, whose settings hold where nothing else is said
    drop: Option<String>,
    /// A file as a partner would put it in; its ending tells what kind it is
    #[arg(long, value_name = "FILE", required_unless_present = "dropped_file")]
    sample: Option<PathBuf>,
    /// A file that was put into a drop, instead, by its id
    #[arg(long, value_name = "ID", conflicts_with = "sample")]
    dropped_file: Option<String>,
    /// Which column becomes which field
    #[arg(long, value_name = "TOML")]
    mapping: Option<PathBuf>,
    /// The sheet of a workbook
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The encoding of its texts
    #[arg(long)]
    encoding: Option<String>,
    /// What separates cells: a character, or `tab`
    #[arg(long)]
    separator: Option<String>,
    /// The channel of its complaints
    #[arg(long, value_parser = words::read::<Channel>)]
    channel: Option<Channel>,
    /// The authority, of the channel `regulator`
    #[arg(long)]
    authority: Option<String>,
    /// Language of complaints that name none
    #[arg(long)]
    language: Option<String>,
}

impl Try {
    /// The request, where a drop says what is not said here.
    fn request(self, drop: FileDrop) -> anyhow::Result<TryDropMappingRequest> {
        let named = |path: &PathBuf| format!("{}", path.display());
        let text = |path: &PathBuf| std::fs::read_to_string(path).with_context(|| named(path));
        let bytes = |path: &PathBuf| std::fs::read(path).with_context(|| named(path));
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let language = if drop.language.is_empty() { "zh-CN".to_owned() } else { drop.language };
        Ok(TryDropMappingRequest {
            mapping: self.mapping.as_ref().map(text).transpose()?.unwrap_or(drop.mapping),
            sheet: self.sheet.unwrap_or(drop.sheet),
            encoding: self.encoding.unwrap_or(drop.encoding),
            separator: self.separator.unwrap_or(drop.separator),
            channel: self.channel.map_or(drop.channel, i32::from),
            authority: self.authority.unwrap_or(drop.authority),
            language: self.language.unwrap_or(language),
            sample: self.sample.as_ref().map(bytes).transpose()?.unwrap_or_default(),
            file_name: self.sample.as_ref().and_then(name).unwrap_or_default(),
            dropped_file_id: self.dropped_file.unwrap_or_default(),
        })
    }
}

impl Set {
    fn file_drop(self) -> anyhow::Result<FileDrop> {
        let read =
            |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("{}", path.display()));
        let place = if self.bucket.is_some() { FileDropPlace::Bucket } else { FileDropPlace::Folder };
        let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600).try_into().ok();
        Ok(FileDrop {
            file_drop_id: self.drop,
            place: place.into(),
            path: self.bucket.or(self.folder).unwrap_or_default(),
            channel: self.channel.into(),
            authority: self.authority,
            mapping: self.mapping.as_ref().map(read).transpose()?.unwrap_or_default(),
            sheet: self.sheet,
            encoding: self.encoding,
            separator: self.separator,
            owner: self.owner,
            language: self.language,
            silent_after: self.silent_after.and_then(hours),
            ..FileDrop::default()
        })
    }
}

async fn get(client: &mut Client, file_drop_id: String) -> anyhow::Result<FileDrop> {
    let found = client.get_file_drop(GetFileDropRequest { file_drop_id }).await?.into_inner();
    Ok(found.file_drop.unwrap_or_default())
}

async fn set(
    client: &mut Client,
    request_id: String,
    file_drop: FileDrop,
    expected_version: Option<i64>,
) -> anyhow::Result<FileDrop> {
    let request = SetFileDropRequest { request_id, file_drop: Some(file_drop), expected_version };
    Ok(client.set_file_drop(request).await?.into_inner().file_drop.unwrap_or_default())
}

impl FileDrops {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        let request_id = caller.request_id();
        let pause = async |client: &mut Client, id, paused, request_id| {
            let file_drop = FileDrop { paused, ..get(client, id).await? };
            let seen = Some(file_drop.version);
            set(client, request_id, file_drop, seen).await
        };
        let one = match self.verb {
            DropVerb::Set(wanted) => set(&mut client, request_id, wanted.file_drop()?, None).await?,
            DropVerb::Try(wanted) => {
                let drop = match wanted.drop.clone() {
                    Some(id) => get(&mut client, id).await?,
                    None => FileDrop::default(),
                };
                let tried = client.try_drop_mapping(wanted.request(drop)?).await?.into_inner();
                return show::answer(caller.json, &tried, text::drop_trial);
            }
            DropVerb::Pause { drop } => pause(&mut client, drop, true, request_id).await?,
            DropVerb::Resume { drop } => pause(&mut client, drop, false, request_id).await?,
            DropVerb::Show { drop } => get(&mut client, drop).await?,
            DropVerb::List => {
                let all = client.list_file_drops(ListFileDropsRequest {}).await?.into_inner();
                return show::answer(caller.json, &all, text::file_drops);
            }
            DropVerb::Delete { drop } => {
                let seen = get(&mut client, drop.clone()).await?;
                let expected_version = Some(seen.version);
                let request = DeleteFileDropRequest { request_id, file_drop_id: drop, expected_version };
                client.delete_file_drop(request).await?;
                seen
            }
        };
        show::answer(caller.json, &one, text::file_drop)
    }
}

#[derive(Args)]
pub(crate) struct DroppedFiles {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: FileVerb,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateOf {
    /// Noted, and about to be read
    Waiting,
    /// Its rows are being registered
    Reading,
    /// Read, and moved
    Done,
    /// Refused whole
    Refused,
}

#[derive(Subcommand)]
enum FileVerb {
    /// Lists files that were put into drops, newest first
    List {
        /// Only those of this drop
        #[arg(long, default_value = "", hide_default_value = true)]
        drop: String,
        /// Only those of which this became
        #[arg(long)]
        state: Option<StateOf>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i32,
    },
    /// Shows a file: how far it is, what its rows became, and the first problems
    Show {
        /// Id of the file
        file: String,
    },
}

impl DroppedFiles {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut client = Client::new(caller.client.calls());
        match self.verb {
            FileVerb::List { drop, state, limit } => {
                ensure!(limit > 0, "--limit must be at least 1");
                let state = state.map(|state| match state {
                    StateOf::Waiting => DroppedFileState::Waiting,
                    StateOf::Reading => DroppedFileState::Reading,
                    StateOf::Done => DroppedFileState::Done,
                    StateOf::Refused => DroppedFileState::Refused,
                });
                let request = ListDroppedFilesRequest {
                    page_size: limit,
                    page_token: String::new(),
                    file_drop_id: drop,
                    state: state.unwrap_or_default().into(),
                };
                let found = client.list_dropped_files(request).await?.into_inner();
                show::answer(caller.json, &found, text::dropped_files)
            }
            FileVerb::Show { file } => {
                let request = GetDroppedFileRequest { dropped_file_id: file };
                let found = client.get_dropped_file(request).await?.into_inner();
                show::answer(caller.json, &found.dropped_file.unwrap_or_default(), text::dropped_file)
            }
        }
    }
}
