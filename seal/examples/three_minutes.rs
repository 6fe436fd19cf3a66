//! The sealed register in three minutes: from a Smart Meter Texas file to a vendor's view of it.
//!
//! `cargo run --release -p sealed-register --example three_minutes [FILE.csv]`; without a file an invented home is used.
//! No chain is needed to see how it works: where one would stand, the example says so.

use sealed_register::{
    amend::{decide, Decision, SealedVersion},
    batch::PushError,
    delivery::{open_delivery, plan_segments, seal_delivery, ConsentTerms, Deliverer, DeliveryContext, Purpose},
    finalized::{BlockRef, RootStatement},
    grantee::{grantee_hash, GranteeSecret},
    kem::KemSecret,
    open::open_with,
    plain_words::{plain_words, text_hash, Language, PlainTerms},
    proof::{Body, Form},
    reopen,
    secrets::secret_from_signature,
    verified::VerifiedDay,
    verify::VerifyError,
    *,
};
use smart_meter_texas::{csv, generate, Calendar};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    hash::{BuildHasher, RandomState},
    time::Instant,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Stream = (MeterId, Channel);

/// 25 kWh in a quarter hour: twice what a 200 A service at 240 V can carry.
const MAX_WH: u32 = 25_000;
/// Genesis hash of a chain.
const GENESIS: Hash = [0x77; 32];
/// Nobody's access has ended yet.
const EPOCH: u32 = 0;

fn main() -> Result<()> {
    let calendar = Calendar::us_rule(2007, 2050)?;
    let utility = Utility::new()?;

    heading("1. The utility reads the file and seals it");
    let (mut register, days) = (Register::new(&utility), read_file(&calendar)?);
    let start = Instant::now();
    let counts = register.ingest(&utility, &days)?;
    let took = start.elapsed();
    println!("{counts} in {:.1} ms, {} batches", took.as_secs_f64() * 1e3, register.batch);
    println!("What one without keys sees of the first cell:\n  {}", first_words(&register)?);

    heading("2. A vault checks every batch; the chain has 32 bytes of it");
    let root = register.finalized_root();
    println!(
        "{} cells checked and stored, root {}",
        register.vault.values().map(Vec::len).sum::<usize>(),
        hex(root.root())
    );

    heading("3. The customer agrees to daily totals");
    let (meter, range) = register.first_meter()?;
    let vendor = Vendor::new()?;
    let terms = consent(&meter, &utility, &vendor, range);
    let context = DeliveryContext {
        genesis: GENESIS,
        deliverer: Deliverer::Utility,
        account: [0x55; 32],
        consent: [0x66; 32],
        terms,
    };
    let key = utility.secrets.meter_key(&utility.name, &meter);
    let segments = plan_segments(&[], EPOCH, range);
    let sealed =
        seal_delivery(&context, &segments, |epoch| Some(key.epoch_key(epoch)), &vendor.kem.public(), &random())?;
    println!("\nThe keys of {range} at day level, sealed to the vendor: {} bytes", sealed.len());

    heading("4. The vendor verifies and opens");
    let delivery = open_delivery(&context, EPOCH, &vendor.kem, &sealed)?;
    let keyring = delivery.keyring();
    let stream = register.stream((meter, Channel::Consumption));
    let day_level = RangeRequest { stream, range, level: Level::Day, segments, form: Form::Compact };
    let proof = register.answer(&day_level)?;
    println!("answer of the vault: {} bytes for {} days", proof.len(), range.len());
    let verified = verify_range(&day_level, &RangeProof::decode(&proof)?, &root, &root, &keyring)?;
    show(&verified, &keyring, &calendar)?;
    println!("root learnt from: {}; {}", verified.provenance(), verified.currency());

    heading("5. Quarter hours stay closed");
    let quarters = RangeRequest { level: Level::Quarter, ..day_level.clone() };
    let proof = RangeProof::decode(&register.answer(&quarters)?)?;
    println!("{}", refused(verify_range(&quarters, &proof, &root, &root, &keyring))?);

    heading("6. One flipped bit is named");
    for form in [Form::Compact, Form::Explained] {
        let request = RangeRequest { form, ..day_level.clone() };
        let proof = flip_a_bit(RangeProof::decode(&register.answer(&request)?)?)?;
        println!("{form:?}: {}", refused(verify_range(&request, &proof, &root, &root, &keyring))?);
    }
    Ok(())
}

