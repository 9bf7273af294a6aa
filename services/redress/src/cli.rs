//! The command line: one file a noun, each rpc a verb.

mod agent;
mod agent_file;
mod approval;
mod attachment;
mod calendar;
mod call_back;
mod capa;
mod case;
mod category;
mod channel;
mod classifier;
mod clock;
mod complainant;
mod conformance;
mod connection;
mod demo;
mod directory;
mod endpoint;
mod event;
mod export;
mod feedback;
mod file_drop;
mod form;
mod group;
mod health;
mod import;
mod investigation;
mod ivr_menu;
mod keys;
mod knowledge;
mod kpi;
mod ledger;
mod mailbox;
mod moment;
mod plan;
mod policy;
mod post;
mod problem;
mod quality;
mod recall;
mod reconcile;
mod refused;
mod regulator_return;
mod remedy_type;
mod report;
mod roster;
mod routing;
mod rules;
mod signal;
mod stock;
mod submit;
mod subscription;
mod supervision;
mod survey;
mod task;
mod template;
mod topic;
mod training;
mod up;
mod webhook_source;
mod worker;

use std::future::Future;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Complaint handling: five services, and the words to talk to them.
#[derive(Parser)]
#[command(name = "redress", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Where to begin: `redress demo` shows everything at work; `redress up` starts the \
    five services with a database of their own; then `redress submit --help`.")]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Starts all five services in this process, with a Postgres of their own unless
    /// DATABASE_URL names one
    Up(Box<up::Up>),
    /// Creates roles and schemas, and brings them up to date
    Migrate(up::Migrate),
    /// Shows everything at work on a sample of complaints
    Demo(demo::Demo),
    /// Makes signing keys and tokens
    Keys(keys::Keys),
    /// Asks whether a server is ready; fails when it is not
    Health(health::Health),
    /// Registers a complaint
    Submit(Box<submit::Submit>),
    /// Registers the complaints of a file (tables, JSON lines; plain or .gz)
    Import(import::Import),
    /// Works on cases
    Case(case::Cases),
    /// Files that complaints refer to, and what is accepted of them
    Attachment(attachment::Attachments),
    /// What is settled about the channels complaints come by
    Channel(channel::Channels),
    /// Mailboxes that complaints arrive in, and how far each is read
    Mailbox(mailbox::Mailboxes),
    /// Mails that arrived, and what became of each
    Mail(mailbox::Mails),
    /// Systems that post what they find on a network, and how it is read
    WebhookSource(webhook_source::WebhookSources),
    /// Posts that arrived, what became of each, and what is answered in public
    Post(post::Posts),
    /// Places that files of complaints are put into, and how far each is watched
    FileDrop(file_drop::FileDrops),
    /// Files that were put into drops, and what became of each
    DroppedFile(file_drop::DroppedFiles),
    /// What is asked of complaints, and what is added to them later
    Form(form::Forms),
    /// What the keys of the telephone system mean
    IvrMenu(ivr_menu::IvrMenus),
    /// By what cases are triaged, and why one was so
    Rules(rules::Rules),
    /// What complaints can be about, as a tree
    Category(category::Categories),
    /// By which days and hours due times are counted
    Calendar(calendar::Calendars),
    /// By when what is owed, why then, and more time
    Clock(clock::Clocks),
    /// What is promised, and what is done as time runs out
    Policy(policy::Policies),
    /// Holds together the cases of many complainants about one matter
    Group(group::Groups),
    /// Learns from past cases what complaints are about
    Classifier(classifier::Classifiers),
    /// What is known about matters that come again: articles, and the cases they grow from
    Knowledge(knowledge::Knowledge),
    /// What complaints speak of more often of late than before
    Topic(topic::Topics),
    /// Cases to learn from, made of closed ones without personal data
    Training(training::Trainings),
    /// Shows the public progress of the complaint whose receipt code is given
    Track(submit::Track),
    /// What somebody who has the receipt code says as the complainant: answers, adds, withdraws
    Complainant(complainant::Complainants),
    /// Lists the cases that wait for a handler
    Queue(roster::Queue),
    /// Who handles cases
    Agent(agent::Agents),
    /// How handlers are chosen, and why one was
    Routing(routing::Routing),
    /// Which departments there are
    Department(roster::Departments),
    /// Proposes, approves and looks at remedy plans
    Plan(plan::Plans),
    /// How plans are approved, and who approves for whom
    Approval(approval::Approvals),
    /// What was promised, approved, paid and collected again, sum by sum
    Ledger(ledger::Ledger),
    /// Holds a department's own statement against the ledger; fails where they differ
    Reconcile(reconcile::Reconcile),
    /// Asks departments for evidence and statements on a case
    Investigation(investigation::Investigations),
    /// Goods that departments lack for what they have to do
    Stock(stock::Stock),
    /// Recalls an article with a defect: many cases, tasks to each department, one view
    Recall(recall::Recalls),
    /// Looks at what departments have to do
    Task(task::Tasks),
    /// Where departments that cannot poll have their tasks brought to, and what was brought
    Endpoint(endpoint::Endpoints),
    /// Where the company's own directory of customers, orders and products is
    Directory(directory::Directories),
    /// Where events are posted to as CloudEvents, for those who cannot read the feed
    Subscription(subscription::Subscriptions),
    /// Types of remedy of your own: what a step of one brings, and what comes of it
    RemedyType(remedy_type::RemedyTypes),
    /// What complainants say to an outcome
    Feedback(feedback::FeedbackArgs),
    /// Lists what complainants were, or could not be, told
    #[command(visible_alias = "notice")]
    Notices(feedback::Notices),
    /// What complainants are asked once they were told an outcome
    Survey(survey::Surveys),
    /// Complainants who are called back, and what came of it
    Callback(call_back::CallBacks),
    /// What complaint handling comes to, in figures
    Kpi(kpi::Kpis),
    /// More complaints than usual: of all, of a category, a product, a region
    Signal(signal::Signals),
    /// What many complaints have in common, and its root cause
    Problem(problem::Problems),
    /// Reports on a month, a quarter or a year, and when they are made by themselves
    Report(report::Reports),
    /// Returns to regulators: checked, and written where they are complete
    Return(regulator_return::Returns),
    /// Writes what other programs take: process mining
    Export(export::Export),
    /// What is done about problems, and whether it has helped
    Capa(capa::Capa),
    /// How well closed cases were handled, by sample, and what the work of handlers came to
    Quality(quality::Quality),
    /// Which open cases are overdue, escalated, reopened, disputed; who sits on what
    Supervision(supervision::Supervision),
    /// The words of notices, and when nobody is written to
    Template(template::Templates),
    /// Carries out a department's tasks, for trying out: nothing is paid or shipped
    Worker(worker::WorkerArgs),
    /// Tries whether a program of yours keeps what its part promises
    Conformance(Box<conformance::Conformance>),
    /// Reads what happened, as it happens
    Events(event::Events),
    /// Events that a service could not apply
    Parked(event::Parked),
}

