//! What a customer reads: her consents, her own days, who else read them.

use super::{meter_of, Which, ROLE};
use crate::{
    cli::{
        args::{Export, Keys, Node, Vault},
        output::Output,
    },
    customer::Customer as Person,
    links::request_link,
    reading::Wanted,
    records::{kinds, GivenRecord},
    ClientError, Result,
};
use clap::Args;
use sealed_register::{
    statement::{Receipt, Statement as _, Word},
    types::hex,
    DayRange, Level,
};
use serde_json::{json, Value};

#[derive(Debug, Args)]
pub(in crate::cli) struct Consents {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Readings {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    export: Export,
    #[command(flatten)]
    vault: Vault,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AccessLog {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    keys: Keys,
}

impl Consents {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let profile = self.keys.profile(ROLE)?;
        let at = self.node.chain().await?.finalized().await?;
        let mut views: Vec<Value> = Vec::new();
        for name in profile.names(kinds::GIVEN)? {
            let Some(record) = profile.read::<GivenRecord>(kinds::GIVEN, &name)? else { continue };
            let (consent, request) = (record.consent()?.statement, record.request()?.statement);
            let state = match at.consent(&consent.id()).await? {
                None => "not on chain".to_owned(),
                Some(standing) => match standing.ended {
                    None => "stands".into(),
                    Some((why, block)) => format!("{why} in block {block}"),
                },
            };
            views.push(json!({
                "consent": hex(&consent.id()),
                "meter": consent.terms.meter.to_string(),
                "vendor": request.name.as_str(),
                "level": consent.terms.level.word(),
                "data": consent.terms.data.to_string(),
                "access": consent.terms.access.to_string(),
                "state": state,
                "link": request_link(&record.request()?),
            }));
        }
        let columns = ["vendor", "level", "data", "access", "state", "consent"];
        let row = |view: &Value| columns.iter().map(|name| view[*name].as_str().unwrap_or("-").to_owned()).collect();
        output.result(&Value::Array(views.clone()), || Output::table(&columns, views.iter().map(row)));
        Ok(())
    }
}

impl Readings {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let (utility, meter, record) = meter_of(&profile, &self.which)?;
        if record.keys.is_empty() {
            let text = format!("the key of meter {meter} is not here: receive it first ('customer receive')");
            return Err(ClientError::NotFound(text));
        }
        let access = self.vault.access().await?;
        let at = access.chain()?.finalized().await?;
        let (known, today) = (at.known_meter(utility, meter).await?, at.today().await?);
        let last = known.tenancy_end.unwrap_or(today).max(known.tenancy_start);
        let range = DayRange { first: known.tenancy_start, last };
        let all = Wanted { channels: known.channels, range, level: Level::Quarter };
        let wanted = self.export.wanted(&all)?;
        let bar = output.days_bar();
        let fetched = person.own_readings(&access, (utility, meter), &record.keyring(), &wanted, &bar).await?;
        output.fetched(&fetched, self.export.out.as_deref(), self.export.format())
    }
}

impl AccessLog {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let (profile, person) = (self.keys.profile(ROLE)?, Person::from_account(self.keys.account(ROLE)?));
        let (utility, meter, _) = meter_of(&profile, &self.which)?;
        let log = person.access_log(&self.node.chain().await?, (utility, meter)).await?;
        let view = |receipt: &Receipt| {
            json!({
                "number": receipt.number,
                "block": receipt.block,
                "first": receipt.range.first.to_string(),
                "last": receipt.range.last.to_string(),
                "level": receipt.level.word(),
                "cells": receipt.cells,
                "bytes": receipt.bytes,
                "hash": hex(&receipt.hash()),
                "request": hex(&receipt.request),
            })
        };
        let row = |receipt: &Receipt| {
            vec![
                receipt.number.to_string(),
                receipt.block.to_string(),
                receipt.range.to_string(),
                receipt.level.word().to_owned(),
                receipt.bytes.to_string(),
            ]
        };
        let header = ["receipt", "at block", "days", "resolution", "bytes"];
        let views: Vec<Value> = log.iter().map(view).collect();
        output.result(&Value::Array(views), || Output::table(&header, log.iter().map(row)));
        Ok(())
    }
}
