//! Whose readings the story plays with: a user's file, or invented homes.

use crate::{
    book::Survey,
    error::{expect, Result, StoryError},
    feed::Feed,
};
use sealed_register::hash::{public, Tag};
use smart_meter_texas::{generate, Calendar, EsiId, MeterDay, OperatingDay, Quality};
use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Fingerprint of a file, for its name in the feed.
const FILE: Tag = Tag(b"st/file.");
/// Invented homes.
const HOMES: u32 = 8;
/// Their first day: the spring change of clocks lies within.
const FIRST: (i32, u32, u32) = (2023, 2, 1);
/// Their last day.
const LAST: (i32, u32, u32) = (2023, 3, 31);
/// Seeds are tried from here until the first home has everything that the story shows.
const SEED: u64 = 2023;
/// How many are tried; the test below shows that one of them does.
const SEEDS: u64 = 1_000;
/// Most meters of a user's file.
const MAX_METERS: usize = 100;
/// Most days of a user's file: three years.
const MAX_DAYS: u16 = 1_096;

/// Names of the invented customers.
const NAMES: [&str; HOMES as usize] = [
    "Rosalinda Villarreal",
    "Thaddeus Kowalczyk",
    "Minh Anh Trinh",
    "Josephine Okonkwo",
    "Everett Hollingsworth",
    "Guadalupe Santillan",
    "Priyanka Raghunathan",
    "Clementine Boudreaux",
];

/// The readings and the people.
pub struct Source {
    /// Name of the file in the feed.
    pub name: String,
    /// What is in it.
    pub survey: Survey,
    /// The user's file; none for invented homes.
    csv: Option<PathBuf>,
    seed: u64,
}

impl Source {
    /// The user's file.
    ///
    /// # Errors
    /// [`StoryError::File`] says what cannot be used: no interval export, too many meters, too many days.
    pub fn csv(path: &Path) -> Result<Self> {
        let survey = Survey::of(path, &calendar()?)?;
        let meters = survey.meters.len();
        let problem = |text: String| StoryError::file(path, text);
        if survey.refused_rows > 0 {
            let rows = survey.refused_rows;
            eprintln!(
                "wattseal-story: {}: {rows} rows cannot be used and are left out, as in the node; {}",
                path.display(),
                survey.first_refused.as_deref().unwrap_or_default()
            );
        }
        if meters > MAX_METERS {
            return Err(problem(format!("it has {meters} meters; the story takes 1 to {MAX_METERS}")));
        }
        let span = survey.last_day.0.saturating_sub(survey.first_day.0).saturating_add(1);
        if span > MAX_DAYS {
            return Err(problem(format!("it spans {span} days; the story takes up to three years ({MAX_DAYS} days)")));
        }
        let name = format!("export-{}.csv", fingerprint(path)?);
        Ok(Self { name, survey, csv: Some(path.into()), seed: SEED })
    }

    /// Invented homes, always the same; `folder` holds their file for a moment.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn homes(folder: &Path) -> Result<Self> {
        let calendar = calendar()?;
        let (first, last) = days()?;
        // A solar roof, and quarter hours that stay estimated.
        let telling = |seed: &u64| {
            let home = generate::Home::new(*seed, 0);
            let newest = |day: u16| home.versions(&calendar, OperatingDay(day)).pop();
            let estimated = |day: MeterDay| day.count(Quality::Estimated) > 0;
            home.has_generation() && (first.0..=last.0).filter_map(newest).any(estimated)
        };
        let seed = (SEED..SEED + SEEDS).find(telling).unwrap_or(SEED);
        let path = folder.join("homes.csv");
        write_homes(seed, &calendar, &path).map_err(|error| StoryError::file(&path, error))?;
        let name = format!("homes-{}.csv", fingerprint(&path)?);
        let survey = Survey::of(&path, &calendar)?;
        std::fs::remove_file(&path).map_err(|error| StoryError::file(&path, error))?;
        Ok(Self { name, survey, csv: None, seed })
    }

    /// Puts the file into the feed, if it is not there from an earlier run.
    ///
    /// # Errors
    /// [`StoryError::File`].
    pub fn publish(&self, feed: &Feed) -> Result<()> {
        if feed.has(&self.name) {
            return Ok(());
        }
        let calendar = calendar()?;
        feed.put(&self.name, |to| match &self.csv {
            Some(from) => std::fs::copy(from, to).map(|_| ()),
            None => write_homes(self.seed, &calendar, to),
        })
    }

    /// Whether the readings are the user's.
    pub fn is_users(&self) -> bool {
        self.csv.is_some()
    }

    /// The customer of a meter: an invented name, or none for the user's own file.
    pub fn customer(&self, esi_id: &EsiId) -> Option<&'static str> {
        if self.is_users() {
            return None;
        }
        let place = generate::homes(self.seed, HOMES).position(|home| home.esi_id() == *esi_id)?;
        NAMES.get(place).copied()
    }

    /// What to call the customer of the first meter.
    pub fn she(&self) -> &'static str {
        self.customer(&self.survey.first).unwrap_or("The customer")
    }

    /// Part of the names of the utility's lists.
    pub fn stem(&self) -> &str {
        self.name.strip_suffix(".csv").unwrap_or(&self.name)
    }
}

