//! Calls that fit together: few meters, few customers, what stands on the chain already, and real signatures.

use crate::chain::{account, key, Chain, SIGNERS};
use arbitrary::Unstructured;
use frame_support::{dispatch::GetDispatchInfo, BoundedVec};
use sealed_register::{
    delivery::{ConsentTerms, Deliverer, Purpose, Segment, METER_KEY_BYTES},
    grantee::grantee_hash,
    kem::OVERHEAD_BYTES,
    statement::{self, Statement},
    tree::Cover,
    Channel, Channels, DayRange, Level, MeterId, OperatingDay, OrganisationId,
};
use sp_core::{sr25519, Pair};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use wattseal_fuzz::edit::{below, byte, choose};
use wattseal_primitives::{
    central_day,
    consent::ReadQuery,
    meters::{MeterClass, MeterEntry},
    organisations::{Duty, Role},
};
use wattseal_runtime::{Address, Consents, Meters, Runtime, RuntimeCall, System};

// Places in `SIGNERS`.
const UTILITY: usize = 1;
const VENDOR: usize = 3;
const FEED: usize = 6;
const DELIVERY: usize = 7;
const CUSTOMERS: [usize; 2] = [8, 9];
/// Members of the council.
const COUNCIL: [usize; 4] = [0, UTILITY, 4, 5];

const NAMES: [&str; 8] =
    ["utility", "vendor", "grid-operator", "regulator", "counsel", "retailer", "vendor-2", "utility-2"];
/// Blocks for which a statement is good.
const GOOD_FOR: u32 = 100;
/// The secret of every consent here.
const SECRET: [u8; 32] = [0x33; 32];

type Council = pallet_collective::Call<Runtime, pallet_collective::Instance1>;
type Seats = pallet_membership::Call<Runtime, pallet_membership::Instance1>;
type Taking = pallet_participants::Call<Runtime>;
type Metering = pallet_meters::Call<Runtime>;
type Committing = pallet_usage::Call<Runtime>;
type Consenting = pallet_consent::Call<Runtime>;

fn name(input: &mut Unstructured<'_>) -> OrganisationId {
    let name = choose(input, &NAMES);
    OrganisationId::new(name).unwrap()
}

fn utility(input: &mut Unstructured<'_>) -> OrganisationId {
    OrganisationId::new(if byte(input) < 240 { NAMES[0] } else { NAMES[7] }).unwrap()
}

fn meter(input: &mut Unstructured<'_>) -> MeterId {
    MeterId([byte(input) % 4; 16])
}

/// Any account, mostly the one that should be.
fn mostly(input: &mut Unstructured<'_>, who: usize) -> usize {
    match byte(input) {
        0..=223 => who,
        other => usize::from(other) % SIGNERS.len(),
    }
}

fn today() -> OperatingDay {
    central_day(pallet_timestamp::Now::<Runtime>::get())
}

fn day(input: &mut Unstructured<'_>) -> OperatingDay {
    let today = today().0;
    let days = [today, today - 1, today + 1, today + 30, today + 364, today + 500, today - 400, 0, 0x7fff, 0xffff];
    OperatingDay(*choose(input, &days))
}

/// A range of days: often one with days in order.
fn range(input: &mut Unstructured<'_>) -> DayRange {
    let (one, other) = (day(input), day(input));
    match byte(input) {
        0..=239 => DayRange { first: one.min(other), last: one.max(other) },
        _ => DayRange { first: one, last: other },
    }
}

fn channels(input: &mut Unstructured<'_>) -> Channels {
    *choose(input, &[Channels::Both, Channels::Consumption, Channels::Generation])
}

fn level(input: &mut Unstructured<'_>) -> Level {
    *choose(input, &Level::ALL)
}

/// The key of a ticket of a meter.
fn ticket(meter: MeterId, issue: u32) -> sr25519::Pair {
    let mut seed = [meter.0[0]; 32];
    seed[..4].copy_from_slice(&issue.to_le_bytes());
    sr25519::Pair::from_seed(&seed)
}

/// A signature over a statement: mostly by the right key.
fn signed(input: &mut Unstructured<'_>, by: &sr25519::Pair, statement: &impl Statement) -> [u8; 64] {
    let by = if byte(input) < 240 { by } else { key(10) };
    by.sign(&statement.message()).0
}

fn last_block(input: &mut Unstructured<'_>) -> u32 {
    let now = System::block_number();
    *choose(input, &[now + GOOD_FOR, now, now - 1, now + 4_096, now + 4_097, u32::MAX])
}

