//! A vendor makes a link for daily totals. Before she signs, the vault refuses it.

use super::claim::stranger;
use crate::{
    error::{expect, Result, StoryError},
    outcome::Grant,
    readings::PATIENCE,
    story::Story,
};
use sealed_register::{
    delivery::Purpose,
    grantee::GranteeSecret,
    plain_words::Language,
    statement::{Reference, VendorName},
    tree::LAST_DAY,
    DayRange, Keyring, Level, OperatingDay,
};
use wattseal_client::{
    links::{parse_request, request_link},
    node_rpc::READ_REFUSAL,
    reading::{Reader, Wanted},
    vendor::Draft,
    Account, ClientError,
};

/// JSON-RPC code of "no such consent".
pub(super) const UNKNOWN_CONSENT: i32 = READ_REFUSAL + 1;
/// JSON-RPC code of "not the customer who holds the meter".
const NOT_THE_CUSTOMER: i32 = READ_REFUSAL + 13;
/// Days after the file's last one that the vendor asks for too: what comes while the consent stands.
const DAYS_TO_COME: u16 = 60;
/// Days for which the vendor asks to fetch.
const ACCESS_DAYS: u16 = 90;
/// Days for which a request may be answered.
const ANSWER_DAYS: u16 = 14;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let at = story.chain().finalized().await?;
    if story.vendor.check_key(&at).await.is_err() {
        story.vendor.register_key(story.chain()).await?;
    }
    story
        .chain()
        .wait_until(PATIENCE, "the vendor's key", async |at| Ok(story.vendor.check_key(at).await.is_ok().then_some(())))
        .await?;
    let grant = request(story, story.days(), Level::Day, Purpose::EnergyAdvice).await?;

    let meter = story.outcome.home()?.meter;
    let asked = parse_request(&grant.link)?.statement;
    let vendor = Some((asked.grantee(), asked.secret));
    let refusal = refused(story, story.vendor.account(), vendor, UNKNOWN_CONSENT).await?;
    // Nobody gets past the vault by saying that he is the customer.
    let none: Option<([u8; 32], GranteeSecret)> = None;
    refused(story, &stranger()?, none, NOT_THE_CUSTOMER).await?;
    story.printer.say(&format!(
        "A vendor asks for daily totals with a link of {} characters. Even if it knew that her meter is {meter}: {refusal}.",
        grant.link.len()
    ));
    story.outcome.daily = Some(grant);
    Ok(())
}

/// A new request for days of the file and those to come, and its link.
pub(super) async fn request(story: &Story, range: DayRange, level: Level, purpose: Purpose) -> Result<Grant> {
    let today = story.chain().finalized().await?.today().await?;
    let later = |day: OperatingDay, days: u16| OperatingDay(day.0.saturating_add(days));
    let name = |text: &str| VendorName::new(text).ok_or_else(|| StoryError::Wrong(format!("'{text}' is no name")));
    let reference = |text: &str| Reference::new(text).ok_or_else(|| StoryError::Wrong(format!("'{text}' is none")));
    let data = match range == story.days() {
        true => DayRange { first: range.first, last: later(range.last, DAYS_TO_COME).min(LAST_DAY) },
        false => range,
    };
    let draft = Draft {
        name: name("Lone Star Energy Advice")?,
        utility: Some(story.utility),
        channels: story.channels(),
        level,
        data,
        access: DayRange { first: today, last: later(today, ACCESS_DAYS) },
        purpose,
        language: Language::English,
        reference: reference("story")?,
        expires: later(today, ANSWER_DAYS),
    };
    let signed = story.vendor.make_request(story.chain(), &draft).await?;
    let wanted = Wanted { channels: draft.channels, range, level };
    Ok(Grant { link: request_link(&signed), wanted, shown: None, signed: None })
}

/// Makes sure that a reader is refused with this code, and gives the vault's words.
pub(super) async fn refused(
    story: &Story,
    account: &Account,
    consent: Option<([u8; 32], GranteeSecret)>,
    expected: i32,
) -> Result<String> {
    let meter = story.outcome.home()?.meter;
    let reader = Reader { access: &story.access, account, utility: story.utility, meter, consent };
    let asked = reader.ask(story.main_channel(), story.days(), Level::Day, &[], &Keyring::new()).await;
    match asked {
        Err(ClientError::Rpc { code, message, .. }) if code == expected => {
            Ok(format!("the vault refuses it ({code}: {message})"))
        }
        Err(error) => {
            expect(!matches!(error, ClientError::Rpc { .. }), || format!("refused, but otherwise than due: {error}"))?;
            Err(error.into())
        }
        Ok(_) => Err(StoryError::Wrong(format!("the vault served a reader whom it must refuse with code {expected}"))),
    }
}
