//! What a home uses and makes, quarter hour by quarter hour.

use super::chance::{Chance, Purpose};
use crate::{Calendar, OperatingDay};
use chrono::{Datelike, Weekday};

/// Latitude of central Texas, in turns.
const LATITUDE: f64 = 31.0 / 360.0;
/// Minutes by which the sun's noon comes after noon of standard time at 97 degrees west.
const SOLAR_NOON_AFTER: f64 = 28.0;
/// Weather is a matter of the seed and not of a home: this index stands for all.
const EVERYBODY: u32 = u32::MAX;

/// What a home has.
#[derive(Clone, Debug)]
pub(super) struct Equipment {
    /// Size relative to a common house.
    size: f64,
    /// Always on, in W.
    base: f64,
    /// Electrical power of the air conditioning at most, in W.
    cooling: f64,
    /// Electrical power of electric heating at most, in W; 0 with gas.
    heating: f64,
    /// Power of a car's charger in W; 0 without a car.
    charger: f64,
    /// Power of the pool's pump in W; 0 without a pool.
    pump: f64,
    /// Peak power of the panels in W; 0 without panels.
    panels: f64,
    /// True if nobody is home on weekdays from morning to evening.
    away: bool,
}

impl Equipment {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let size = chance.between(0.5, 1.1) + chance.between(0.0, 0.9);
        let mut perhaps = |percent: u32, from: f64, to: f64| {
            let (drawn, value) = (chance.below(100), chance.between(from, to));
            if drawn < percent {
                value
            } else {
                0.0
            }
        };
        Equipment {
            size,
            base: perhaps(100, 60.0, 180.0) * size,
            cooling: perhaps(97, 2_200.0, 3_600.0) * size,
            heating: perhaps(60, 3_000.0, 5_500.0) * size,
            charger: perhaps(15, 3_300.0, 9_600.0),
            pump: perhaps(9, 800.0, 1_500.0),
            panels: perhaps(14, 4_000.0, 12_000.0),
            away: perhaps(65, 1.0, 2.0) > 0.0,
        }
    }

    pub(super) fn has_solar(&self) -> bool {
        self.panels > 0.0
    }

    /// Energy delivered and received in Wh, in order of real time.
    pub(super) fn readings(&self, seed: u64, home: u32, calendar: &Calendar, day: OperatingDay) -> Vec<(u32, u32)> {
        let weather = Weather::new(seed, day);
        let mut chance = Chance::new(seed, home, day.0, Purpose::Load);
        let plan = Plan::new(self, day, &mut chance);
        (0..calendar.intervals(day))
            .filter_map(|index| Some((calendar.clock(day, index)?.start, calendar.utc_offset(day, index))))
            .map(|(minute, offset)| {
                let minute = f64::from(minute);
                // Without any change of clocks in the calendar, standard time is as good as any.
                let standard = minute - f64::from(offset.unwrap_or(-360) + 360);
                let used = self.load(&plan, &weather, minute, &mut chance) / 4.0;
                let made = self.panels * weather.sun(standard, &mut chance) / 4.0;
                // Within a quarter hour the meter turns both ways when clouds pass.
                let both = if made > 0.0 { used.min(made) * chance.between(0.0, 0.08) } else { 0.0 };
                (((used - made).max(0.0) + both) as u32, ((made - used).max(0.0) + both) as u32)
            })
            .collect()
    }

    /// Power in W.
    fn load(&self, plan: &Plan, weather: &Weather, minute: f64, chance: &mut Chance) -> f64 {
        let hour = minute / 60.0;
        let outside = weather.temperature(minute);
        let within = |from: f64, to: f64| (from..to).contains(&hour);
        let home = !plan.away || !within(8.0, 17.0);
        let (summer, winter) = if home { (23.0, 17.0) } else { (26.0, 14.0) };
        // Compressors run or do not, so the mean of a quarter hour jumps about.
        let cooling = ((outside - summer) * 0.11).clamp(0.0, 1.0) * self.cooling * chance.between(0.6, 1.3);
        let heating = ((winter - outside) * 0.035).clamp(0.0, 1.0) * self.heating * chance.between(0.5, 1.4);
        let lights = match hour {
            hour if hour < 5.5 => 0.05,
            hour if hour < 8.5 => 0.5,
            hour if hour < 17.0 => 0.3,
            hour if hour < 22.5 => 1.0,
            _ => 0.3,
        };
        let busy = if home { lights } else { 0.08 } * 450.0 * self.size * chance.between(0.5, 1.5);
        let cooking =
            if within(plan.dinner, plan.dinner + plan.cooking) { chance.between(900.0, 2_600.0) } else { 0.0 };
        let washing = if within(plan.washing, plan.washing + 1.25) { chance.between(300.0, 2_200.0) } else { 0.0 };
        let charging = if within(plan.charging, plan.charging + plan.charged) { self.charger } else { 0.0 };
        let pump = if plan.pool && within(9.0, 15.0) { self.pump } else { 0.0 };
        self.base * chance.between(0.85, 1.25) + cooling + heating + busy + cooking + washing + charging + pump
    }
}