/// A consent on the chain, if there is one.
fn consent(input: &mut Unstructured<'_>) -> (sealed_register::Hash, Option<ConsentTerms>, usize) {
    let all: Vec<_> = pallet_consent::Consents::<Runtime>::iter().collect();
    let Some((id, consent)) = all.get(below(input, all.len())) else { return ([7; 32], None, CUSTOMERS[0]) };
    let terms = ConsentTerms {
        utility: consent.utility,
        meter: consent.meter,
        grantee: consent.grantee,
        channels: consent.channels,
        level: consent.level,
        data: consent.data,
        access: consent.access,
        purpose: consent.purpose,
        text_hash: consent.text_hash,
    };
    let customer = (0..SIGNERS.len()).find(|who| account(*who) == consent.customer);
    (*id, Some(terms), customer.unwrap_or(CUSTOMERS[0]))
}

/// A signer and a call that often succeeds.
pub fn sensible(input: &mut Unstructured<'_>) -> (usize, RuntimeCall) {
    match byte(input) % 16 {
        0 | 1 => (mostly(input, FEED), sync(input)),
        2 | 3 => (mostly(input, DELIVERY), claim(input)),
        4 | 5 => (mostly(input, VENDOR), give(input)),
        6 => (mostly(input, FEED), commit(input)),
        7 | 8 => deliver(input),
        9 => narrow(input),
        10 => {
            let (consent, _, customer) = consent(input);
            let statement =
                statement::Revoke { genesis: Meters::genesis(), consent, last_valid_block: last_block(input) };
            let signature = signed(input, key(customer), &statement);
            let last_block = statement.last_valid_block;
            (mostly(input, DELIVERY), Consenting::revoke { consent, last_block, signature }.into())
        }
        11 => {
            let (consent, ..) = consent(input);
            match byte(input) % 2 {
                0 => (mostly(input, VENDOR), Consenting::give_back { consent, secret: SECRET }.into()),
                _ => (below(input, SIGNERS.len()), Consenting::expire { consent }.into()),
            }
        }
        12 => {
            let (meter, last_day) = (meter(input), day(input));
            (mostly(input, FEED), Metering::close { meter, last_day }.into())
        }
        13 => (mostly(input, UTILITY), Committing::set_shard_bits { bits: byte(input) % 12 }.into()),
        _ => participants(input),
    }
}

fn sync(input: &mut Unstructured<'_>) -> RuntimeCall {
    let entries = (0..1 + byte(input) % 4).map(|_| {
        let (meter, issue) = (meter(input), u32::from(byte(input) % 4));
        MeterEntry {
            meter,
            class: *choose(input, &[MeterClass::Residential, MeterClass::SmallCommercial, MeterClass::LargeCommercial]),
            channels: channels(input),
            tenancy_start: OperatingDay(if byte(input) < 240 { 8_000 } else { 9_000 }),
            ticket_issue: issue,
            ticket_key: if byte(input) < 250 { ticket(meter, issue).public().0 } else { [0; 32] },
        }
    });
    Metering::sync { meters: BoundedVec::truncate_from(entries.collect()) }.into()
}

fn claim(input: &mut Unstructured<'_>) -> RuntimeCall {
    let (utility, meter, issue) = (utility(input), meter(input), u32::from(byte(input) % 4));
    // Mostly with the newest ticket.
    let issue = match pallet_meters::Meters::<Runtime>::get(utility, meter) {
        Some(known) if byte(input) < 224 => known.ticket_issue,
        _ => issue,
    };
    let customer = account(*choose(input, &CUSTOMERS));
    let statement = statement::Claim {
        genesis: Meters::genesis(),
        utility,
        meter,
        issue,
        customer: customer.clone().into(),
        kem_key: [0x66; 32],
        last_valid_block: last_block(input),
    };
    let signature = signed(input, &ticket(meter, issue), &statement);
    let (kem_hash, last_block) = (statement.kem_key, statement.last_valid_block);
    Metering::claim { utility, meter, ticket_issue: issue, customer, kem_hash, last_block, signature }.into()
}

fn give(input: &mut Unstructured<'_>) -> RuntimeCall {
    let (utility, meter) = (utility(input), meter(input));
    let holder = pallet_meters::Meters::<Runtime>::get(utility, meter).and_then(|meter| meter.claim);
    let holder = (0..SIGNERS.len()).find(|who| holder.as_ref().is_some_and(|claim| claim.customer == account(*who)));
    let customer = mostly(input, holder.unwrap_or(CUSTOMERS[0]));
    let terms = ConsentTerms {
        utility,
        meter,
        grantee: grantee_hash(&OrganisationId::new("vendor").unwrap(), &SECRET),
        channels: channels(input),
        level: level(input),
        data: range(input),
        access: range(input),
        purpose: *choose(input, &[Purpose::EnergyAdvice, Purpose::Other]),
        text_hash: [byte(input) % 8; 32],
    };
    let last_block = last_block(input);
    let genesis = Meters::genesis();
    let statement =
        statement::Consent { genesis, terms, customer: account(customer).into(), last_valid_block: last_block };
    let signature = signed(input, key(customer), &statement);
    Consenting::consent { terms, customer: account(customer), last_block, signature }.into()
}

