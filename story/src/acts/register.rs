//! The utility registers its meters from a list and prints a claim ticket for each.

use crate::{
    book::MeterFacts,
    error::{expect, Result, StoryError},
    outcome::Home,
    printer::count,
    story::Story,
};
use sealed_register::{statement::Word, Channels, OperatingDay};
use smart_meter_texas::EsiId;
use std::fmt::Write;
use wattseal_client::{
    chain::types::MeterClass,
    files::{write_atomically, Access},
    utility::{plan, read_meters, sync_meters, write_tickets},
};

/// Greatest energy of an interval of a home, Wh: more makes it a small commercial meter on this list.
const RESIDENTIAL_WH: u32 = 50_000;
/// The same for small commercial meters.
const SMALL_WH: u32 = 1_000_000;

pub(super) async fn play(story: &mut Story) -> Result<()> {
    let (stem, folder) = (story.source.stem().to_owned(), story.places.utility());
    let survey = &story.source.survey;
    let list = folder.join(format!("meters-{stem}.csv"));
    let mut meters = String::from("esi_id,class,channels,tenancy_start,tenancy\n");
    let mut customers = String::from("esi_id,name\n");
    for (esi_id, facts) in &survey.meters {
        meters.push_str(&row(esi_id, facts));
        if let Some(name) = story.source.customer(esi_id) {
            // Writing to a String cannot fail.
            let _ = writeln!(customers, "{esi_id},{name}");
        }
    }
    write_atomically(&list, meters.as_bytes(), Access::Private)?;
    if !story.source.is_users() {
        write_atomically(&folder.join(format!("customers-{stem}.csv")), customers.as_bytes(), Access::Private)?;
    }

    let mut rows = read_meters(&list)?;
    // A meter that is registered from an earlier file keeps what that file said and this one does not say.
    let at = story.chain().finalized().await?;
    let planned = plan(story.chain(), story.utility, &rows).await?;
    for (row, ticket) in rows.iter_mut().zip(&planned) {
        if let Some(known) = at.meter(story.utility, ticket.link.meter).await? {
            row.tenancy_start = row.tenancy_start.min(known.tenancy_start);
            row.class = row.class.max(known.class);
            if !row.channels.includes(known.channels) {
                row.channels = Channels::Both;
            }
        }
    }
    let report = sync_meters(story.chain(), &story.utility_account, story.utility, &rows, &mut |_| {}).await?;
    write_tickets(&report.tickets, &folder.join(format!("tickets-{stem}.csv")), None)?;

    let first = survey.first.as_str();
    let ticket = report.tickets.iter().find(|ticket| ticket.esi_id == first);
    let ticket = ticket.ok_or_else(|| StoryError::Wrong("the first meter got no ticket".into()))?.link.clone();
    let at = story.chain().finalized().await?;
    for ticket in &report.tickets {
        at.known_meter(story.utility, ticket.link.meter).await?;
    }
    let registered = report.added + report.changed + report.unchanged;
    expect(registered as usize == rows.len(), || format!("{registered} of {} meters were registered", rows.len()))?;
    story.printer.say(&format!(
        "The utility registered {} in block {}: {} new, {} changed, {} as before. On chain each is a number that \
         nobody else can compute; its claim ticket goes by letter.",
        count(rows.len() as u64, "meter", "meters"),
        report.block,
        report.added,
        report.changed,
        report.unchanged
    ));
    story.outcome.home = Some(Home { meter: ticket.meter, ticket });
    Ok(())
}

fn row(esi_id: &EsiId, facts: &MeterFacts) -> String {
    let classes = [(RESIDENTIAL_WH, MeterClass::Residential), (SMALL_WH, MeterClass::SmallCommercial)];
    let class = classes.into_iter().find(|(most, _)| facts.max_wh <= *most);
    let class = class.map_or(MeterClass::LargeCommercial, |(_, class)| class);
    let channels = match (facts.consumption, facts.generation) {
        (true, true) => "both",
        (false, true) => Channels::Generation.word(),
        _ => Channels::Consumption.word(),
    };
    format!("{esi_id},{class},{channels},{},0\n", OperatingDay(facts.first_day.0))
}