fn heading(text: &str) {
    println!("\n=== {text}");
}

fn refused(result: std::result::Result<VerifiedRange, VerifyError>) -> Result<VerifyError> {
    result.err().ok_or_else(|| "this should have been refused".into())
}

/// The readings of the file named on the command line, or of an invented home.
fn read_file(calendar: &Calendar) -> Result<Vec<smart_meter_texas::MeterDay>> {
    let file = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => {
            let day = |month, day| smart_meter_texas::OperatingDay::from_ymd(2026, month, day).ok_or("no such day");
            let mut file = Vec::new();
            generate::write_csv(generate::homes(7, 1), calendar, day(2, 20)?..=day(3, 21)?, &mut file)?;
            file
        }
    };
    let (mut days, report) = csv::read(&file, calendar, csv::Limits::default())?;
    println!("{} rows, {} days and revisions, {} rows refused", report.rows, days.len(), report.refused_rows);
    // Older revisions first: a file may have them in any order.
    days.sort_by_key(|day| (day.esi_id.as_str().to_string(), day.channel, day.day, day.revision_date));
    Ok(days)
}

/// The utility with its secrets.
struct Utility {
    name: OrganisationId,
    secrets: UtilitySecrets,
}

impl Utility {
    fn new() -> Result<Self> {
        let name = OrganisationId::new("demo-utility")?;
        // A node signs `secret_message` with an ed25519 key of its keystore. Here random bytes stand for the signature.
        let secret = |purpose| secret_from_signature(purpose, &random_signature());
        let secrets = UtilitySecrets {
            id: secret(SecretPurpose::Id),
            seal: secret(SecretPurpose::Seal { generation: 0 }),
            siv: secret(SecretPurpose::Siv),
            ticket: secret(SecretPurpose::Ticket),
            generation: 0,
        };
        Ok(Self { name, secrets })
    }
}

fn random_signature() -> [u8; 64] {
    let mut signature = [0; 64];
    signature.chunks_exact_mut(32).for_each(|half| half.copy_from_slice(random().expose()));
    signature
}

/// Random bytes for an example: the seed that the operating system gives to hash maps. Programs use getrandom.
fn random() -> Secret {
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&RandomState::new().hash_one("example").to_le_bytes());
    }
    Secret::from_bytes(bytes)
}

/// The vendor: a name, a secret for this one request, a key for deliveries.
struct Vendor {
    name: OrganisationId,
    secret: Secret,
    kem: KemSecret,
}

impl Vendor {
    fn new() -> Result<Self> {
        let name = OrganisationId::new("demo-vendor")?;
        Ok(Self { name, secret: random(), kem: KemSecret::from_seed(random()) })
    }
}

/// What the customer is shown and signs.
fn consent(meter: &MeterId, utility: &Utility, vendor: &Vendor, data: DayRange) -> ConsentTerms {
    let access = DayRange { first: data.last, last: OperatingDay(data.last.0.saturating_add(365)) };
    let (channels, level, purpose) = (Channels::Consumption, Level::Day, Purpose::EnergyAdvice);
    let shown = PlainTerms { name: "Sunny Advice", channels, level, data, access, purpose };
    let text = plain_words(&shown, Language::English);
    println!("{text}");
    ConsentTerms {
        utility: utility.name,
        meter: *meter,
        grantee: grantee_hash(&vendor.name, vendor.secret.expose()),
        channels,
        level,
        data,
        access,
        purpose,
        text_hash: text_hash(&GranteeSecret(*vendor.secret.expose()), Language::English, &text),
    }
}

/// Heads of the utility and the store of a vault; the vault has its own copy of the heads.
struct Register {
    heads: Heads,
    vault_heads: Heads,
    vault: BTreeMap<Stream, Vec<SealedCell>>,
    batch: u32,
    root: Hash,
}

