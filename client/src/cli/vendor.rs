//! `wattseal vendor`.

use super::{
    args::{channels, consent, days, language, level, purpose, Export, Keys, Node, Patience, Vault},
    customer::{new_keys, show_keys},
    output::Output,
};
use crate::{
    files::{text_argument, write_atomically, Access},
    links::{qr_svg, request_link, Statement},
    reading::Cursor,
    vendor::{Draft, Vendor as Company},
    ClientError, Result,
};
use clap::{Args, Subcommand};
use sealed_register::{
    delivery::{Deliverer, Purpose},
    plain_words::Language,
    statement::{Reference, VendorName, Word},
    types::hex,
    Channels, DayRange, Hash, Level, OperatingDay, OrganisationId,
};
use serde_json::{json, Value};
use std::path::PathBuf;

const ROLE: &str = "vendor";

#[derive(Debug, Subcommand)]
pub(super) enum Vendor {
    /// Your account, and the X-Wing key to which consents' keys are sealed.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make a link (and a QR code) that asks a customer.
    Link(Link),
    /// Carry a signed consent to the chain, and ask the utility's node for its keys.
    Relay(Relay),
    /// Collect a consent's keys, test them, keep them.
    Collect(Collect),
    /// Fetch readings: verified, opened, written.
    Fetch(Fetch),
    /// The consents held here.
    Consents(Keys),
    /// Give a consent back. This shows on chain that it was yours.
    GiveBack(GiveBack),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a recovery phrase. It is printed once: write it down.
    New(Keys),
    /// Show the account.
    Show(Keys),
    /// Make a new X-Wing key and set it on chain, for 31 days. Older secrets are deleted when nothing needs them.
    Register(Register),
}