fn narrow(input: &mut Unstructured<'_>) -> (usize, RuntimeCall) {
    let (consent, terms, customer) = consent(input);
    // Mostly the same in all but one thing.
    let mut pick = |same: Option<DayRange>| match (same, byte(input)) {
        (Some(same), 0..=127) => same,
        (Some(same), 128..=191) => DayRange { last: same.first, ..same },
        _ => range(input),
    };
    let data = pick(terms.map(|terms| terms.data));
    let access = pick(terms.map(|terms| terms.access));
    let (channels, level, last_block) = (channels(input), level(input), last_block(input));
    let genesis = Meters::genesis();
    let statement = statement::Narrow { genesis, consent, channels, level, data, access, last_valid_block: last_block };
    let signature = signed(input, key(customer), &statement);
    let call = Consenting::narrow { consent, channels, level, data, access, last_block, signature };
    (mostly(input, DELIVERY), call.into())
}

fn commit(input: &mut Unstructured<'_>) -> RuntimeCall {
    let shard = u16::from(byte(input) % 4);
    let known = pallet_usage::Shards::<Runtime>::get(OrganisationId::new(NAMES[0]).unwrap(), shard);
    let now = System::block_number();
    let as_of = *choose(input, &[now - 1, now, now + 1, now.saturating_sub(150), now.saturating_sub(151)]);
    Committing::commit_batch {
        shard,
        sequence: known.next_sequence + u32::from(byte(input) > 240),
        root: [byte(input); 32],
        body_hash: [byte(input); 32],
        body_bytes: *choose(input, &[1_000, 0, 8 << 20, (8 << 20) + 1]),
        cells: *choose(input, &[1, 0, 8_192, 8_193]),
        days: range(input),
        as_of,
        as_of_hash: System::block_hash(as_of),
    }
    .into()
}

/// The keys of a consent, or of a meter: zeros of the right length.
fn deliver(input: &mut Unstructured<'_>) -> (usize, RuntimeCall) {
    let (consent, terms, customer) = consent(input);
    let Some(terms) = terms.filter(|_| byte(input) < 192) else {
        let meter = meter(input);
        let sealed = BoundedVec::truncate_from(vec![0; METER_KEY_BYTES - usize::from(byte(input) > 240)]);
        let call = Consenting::deliver_meter_key { meter, ticket_issue: u32::from(byte(input) % 4), sealed };
        return (mostly(input, DELIVERY), call.into());
    };
    let present = pallet_meters::Meters::<Runtime>::get(terms.utility, terms.meter).map_or(0, |meter| meter.epoch);
    let epoch = if byte(input) < 240 { present } else { present + 1 };
    let mut segments = vec![Segment { epoch, days: terms.data }];
    if byte(input) < 64 && epoch > 0 {
        segments.insert(0, Segment { epoch: epoch - 1, days: DayRange { last: terms.data.first, ..terms.data } });
    }
    let trees = terms.channels.iter().count() * terms.level.included().count();
    let nodes: usize = segments.iter().map(|segment| Cover::node_count(segment.days).unwrap_or(0) * trees).sum();
    let mut sealed = b"wsd1".to_vec();
    sealed.extend_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
    for Segment { epoch, days } in &segments {
        sealed.extend_from_slice(&epoch.to_le_bytes());
        sealed.extend_from_slice(&days.first.0.to_le_bytes());
        sealed.extend_from_slice(&days.last.0.to_le_bytes());
    }
    sealed.resize(sealed.len() + OVERHEAD_BYTES + 32 * nodes - usize::from(byte(input) > 240), 0);
    let segments = BoundedVec::truncate_from(segments);
    let who = if byte(input) < 128 { DELIVERY } else { customer };
    let sealed = BoundedVec::truncate_from(sealed);
    (mostly(input, who), Consenting::deliver { consent, epoch, segments, sealed }.into())
}