/// What became of the days of a file.
#[derive(Default)]
struct Counts {
    sealed: u32,
    amended: u32,
    same: u32,
    older: u32,
    held: u32,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sealed, amended, same, older, held } = self;
        write!(f, "days sealed: {sealed}, amendments: {amended}, the same: {same}, older: {older}, held: {held}")
    }
}

impl Register {
    fn new(utility: &Utility) -> Self {
        // One shard: up to 16,384 meters.
        let shard = Shard { genesis: GENESIS, utility: utility.name, id: ShardId(0), bits: 0 };
        let heads = Heads::new(shard);
        Self { vault_heads: heads.clone(), heads, vault: BTreeMap::new(), batch: 0, root: [0; 32] }
    }

    fn stream(&self, (meter, channel): Stream) -> StreamId {
        self.heads.stream(&meter, channel)
    }

    /// Seals what is new, batch by batch.
    fn ingest(&mut self, utility: &Utility, days: &[smart_meter_texas::MeterDay]) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut newest: BTreeMap<(Stream, OperatingDay), SealedVersion> = BTreeMap::new();
        let mut builder = BatchBuilder::new(*self.heads.shard(), self.batch + 1);
        let mut chunks = Vec::new();
        for day in days {
            let readings = convert(day);
            let meter = utility.secrets.meter_id(day.esi_id.as_str(), 0);
            let (stream, key) = ((meter, readings.channel), utility.secrets.meter_key(&utility.name, &meter));
            let previous = newest.get(&(stream, readings.day));
            let (revision, readings) = match decide(previous, &readings) {
                Decision::First => (0, readings),
                Decision::Amend { revision, readings } => (revision, readings),
                Decision::Same => {
                    counts.same += 1;
                    continue;
                }
                Decision::Older => {
                    counts.older += 1;
                    continue;
                }
                Decision::Held(why) => {
                    println!("held: {}: {why}", readings.day);
                    counts.held += 1;
                    continue;
                }
            };
            *(if revision == 0 { &mut counts.sealed } else { &mut counts.amended }) += 1;
            let head = self.heads.head(&meter, readings.channel);
            let (siv, id) = (&utility.secrets.siv, self.stream(stream));
            let cell = StreamSealer::new(&key, siv, id, EPOCH, head, MAX_WH).seal_day(&readings, revision)?;
            match builder.push(&mut self.heads, &cell) {
                Ok(chunk) => chunks.extend(chunk),
                Err(PushError::Full { .. }) => {
                    self.commit(builder, &mut chunks)?;
                    builder = BatchBuilder::new(*self.heads.shard(), self.batch + 1);
                    chunks.extend(builder.push(&mut self.heads, &cell)?);
                }
                Err(error) => return Err(error.into()),
            }
            newest.insert((stream, readings.day), SealedVersion { revision, readings: Some(reopen(&key, &cell)?) });
        }
        self.commit(builder, &mut chunks)?;
        Ok(counts)
    }

    /// The utility commits; the vault takes the body only if every cell and the root fit.
    fn commit(&mut self, builder: BatchBuilder, chunks: &mut Vec<Vec<u8>>) -> Result<()> {
        let Some((last, summary)) = builder.finish(&self.heads) else { return Ok(()) };
        chunks.push(last);
        let mut check = BatchVerifier::new(summary, self.batch + 1, self.vault_heads.clone());
        for chunk in chunks.drain(..) {
            for (cell, _) in check.chunk(&chunk, &mut Chain(&self.vault))? {
                self.vault.entry((cell.header.meter, cell.header.channel)).or_default().push(cell);
            }
        }
        self.vault_heads = check.finish()?;
        self.batch += 1;
        self.root = summary.root;
        Ok(())
    }

    /// What a reader's own node would say after finality.
    fn finalized_root(&self) -> FinalizedRoot {
        FinalizedRoot::from_own_node(RootStatement {
            shard: *self.heads.shard(),
            batch_sequence: self.batch,
            root: self.root,
            block: BlockRef { number: 1, hash: [1; 32] },
        })
    }

    fn first_meter(&self) -> Result<(MeterId, DayRange)> {
        let consumption = |((_, channel), _): &(&Stream, &Vec<SealedCell>)| *channel == Channel::Consumption;
        let (stream, cells) = self.vault.iter().find(consumption).ok_or("the file has no consumption")?;
        let days = || cells.iter().map(|cell| cell.header.day);
        let range = days().min().zip(days().max()).and_then(|(first, last)| DayRange::new(first, last));
        Ok((stream.0, range.ok_or("the stream has no cells")?))
    }

    /// The vault's answer.
    fn answer(&self, request: &RangeRequest) -> Result<Vec<u8>> {
        let cells = self.vault.get(&(request.stream.meter, request.stream.channel)).map_or(&[][..], Vec::as_slice);
        let newest_first = cells.iter().rev().cloned().map(Ok::<_, Infallible>);
        Ok(build_range(request, newest_first, &self.vault_heads.tree(self.batch))?.encode())
    }
}