/// What happens on one day; hours of the day.
struct Plan {
    away: bool,
    dinner: f64,
    cooking: f64,
    washing: f64,
    charging: f64,
    charged: f64,
    pool: bool,
}

impl Plan {
    fn new(equipment: &Equipment, day: OperatingDay, chance: &mut Chance) -> Self {
        let weekend = matches!(day.to_date().weekday(), Weekday::Sat | Weekday::Sun);
        let washes = chance.below(100) < if weekend { 70 } else { 25 };
        let washing = chance.between(9.0, 20.0);
        let charges = chance.below(100) < 60;
        let charged = chance.between(0.75, 4.0);
        Plan {
            away: equipment.away && !weekend,
            dinner: chance.between(17.5, 19.5),
            cooking: chance.between(0.0, 1.0),
            washing: if washes { washing } else { 24.0 },
            charging: chance.between(0.0, 1.5),
            charged: if charges { charged } else { 0.0 },
            pool: (4..=10).contains(&day.to_date().month()),
        }
    }
}

/// The weather of one day, the same for all homes of a seed.
struct Weather {
    /// Mean temperature in degrees Celsius.
    mean: f64,
    /// Half the difference between the warmest and the coldest hour.
    swing: f64,
    /// 0 (clear) to 1 (overcast).
    clouds: f64,
    /// The sun's declination in turns.
    declination: f64,
}

impl Weather {
    fn new(seed: u64, day: OperatingDay) -> Self {
        // Fronts: values every five days with straight lines between.
        const FRONT: u16 = 5;
        let front = |number: u16| Chance::new(seed, EVERYBODY, number, Purpose::Front).between(-7.0, 7.0);
        let (number, within) = (day.0 / FRONT, f64::from(day.0 % FRONT) / f64::from(FRONT));
        let wave = front(number) * (1.0 - within) + front(number + 1) * within;
        let mut chance = Chance::new(seed, EVERYBODY, day.0, Purpose::Sky);
        let year = f64::from(day.to_date().ordinal0()) / 365.25;
        let clear = chance.between(0.0, 1.0);
        Weather {
            mean: 20.0 + 10.0 * cosine(year - 0.56) + wave + chance.between(-1.5, 1.5),
            swing: 3.5 + 3.0 * clear,
            clouds: (1.0 - clear) * (1.0 - clear),
            declination: -23.44 / 360.0 * cosine(year + 0.027),
        }
    }

    /// Degrees Celsius at a minute of the day by the clock.
    fn temperature(&self, minute: f64) -> f64 {
        self.mean + self.swing * cosine((minute - 16.0 * 60.0) / 1440.0)
    }

    /// Output of panels relative to their peak power, at a minute of standard time.
    fn sun(&self, minute: f64, chance: &mut Chance) -> f64 {
        let passing = chance.between(0.6, 1.3);
        let turn = (minute + 7.5 - SOLAR_NOON_AFTER) / 1440.0 - 0.5;
        let height =
            sine(LATITUDE) * sine(self.declination) + cosine(LATITUDE) * cosine(self.declination) * cosine(turn);
        if height <= 0.0 {
            return 0.0;
        }
        let clear = height * (0.7 + 0.3 * height) * 0.85;
        clear * (1.0 - (0.85 * self.clouds * passing).min(0.95))
    }
}

/// Cosine of an angle in turns.
fn cosine(turns: f64) -> f64 {
    sine(turns + 0.25)
}

/// Sine of an angle in turns, within 0.002: two parabolas and a correction. Only exactly rounded operations, so that
/// every platform gets the same readings.
fn sine(turns: f64) -> f64 {
    let x = turns - (turns + 0.5).floor();
    let parabola = 8.0 * x - 16.0 * x * x.abs();
    0.225 * (parabola * parabola.abs() - parabola) + parabola
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_is_near() {
        for step in -2000..2000 {
            let turns = f64::from(step) / 777.0;
            let exact = (turns * core::f64::consts::TAU).sin();
            assert!((sine(turns) - exact).abs() < 0.002, "{turns}: {} {exact}", sine(turns));
        }
    }

    #[test]
    fn the_sun_rises_and_sets() {
        let chance = || Chance::new(0, 0, 0, Purpose::Load);
        for number in (9000..9365).step_by(15) {
            let weather = Weather::new(5, OperatingDay(number));
            assert_eq!(weather.sun(4.0 * 60.0, &mut chance()), 0.0);
            assert_eq!(weather.sun(21.0 * 60.0, &mut chance()), 0.0);
            let noon = weather.sun(12.5 * 60.0, &mut chance());
            assert!(noon > 0.02 && noon <= 0.85, "{noon}");
        }
    }
}
