#![cfg_attr(not(feature = "std"), no_std)]
//! Interval data of Smart Meter Texas (SMT), the shared portal of the Texas transmission and distribution utilities.
//!
//! - [`EsiId`]: the number of a point of delivery, checked against the known utility prefixes.
//! - [`OperatingDay`], [`RevisionDate`], [`Calendar`]: local days of the zone America/Chicago with 92, 96 or 100
//!   quarter hours.
//! - [`csv::Reader`]: the "Energy Data 15 Min Interval" file in every form seen in practice, streamed with bounded
//!   memory, as one [`MeterDay`] per (ESI ID, channel, operating day, revision) and a list of refused rows.
//! - [`csv::Writer`]: the same file as the portal writes it.
//! - `generate` (feature `generate`): deterministic homes for demonstrations and tests.
//!
//! Without default features the crate needs only `alloc`, so the same code runs natively, in a chain's off-chain
//! worker and in a browser. Energy is always whole watt-hours: SMT's kWh have three decimals, so nothing is rounded.
//!
//! ```
//! use smart_meter_texas::{csv, Calendar};
//!
//! let text = b"ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,\
//! CONSUMPTION_SURPLUSGENERATION\n\
//! '10443729900000001,03/01/2022,03/02/2022 06:18:33,00:00,00:15,.145,A,Consumption\n";
//! let (days, report) = csv::read(text, &Calendar::us_rule(2010, 2040)?, csv::Limits::default())?;
//! assert_eq!((days.len(), days[0].total_wh(), days[0].complete), (1, 145, false));
//! assert_eq!((report.rows, report.refused_rows), (1, 0));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

extern crate alloc;

mod calendar;
pub mod csv;
mod day;
mod esi_id;
#[cfg(feature = "generate")]
pub mod generate;
mod meter_day;

pub use calendar::{Calendar, CalendarError, IntervalClock, MAX_INTERVALS};
pub use day::{DateError, OperatingDay, RevisionDate};
pub use esi_id::{EsiId, EsiIdError, Tdsp};
pub use meter_day::{Channel, Interval, MeterDay, Quality, MAX_INTERVAL_WH};
