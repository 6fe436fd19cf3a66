//! From a link to keys: she reads it in plain words and signs, the vendor relays, the utility's node delivers.

use crate::{
    error::{Result, StoryError},
    outcome::Grant,
    readings::PATIENCE,
    story::Story,
};
use std::time::Instant;
use wattseal_client::{
    customer::check_request,
    links::{parse_request, Statement},
    records::GivenRecord,
    vendor::Collected,
};

/// Kind of the customer's records of consents, as the command `wattseal customer` keeps them.
const GIVEN: &str = "given";

/// She reads the link and signs; what is signed already stays as it is.
pub(super) async fn sign(story: &Story, grant: &mut Grant) -> Result<()> {
    if grant.signed.is_some() {
        return Ok(());
    }
    let holder = story.outcome.holder()?;
    let request = parse_request(&grant.link)?;
    let checked = check_request(&story.chain().finalized().await?, &request).await?;
    let meter = story.outcome.home()?.meter;
    let signed = holder.customer.sign_request(story.chain(), &request.statement, story.utility, meter).await?;
    let id = signed.statement.id();
    let record = GivenRecord { consent: signed.text(), request: request.text() };
    holder.profile.write(GIVEN, &sealed_register::hex(&id), &record)?;
    grant.shown = Some(checked);
    grant.signed = Some((signed, id, Instant::now()));
    Ok(())
}

/// The vendor takes the signed link, carries it to the chain and collects the keys.
pub(super) async fn relay_and_collect(story: &Story, grant: &Grant) -> Result<Collected> {
    let (signed, id, _) = grant.signed.as_ref().ok_or(StoryError::Needs("grant", "a signature"))?;
    let link = Statement::Consent(signed.clone()).link();
    let Statement::Consent(received) = Statement::parse(&link)? else {
        return Err(StoryError::Wrong("a consent came out of its link as something else".into()));
    };
    story.vendor.relay(story.chain(), &received).await?;
    Ok(story.vendor.collect(&story.access, id, PATIENCE).await?)
}