/// What a vault asks the chain and its store while it checks a batch.
struct Chain<'a>(&'a BTreeMap<Stream, Vec<SealedCell>>);

impl BatchContext for Chain<'_> {
    fn epoch(&mut self, _: &MeterId) -> Option<u32> {
        Some(EPOCH)
    }

    fn newest_revision(&mut self, meter: &MeterId, channel: Channel, day: OperatingDay) -> Option<u16> {
        let cells = self.0.get(&(*meter, channel))?;
        cells.iter().rfind(|cell| cell.header.day == day).map(|cell| cell.header.revision)
    }
}

fn convert(day: &smart_meter_texas::MeterDay) -> DayReadings {
    let reading = |interval: &smart_meter_texas::Interval| Reading {
        wh: interval.wh,
        quality: match interval.quality {
            smart_meter_texas::Quality::Actual => Quality::Actual,
            smart_meter_texas::Quality::Estimated => Quality::Estimated,
            smart_meter_texas::Quality::Missing => Quality::Missing,
        },
    };
    DayReadings {
        channel: match day.channel {
            smart_meter_texas::Channel::Consumption => Channel::Consumption,
            smart_meter_texas::Channel::Generation => Channel::Generation,
        },
        day: OperatingDay(day.day.0),
        revision_date: day.revision_date.0,
        intervals: day.intervals.iter().map(reading).collect(),
    }
}

fn first_words(register: &Register) -> Result<String> {
    let cell = register.vault.values().flatten().next().ok_or("nothing was sealed")?;
    let words: Vec<String> = cell.quarter.iter().take(4).map(|word| format!("{word:016x}")).collect();
    Ok(format!("meter {}, {}, words {} ...", cell.header.meter, cell.header.day, words.join(" ")))
}

/// The vendor's table.
fn show(verified: &VerifiedRange, keyring: &Keyring, calendar: &Calendar) -> Result<()> {
    let mut keys = keyring.cursor();
    let mut total = 0;
    for (at, (day, known)) in verified.days().enumerate() {
        let line = match known {
            VerifiedDay::NotCommitted => "not published".into(),
            VerifiedDay::Committed(cell) => {
                let n = Intervals::from_count(calendar.intervals(smart_meter_texas::OperatingDay(day.0)));
                let opened = open_with(cell, &mut keys, n.ok_or("the calendar has an impossible day")?)?.total();
                total += opened.wh;
                let kwh = opened.wh as f64 / 1e3;
                let revision = cell.header().revision;
                format!(
                    "{kwh:8.3} kWh, {} estimated, {} missing, revision {revision}",
                    opened.estimated, opened.missing
                )
            }
        };
        if at < 5 {
            println!("  {day} {line}");
        }
    }
    println!("  ... {:.3} kWh in {} days", total as f64 / 1e3, verified.range().len());
    Ok(())
}

/// What a dishonest vault might do: one bit of one daily total.
fn flip_a_bit(mut proof: RangeProof) -> Result<RangeProof> {
    let middle = proof.elements.len() / 2;
    let words = proof.elements.iter_mut().skip(middle).find_map(|element| match &mut element.body {
        Body::Opened { words: [day, ..], .. } => day.first_mut(),
        Body::Hidden(_) => None,
    });
    *words.ok_or("no cell with words")? ^= 1 << 10;
    Ok(proof)
}
