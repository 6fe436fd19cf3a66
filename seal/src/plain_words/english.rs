//! The words in English.

use super::PlainTerms;
use crate::{
    delivery::Purpose,
    types::{Channels, DayRange, Level, OperatingDay},
};
use alloc::{format, string::String};
use chrono::Datelike;

pub(super) fn words(terms: &PlainTerms<'_>) -> String {
    let name = terms.name;
    let days = range(terms.data);
    let access = range(terms.access);
    format!(
        "The company that calls itself “{name}” asks to read your electricity usage.\n\
         What for: {purpose}.\n\
         What it would learn: {energy}, {resolution}, {days}. {shows}\n\
         What it would not learn from these readings: {hidden}, how much electricity you used on other days, your \
         name, or your address. The readings themselves carry no name and no address.\n\
         Until when: it may fetch readings {access}, and not after that. What it has fetched, it keeps.\n\
         How to end it: you may end this on any day, without giving a reason, with the key with which you sign now. \
         From then on the record refuses it, and readings published more than some minutes later are closed to it. \
         You may also allow less at any time.\n\
         Who knows anyway: your utility reads your meter, so it always knows your readings, with or without this \
         consent. The public record shows that a reader was allowed for your meter, but not who it is.",
        purpose = purpose(terms.purpose),
        energy = energy(terms.channels),
        resolution = resolution(terms.level),
        shows = shows(terms.level),
        hidden = hidden(terms.channels, terms.level),
    )
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::EnergyAdvice => "advice on how to use less electricity or pay less for it",
        Purpose::SolarSizing => "finding out what solar panels would suit your home or business",
        Purpose::DemandResponse => "taking part in demand response (using less when the grid is short)",
        Purpose::RateComparison => "comparing electricity plans for your usage",
        Purpose::Storage => "choosing or running a battery",
        Purpose::ElectricVehicle => "charging an electric vehicle",
        Purpose::Research => "research",
        Purpose::Other => "another purpose; ask the company before you sign",
    }
}

fn energy(channels: Channels) -> &'static str {
    match channels {
        Channels::Consumption => "how much electricity you took from the grid",
        Channels::Generation => "how much surplus electricity you sent to the grid",
        Channels::Both => "how much electricity you took from the grid and how much surplus you sent to it",
    }
}

fn resolution(level: Level) -> &'static str {
    match level {
        Level::Day => "as one total for each day",
        Level::Hour => "for each hour of each day",
        Level::Quarter => "for every 15 minutes of each day",
    }
}

fn shows(level: Level) -> &'static str {
    match level {
        Level::Day => "Daily totals can show when nobody was at home for days.",
        Level::Hour => "Hourly figures can show when people get up, leave, come home and sleep.",
        Level::Quarter => {
            "Figures for every 15 minutes can show when people get up, leave, come home and sleep, and when large \
             appliances run."
        }
    }
}

fn hidden(channels: Channels, level: Level) -> &'static str {
    match (channels, level) {
        (Channels::Both, Level::Day) => "how the day's electricity was spread over its hours",
        (Channels::Both, Level::Hour) => "anything finer than an hour",
        (Channels::Both, Level::Quarter) => "anything finer than 15 minutes",
        (Channels::Consumption, Level::Day) => {
            "how the day's electricity was spread over its hours, what surplus you sent to the grid"
        }
        (Channels::Consumption, Level::Hour) => "anything finer than an hour, what surplus you sent to the grid",
        (Channels::Consumption, Level::Quarter) => "anything finer than 15 minutes, what surplus you sent to the grid",
        (Channels::Generation, Level::Day) => {
            "how the day's surplus was spread over its hours, what you took from the grid"
        }
        (Channels::Generation, Level::Hour) => "anything finer than an hour, what you took from the grid",
        (Channels::Generation, Level::Quarter) => "anything finer than 15 minutes, what you took from the grid",
    }
}

fn range(range: DayRange) -> String {
    if range.first == range.last {
        return format!("on {}", date(range.first));
    }
    format!("from {} to {}", date(range.first), date(range.last))
}

fn date(day: OperatingDay) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let date = day.date();
    let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
    format!("{month} {}, {}", date.day(), date.year())
}