fn participants(input: &mut Unstructured<'_>) -> (usize, RuntimeCall) {
    let text = |input: &mut Unstructured<'_>| {
        choose(input, &["wss://node.example.org", "", "Vendor 2", " ", "http://", "ftp://x", "\u{202e}name", "a\0b"])
            .as_bytes()
    };
    let new_account = account(below(input, SIGNERS.len()));
    let one = below(input, 8);
    let who = mostly(input, one);
    let call = match byte(input) % 5 {
        0 => Taking::set_kem_key { key: BoundedVec::truncate_from(vec![1; 1_216 - usize::from(byte(input) > 200)]) },
        1 => Taking::set_endpoint { endpoint: BoundedVec::truncate_from(text(input).to_vec()) },
        2 => Taking::rotate_account { new_account },
        3 => Taking::set_duty_account { duty: *choose(input, &[Duty::Feed, Duty::Delivery]), account: new_account },
        _ => return (mostly(input, 0), admit(input)),
    };
    (who, call.into())
}

fn admit(input: &mut Unstructured<'_>) -> RuntimeCall {
    let role = *choose(input, &[Role::Vendor, Role::Utility, Role::Retailer, Role::GridOperator]);
    let named = BoundedVec::truncate_from(choose(input, &["Another", "", "  "]).as_bytes().to_vec());
    Taking::admit {
        id: name(input),
        role,
        name: named,
        account: account(below(input, SIGNERS.len())),
        endpoint: BoundedVec::default(),
    }
    .into()
}

/// What only the council may do; `other` gives any call, to be carried out as Root.
pub fn of_the_council(
    input: &mut Unstructured<'_>,
    other: impl FnOnce(&mut Unstructured<'_>) -> RuntimeCall,
) -> RuntimeCall {
    let member = Address::Id(account(below(input, SIGNERS.len())));
    let inner: RuntimeCall = match byte(input) % 10 {
        0 => return Taking::suspend { id: name(input) }.into(),
        1 => return Taking::reinstate { id: name(input) }.into(),
        2 => {
            let new_account = account(below(input, SIGNERS.len()));
            return Taking::replace_account { id: name(input), new_account }.into();
        }
        3 => return admit(input),
        4 => Consenting::set_longest_term { days: u16::from(byte(input)) }.into(),
        5 => {
            let days = |input: &mut Unstructured<'_>| {
                BoundedVec::truncate_from((0..byte(input) % 4).map(|_| day(input)).collect())
            };
            Committing::set_calendar { short: days(input), long: days(input) }.into()
        }
        6 => Seats::add_member { who: member }.into(),
        7 => Seats::remove_member { who: member }.into(),
        _ => other(input),
    };
    Taking::enact { call: Box::new(inner) }.into()
}

/// Carries a motion: proposed, voted for by the whole council, closed.
pub fn carry(chain: &Chain, call: RuntimeCall) {
    let length_bound = u32::try_from(codec::Encode::encoded_size(&call)).unwrap();
    let (hash, weight) = (BlakeTwo256::hash_of(&call), call.get_dispatch_info().call_weight);
    let index = pallet_collective::ProposalCount::<Runtime, pallet_collective::Instance1>::get();
    let proposal = Box::new(call);
    chain.send(COUNCIL[0], Council::propose { threshold: 3, proposal, length_bound }.into());
    for member in COUNCIL {
        chain.send(member, Council::vote { proposal: hash, index, approve: true }.into());
    }
    let close = Council::close { proposal_hash: hash, index, proposal_weight_bound: weight, length_bound };
    chain.send(COUNCIL[1], close.into());
}

/// Questions of vaults, which must have an answer whatever they name.
pub fn ask(input: &mut Unstructured<'_>) {
    let (consent, terms, customer) = consent(input);
    let reader = if byte(input) < 128 { VENDOR } else { customer };
    let who = mostly(input, reader);
    let query = ReadQuery {
        account: account(who),
        secret: if byte(input) < 240 { SECRET } else { [0; 32] },
        consent: (byte(input) < 192).then_some(consent),
        utility: utility(input),
        meter: terms.filter(|_| byte(input) < 192).map_or_else(|| meter(input), |terms| terms.meter),
        channel: *choose(input, &Channel::ALL),
        range: range(input),
        level: level(input),
    };
    if Consents::may_read(&query).is_ok() && query.consent.is_some() {
        let terms = terms.expect("only a consent that stands lets anybody read");
        assert!(
            terms.data.includes(&query.range) && query.level <= terms.level && terms.channels.contains(query.channel)
        );
        assert!(
            query.account == account(VENDOR)
                || pallet_participants::OrganisationOf::<Runtime>::get(&query.account).is_some()
        );
    }
    let _ = Meters::epoch_at(&query.utility, &query.meter, System::block_number());
    for deliverer in [Deliverer::Utility, Deliverer::Customer] {
        let _ = pallet_consent::Deliveries::<Runtime>::get((consent, 0, deliverer));
    }
}