/// What a process ends with whose command line cannot be read, as clap has it.
const WRONG_USAGE: u8 = 2;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    let verb = match CommandLine::try_parse() {
        Ok(line) => line.verb,
        Err(error) if as_json && error.use_stderr() => {
            eprint!("{}", refused::usage_as_json(&error));
            return ExitCode::from(WRONG_USAGE);
        }
        Err(error) => error.exit(),
    };
    match run(verb) {
        Ok(code) => code,
        // Whoever reads our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if as_json => {
            eprint!("{}", refused::as_json(&error));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprint!("{}", show::escaped(&refused::explain(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Up(args) => args.run(),
        Verb::Migrate(args) => wait(args.run()),
        Verb::Demo(args) => args.run(),
        Verb::Keys(args) => args.run(),
        Verb::Health(args) => wait(args.run()),
        Verb::Submit(args) => wait(args.run()),
        Verb::Import(args) => wait(args.run()),
        Verb::Case(args) => wait(args.run()),
        Verb::Attachment(args) => wait(args.run()),
        Verb::Channel(args) => wait(args.run()),
        Verb::Mailbox(args) => wait(args.run()),
        Verb::Mail(args) => wait(args.run()),
        Verb::WebhookSource(args) => wait(args.run()),
        Verb::Post(args) => wait(args.run()),
        Verb::FileDrop(args) => wait(args.run()),
        Verb::DroppedFile(args) => wait(args.run()),
        Verb::Form(args) => wait(args.run()),
        Verb::IvrMenu(args) => wait(args.run()),
        Verb::Rules(args) => wait(args.run()),
        Verb::Category(args) => wait(args.run()),
        Verb::Calendar(args) => wait(args.run()),
        Verb::Clock(args) => wait(args.run()),
        Verb::Policy(args) => wait(args.run()),
        Verb::Group(args) => wait(args.run()),
        Verb::Classifier(args) => wait(args.run()),
        Verb::Knowledge(args) => wait(args.run()),
        Verb::Topic(args) => wait(args.run()),
        Verb::Training(args) => wait(args.run()),
        Verb::Track(args) => wait(args.run()),
        Verb::Complainant(args) => wait(args.run()),
        Verb::Queue(args) => wait(args.run()),
        Verb::Agent(args) => wait(args.run()),
        Verb::Routing(args) => wait(args.run()),
        Verb::Department(args) => wait(args.run()),
        Verb::Plan(args) => wait(args.run()),
        Verb::Approval(args) => wait(args.run()),
        Verb::Ledger(args) => wait(args.run()),
        Verb::Reconcile(args) => wait_for(args.run()),
        Verb::Investigation(args) => wait(args.run()),
        Verb::Stock(args) => wait(args.run()),
        Verb::Recall(args) => wait(args.run()),
        Verb::Task(args) => wait(args.run()),
        Verb::Endpoint(args) => wait(args.run()),
        Verb::Directory(args) => wait(args.run()),
        Verb::Subscription(args) => wait(args.run()),
        Verb::RemedyType(args) => wait(args.run()),
        Verb::Feedback(args) => wait(args.run()),
        Verb::Notices(args) => wait_for(args.run()),
        Verb::Survey(args) => wait(args.run()),
        Verb::Callback(args) => wait(args.run()),
        Verb::Kpi(args) => wait(args.run()),
        Verb::Signal(args) => wait(args.run()),
        Verb::Problem(args) => wait(args.run()),
        Verb::Report(args) => wait(args.run()),
        Verb::Return(args) => wait(args.run()),
        Verb::Export(args) => wait(args.run()),
        Verb::Capa(args) => wait(args.run()),
        Verb::Quality(args) => wait(args.run()),
        Verb::Supervision(args) => wait(args.run()),
        Verb::Template(args) => wait(args.run()),
        Verb::Worker(args) => wait(args.run()),
        Verb::Conformance(args) => wait_for(args.run()),
        Verb::Events(args) => wait(args.run()),
        Verb::Parked(args) => wait(args.run()),
    }
}

/// Runs what waits for answers; it fails, or has succeeded.
fn wait(verb: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    wait_for(async { verb.await.map(|()| ExitCode::SUCCESS) })
}

/// Runs what waits for answers, and says itself whether it has succeeded.
fn wait_for(verb: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(verb)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::command().debug_assert();
    }

    /// The arguments of a verb and of those below it that have no word of help.
    fn unexplained(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
        let silent = |argument: &&clap::Arg| {
            let help = argument.get_help().or(argument.get_long_help());
            help.is_none_or(|help| help.to_string().trim().is_empty())
        };
        found.extend(shown.filter(silent).map(|argument| format!("{path}: {}", argument.get_id())));
        // Clap's own `help` names all verbs once more.
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            unexplained(verb, &path, found);
        }
    }

    #[test]
    fn every_argument_of_every_verb_has_its_help() {
        let mut command = CommandLine::command();
        command.build();
        let mut found = Vec::new();
        unexplained(&command, "", &mut found);
        assert!(found.is_empty(), "without help:\n{}", found.join("\n"));
    }

    /// Where one of two will do, the refusal names both: it named one only.
    #[test]
    fn a_missing_argument_names_each_that_would_serve() {
        let cases: [(&[&str], [&str; 2]); 5] = [
            (&["task", "list"], ["--case", "--department"]),
            (&["plan", "propose", "1"], ["--step", "--file"]),
            (&["policy", "add"], ["PACK", "--file"]),
            (&["form", "add", "1"], ["TEXT", "--answer"]),
            (&["ivr-menu", "try"], ["KEYS", "--latest"]),
        ];
        for (words, either) in cases {
            let Err(refusal) = CommandLine::try_parse_from([&["redress"], words].concat()) else {
                panic!("{words:?} is taken");
            };
            let said = refusal.to_string();
            assert!(either.iter().all(|one| said.contains(one)), "{words:?}: {said}");
        }
    }
}