/// The operating days of the story. The chain has the same by the same rule; the comparison of every interval shows it.
///
/// # Errors
/// Never in these years.
pub fn calendar() -> Result<Calendar> {
    Calendar::us_rule(2007, 2089).map_err(|error| StoryError::Environment(error.to_string()))
}

/// First and last day of the invented homes.
fn days() -> Result<(OperatingDay, OperatingDay)> {
    let day = |(year, month, day)| OperatingDay::from_ymd(year, month, day);
    day(FIRST).zip(day(LAST)).ok_or_else(|| StoryError::Environment("the homes' days are no dates".into()))
}

fn write_homes(seed: u64, calendar: &Calendar, path: &Path) -> io::Result<()> {
    let (first, last) = days().map_err(io::Error::other)?;
    let mut out = BufWriter::new(File::create(path)?);
    generate::write_csv(generate::homes(seed, HOMES), calendar, first..=last, &mut out)?;
    out.flush()
}

/// Eight digits that tell one file's content from another's.
fn fingerprint(path: &Path) -> Result<String> {
    let problem = |error: io::Error| StoryError::file(path, error);
    let mut file = File::open(path).map_err(problem)?;
    let (mut hasher, mut chunk, mut length) = (public(FILE), vec![0; 1 << 20], 0_u64);
    loop {
        let read = file.read(&mut chunk).map_err(problem)?;
        if read == 0 {
            break;
        }
        hasher.update(chunk.get(..read).unwrap_or_default());
        length = length.saturating_add(read as u64);
    }
    expect(length > 0, || format!("{} is empty", path.display()))?;
    Ok(hex::encode(hasher.finalize().as_bytes().get(..4).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn invented_homes_are_always_the_same_and_the_first_has_a_solar_roof() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Source::homes(folder.path()).unwrap(), Source::homes(folder.path()).unwrap());
        assert_eq!((&one.name, one.survey.used_rows), (&two.name, two.survey.used_rows));
        assert_eq!(one.survey.meters.len(), HOMES as usize);
        assert!(one.survey.meters[&one.survey.first].generation);
        assert_eq!(one.she(), NAMES[0]);
        assert_eq!(one.survey.refused_rows, 0);
        // What counts at the end has estimates too.
        let path = folder.path().join("homes.csv");
        write_homes(one.seed, &calendar().unwrap(), &path).unwrap();
        let book = crate::book::Book::of(&[path], &one.survey.first, &calendar().unwrap()).unwrap();
        let range =
            sealed_register::DayRange::new(sealed_register::OperatingDay(0), sealed_register::OperatingDay(20_000));
        assert!(book.sums(sealed_register::Channel::Consumption, range.unwrap()).estimated > 0);
    }

    #[test]
    fn a_file_that_is_no_export_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.csv");
        for (content, reason) in [("", "empty"), ("a,b\n1,2\n", "line 1")] {
            std::fs::write(&path, content).unwrap();
            let error = Source::csv(&path).err().unwrap().to_string();
            assert!(error.contains("picture.csv") && error.contains(reason), "{error}");
        }
        assert!(Source::csv(Path::new("/nowhere.csv")).err().unwrap().to_string().contains("/nowhere.csv"));
    }

    #[test]
    fn too_many_meters_and_too_many_years_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.csv");
        let mut out = Vec::new();
        let day = |year| OperatingDay::from_ymd(year, 5, 1).unwrap();
        generate::write_csv(generate::homes(1, 101), &calendar().unwrap(), day(2022)..=day(2022), &mut out).unwrap();
        std::fs::write(&path, &out).unwrap();
        assert!(Source::csv(&path).err().unwrap().to_string().contains("101 meters"));
        out.clear();
        let home = || generate::homes(1, 1);
        let mut years = Vec::new();
        generate::write_csv(home(), &calendar().unwrap(), day(2019)..=day(2019), &mut out).unwrap();
        generate::write_csv(home(), &calendar().unwrap(), day(2022)..=day(2022), &mut years).unwrap();
        out.extend(years);
        std::fs::write(&path, &out).unwrap();
        assert!(Source::csv(&path).err().unwrap().to_string().contains("1097 days"));
    }
}
