//! The customer claims her meter with the ticket from the letter, receives its key, and reads her own quarter hours.

use crate::{
    error::{expect, Result, StoryError},
    outcome::{Holder, OldAnswer},
    printer::{kwh, number},
    readings::{ask, same_as_feed, verified, word, PATIENCE},
    story::Story,
};
use sealed_register::{
    proof::Form,
    statement::{Claim, Signed},
    Level,
};
use std::time::Instant;
use wattseal_client::{
    customer::relay_and_wait, links::Statement, reading::Wanted, records::MeterRecord, Account, Customer, Phrase,
    Profile,
};

/// Kind of the customer's records of meters, as the command `wattseal customer` keeps them.
const METERS: &str = "meters";

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let began = Instant::now();
    let home = story.outcome.home()?;
    let (meter, name) = (home.meter, home.meter.to_string());
    let profile = Profile::open(story.places.customer(&name))?;
    if !profile.folder().join("phrase").exists() {
        profile.keep_phrase(&Phrase::generate()?)?;
    }
    let customer = Customer::from_account(profile.account()?);

    let at = story.chain().finalized().await?;
    let held = at.known_meter(story.utility, meter).await?.claim;
    let mine = held.as_ref().is_some_and(|claim| claim.customer == customer.account().id());
    expect(mine || held.is_none(), || format!("meter {meter} is held by somebody else: begin anew with --wipe"))?;
    let mut record: Option<MeterRecord> = profile.read(METERS, &name)?;
    let mut claim = record.as_ref().map(MeterRecord::claim).transpose()?;
    if !mine {
        // The statement is on disk before it is on its way: without it the meter's key could not be asked for.
        if claim.as_ref().is_none_or(|claim| claim.statement.last_valid_block <= at.block().number) {
            let signed = customer.claim_statement(story.chain(), &story.outcome.home()?.ticket).await?;
            let new = MeterRecord { utility: story.utility.to_string(), claim: signed.text(), keys: Vec::new() };
            profile.write(METERS, &name, &new)?;
            (claim, record) = (Some(signed), Some(new));
        }
        let signed: Signed<Claim> = claim.clone().ok_or(StoryError::Needs("claim", "a signed claim"))?;
        relay_and_wait(story.chain(), &Statement::Claim(signed), PATIENCE).await?;
    }
    let (Some(signed), Some(mut record)) = (claim, record) else {
        return Err(StoryError::Wrong(format!("the claim of meter {meter} is not in {}", profile.folder().display())));
    };
    if record.keys.is_empty() {
        let key = customer.receive_key(story.chain(), &signed, PATIENCE).await?;
        record.add(&key);
        profile.write(METERS, &name, &record)?;
    }
    let keyring = record.keyring();
    let (her, address) = (story.source.she(), wattseal_client::chain::ss58(&customer.account().id()));
    story.printer.say(&match mine {
        false => format!(
            "{her} claimed her meter with the ticket and received its key, sealed to her alone, after {:.1} s. On chain \
             she is {address}.",
            began.elapsed().as_secs_f64()
        ),
        true => format!("{her} holds her meter already. On chain she is {address}."),
    });

    let wanted = Wanted { channels: story.channels(), range: story.days(), level: Level::Quarter };
    let at = (story.utility, meter);
    let fetched = customer.own_readings(&story.access, at, &keyring, &wanted, &|_| {}).await?;
    let mut told = Vec::new();
    for channel in wanted.channels.iter() {
        let sums = same_as_feed(&fetched, &story.book, channel)?;
        told.push(format!("{} quarter hours of {}, {}", number(sums.readings), word(channel), kwh(sums.wh)));
    }
    story.printer.more(&format!("She reads her own: {}. Each is the feed's.", told.join("; ")));

    let reader = customer.reader(&story.access, at);
    let epochs = 0..=story.chain().finalized().await?.known_meter(story.utility, meter).await?.epoch;
    let form = (Level::Quarter, Form::Compact);
    let exchange = ask(&reader, story.main_channel(), story.days(), form, epochs).await?;
    let root = story.access.root(story.utility, &meter, exchange.answer.batch_sequence).await?;
    verified(&exchange, &root, &keyring)?;
    story.outcome.old = Some(OldAnswer { answer: exchange.answer, asked: exchange.asked });
    story.outcome.holder = Some(Holder { customer, profile, keyring });
    Ok(())
}

/// A customer who holds nothing.
pub(super) fn stranger() -> Result<Account> {
    Ok(Account::from_phrase(&Phrase::generate()?)?)
}