#[derive(Debug, Args)]
pub(super) struct Register {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Link {
    /// The name you go by.
    #[arg(long, value_parser = name)]
    name: VendorName,
    /// Only for meters of this utility [default: any].
    #[arg(long)]
    utility: Option<OrganisationId>,
    /// consumption, generation or both.
    #[arg(long, value_parser = channels, default_value = "consumption")]
    channels: Channels,
    /// Finest resolution: day, hour, 15min.
    #[arg(long, value_parser = level)]
    level: Level,
    /// Operating days: FIRST..LAST.
    #[arg(long, value_parser = days)]
    data: DayRange,
    /// Days on which you fetch: FIRST..LAST.
    #[arg(long, value_parser = days)]
    access: DayRange,
    /// energy-advice, solar-sizing, demand-response, rate-comparison, storage, electric-vehicle, research, other.
    #[arg(long, value_parser = purpose)]
    purpose: Purpose,
    /// Language of the words: en, es.
    #[arg(long, value_parser = language, default_value = "en")]
    language: Language,
    /// Your own reference, 1 to 32 visible ASCII characters.
    #[arg(long, value_parser = reference)]
    reference: Reference,
    /// Last day on which it may be answered.
    #[arg(long)]
    expires: OperatingDay,
    /// Also write a QR code (SVG) here.
    #[arg(long, value_name = "FILE")]
    qr: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Relay {
    /// The signed consent: link, text, file, or - for standard input.
    signed: String,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(super) struct Collect {
    /// The consent, 0x and 64 digits.
    #[arg(value_parser = consent)]
    consent: Hash,
    #[command(flatten)]
    vault: Vault,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(super) struct Fetch {
    /// The consent, 0x and 64 digits.
    #[arg(value_parser = consent)]
    consent: Hash,
    /// Only days that are new or revised since the fetch that gave this cursor (its last line names it).
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    since: Option<Cursor>,
    #[command(flatten)]
    export: Export,
    #[command(flatten)]
    vault: Vault,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    patience: Patience,
}

#[derive(Debug, Args)]
pub(super) struct GiveBack {
    /// The consent, 0x and 64 digits.
    #[arg(value_parser = consent)]
    consent: Hash,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

fn name(text: &str) -> Result<VendorName, String> {
    let form = "a name has 1 to 64 bytes of Latin letters (at least one), digits, single spaces and . , & ' - ( ) + /";
    VendorName::new(text).ok_or_else(|| form.into())
}

fn reference(text: &str) -> Result<Reference, String> {
    let form = "a reference has 1 to 32 visible ASCII characters, spaces only inside";
    Reference::new(text).ok_or_else(|| form.into())
}

fn cursor(text: &str) -> Result<Cursor, String> {
    text.parse().map_err(|error: ClientError| error.to_string())
}

fn company(keys: &Keys) -> Result<Company> {
    Ok(Company::new(keys.account(ROLE)?, keys.profile(ROLE)?))
}

impl Vendor {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        match self {
            Self::Keys(KeysCommand::New(keys)) => new_keys(output, &keys.profile(ROLE)?),
            Self::Keys(KeysCommand::Show(keys)) => show_keys(output, &keys.account(ROLE)?),
            Self::Keys(KeysCommand::Register(command)) => {
                let included = company(&command.keys)?.register_key(&command.node.chain().await?).await?;
                output.included("X-Wing key set for 31 days", &included);
                Ok(())
            }
            Self::Link(command) => command.run(output).await,
            Self::Relay(command) => command.run(output).await,
            Self::Collect(command) => command.run(output).await,
            Self::Fetch(command) => command.run(output).await,
            Self::Consents(keys) => consents(output, &company(&keys)?),
            Self::GiveBack(command) => {
                let company = company(&command.keys)?;
                let included = company.give_back(&command.node.chain().await?, &command.consent).await?;
                output.included("given back", &included);
                Ok(())
            }
        }
    }
}

impl Link {
    async fn run(self, output: &Output) -> Result<()> {
        let company = company(&self.keys)?;
        let chain = self.node.chain().await?;
        let draft = Draft {
            name: self.name,
            utility: self.utility,
            channels: self.channels,
            level: self.level,
            data: self.data,
            access: self.access,
            purpose: self.purpose,
            language: self.language,
            reference: self.reference,
            expires: self.expires,
        };
        let request = company.make_request(&chain, &draft).await?;
        let link = request_link(&request);
        if let Some(path) = &self.qr {
            write_atomically(path, qr_svg(&link)?.as_bytes(), Access::Private)?;
        }
        let (words, grantee) = (request.statement.plain_words(), hex(&request.statement.grantee()));
        output.note(&words);
        let value = json!({ "link": link, "words": words, "grantee": grantee, "qr": self.qr });
        output.result(&value, || link.clone());
        Ok(())
    }
}

impl Relay {
    async fn run(self, output: &Output) -> Result<()> {
        let company = company(&self.keys)?;
        let Statement::Consent(signed) = Statement::parse(&text_argument(&self.signed)?)? else {
            return Err(ClientError::Usage("this is no consent: other statements go with 'wattseal relay'".into()));
        };
        let chain = self.node.chain().await?;
        let id = signed.statement.id();
        let included = company.relay(&chain, &signed).await?;
        // The utility's node may be another one, or busy: 'collect' asks again.
        let asked = company.request_delivery(&chain, &id).await;
        if let Err(error) = &asked {
            output.note(&format!("the keys were not asked for yet: {error}"));
        }
        let block = included.map(|block| block.number);
        let value = json!({ "consent": hex(&id), "block": block, "queue": asked.ok() });
        output.result(&value, || match block {
            Some(block) => format!("consent {} is finalised in block {block}", hex(&id)),
            None => format!("consent {} was on chain already", hex(&id)),
        });
        Ok(())
    }
}

impl Collect {
    async fn run(self, output: &Output) -> Result<()> {
        let company = company(&self.keys)?;
        let access = self.vault.access().await?;
        let collected = company.collect(&access, &self.consent, self.patience.duration()).await?;
        let by = match collected.deliverer {
            Deliverer::Utility => "utility",
            Deliverer::Customer => "customer",
        };
        let segment = |segment: &sealed_register::delivery::Segment| {
            json!({
                "epoch": segment.epoch,
                "first": segment.days.first.to_string(),
                "last": segment.days.last.to_string(),
            })
        };
        let value = json!({
            "epoch": collected.epoch,
            "block": collected.block,
            "deliverer": by,
            "segments": collected.segments.iter().map(segment).collect::<Vec<_>>(),
            "tested": collected.tested,
        });
        output.result(&value, || {
            let tested = match collected.tested {
                true => "tested on sealed cells",
                false => "tested as far as cells of each epoch exist",
            };
            format!("keys of epoch {} collected from block {}, by the {by}, {tested}", collected.epoch, collected.block)
        });
        Ok(())
    }
}

impl Fetch {
    async fn run(self, output: &Output) -> Result<()> {
        let company = company(&self.keys)?;
        let access = self.vault.access().await?;
        let mut allowed = company.allowed(&access, &self.consent).await?;
        // Days to come can have no readings yet.
        let today = access.chain()?.finalized().await?.today().await?;
        allowed.range.last = allowed.range.last.min(today).max(allowed.range.first);
        let wanted = self.export.wanted(&allowed)?;
        let bar = output.days_bar();
        let (since, patience) = (self.since.as_ref(), self.patience.duration());
        let fetched = company.fetch(&access, &self.consent, &wanted, since, patience, &bar).await?;
        output.fetched(&fetched, self.export.out.as_deref(), self.export.format())
    }
}

fn consents(output: &Output, company: &Company) -> Result<()> {
    let mut views = Vec::new();
    for (id, record) in company.consents()? {
        let (terms, request) = (record.consent()?.statement.terms, record.request()?.statement);
        views.push(json!({
            "consent": hex(&id),
            "reference": request.reference.as_str(),
            "utility": terms.utility.to_string(),
            "meter": terms.meter.to_string(),
            "channels": terms.channels.word(),
            "level": terms.level.word(),
            "data": terms.data.to_string(),
            "access": terms.access.to_string(),
            "newest_epoch": record.newest_epoch(),
        }));
    }
    let columns = ["reference", "level", "data", "access", "meter", "consent"];
    let row = |view: &Value| columns.iter().map(|name| view[*name].as_str().unwrap_or("-").to_owned()).collect();
    output.result(&Value::Array(views.clone()), || Output::table(&columns, views.iter().map(row)));
    Ok(())
}
