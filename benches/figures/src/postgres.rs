//! `vs_postgres_copy`: the same rows by PostgreSQL's COPY into a table with a primary key.
//!
//! Both sides read the rows from a file, leave them on disk, synced, and are timed by the clock, in turn: PostgreSQL
//! loads one CSV of (meter, channel, start, Wh, quality) into a new table; the register parses the portal's file of the
//! same rows, seals it on one core and writes the batches' bodies. PostgreSQL 15 or later as Debian packages it, with
//! its defaults but for more memory and fewer checkpoints (see `SETTINGS`).

use crate::{
    feed,
    measure::{by_the_clock, Samples},
    utility::{seal_file, Utility},
    Figures, Result, Scale,
};
use smart_meter_texas::{Calendar, MeterDay, Quality};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What differs from the defaults: a socket in the cluster's own folder instead of a port, and what a bulk load wants.
const SETTINGS: [&str; 5] = [
    "listen_addresses=",
    "shared_buffers=512MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
];
const TABLE: &str = "DROP TABLE IF EXISTS readings; CREATE TABLE readings (meter text, channel smallint, \
                     start timestamptz, wh integer, quality \"char\", PRIMARY KEY (meter, channel, start))";
/// How long the server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The account under which the server runs if this program runs as root, whom it refuses.
const ACCOUNT: &str = "postgres";

/// Loads and seals the same rows in turn. Without PostgreSQL the figure stays away, and a line says why.
///
/// # Errors
/// If the server does not do what it should.
pub fn measure(scale: &Scale, figures: &mut Figures) -> Result<()> {
    let Some(programs) = programs() else {
        println!("postgres: not measured, since /usr/lib/postgresql has no server: apt-get install postgresql");
        return Ok(());
    };
    let calendar = feed::calendar()?;
    let utility = Utility::new()?;
    let days: Vec<_> = (0..scale.homes).flat_map(|home| feed::year(home, &calendar)).collect();
    let mut cluster = Cluster::start(&programs)?;
    let (portal, rows, body) = (cluster.file("portal.csv"), cluster.file("rows.csv"), cluster.file("body"));
    fs::write(&portal, feed::file(&days, &calendar)?)?;
    let count = write_rows(&rows, &days, &calendar)?;
    let copy = format!("COPY readings FROM '{}' (FORMAT csv)", rows.display());
    let [mut register, mut postgres, mut ratio] = [const { Samples::new() }; 3];
    for _ in 0..scale.rounds {
        cluster.sql(TABLE)?;
        cluster.sql("CHECKPOINT")?;
        let (answer, copying) = by_the_clock(|| cluster.sql(&copy))?;
        if answer != format!("COPY {count}") {
            return Err(format!("PostgreSQL loaded '{answer}' of {count} rows").into());
        }
        let (sealed, sealing) = by_the_clock(|| {
            let mut out = File::create(&body)?;
            let rows = seal_file(&utility, &calendar, &fs::read(&portal)?, |batch| {
                Ok(batch.chunks.iter().try_for_each(|chunk| out.write_all(chunk))?)
            })?;
            out.sync_all()?;
            Ok(rows)
        })?;
        if sealed != count {
            return Err(format!("{sealed} rows were sealed, {count} loaded").into());
        }
        register.add(count as f64 / sealing);
        postgres.add(count as f64 / copying);
        ratio.add(copying / sealing);
    }
    let version = cluster.sql("SHOW server_version")?;
    cluster.stop()?;
    println!("postgres {version}: {count} rows copied into a table with a primary key, rows a second: {postgres}");
    println!("postgres: the same rows sealed and written, rows a second: {register}");
    println!("postgres: times as fast: {ratio}");
    figures.set("vs_postgres_copy", ratio.median());
    Ok(())
}

/// The rows as PostgreSQL reads them; gives their number.
fn write_rows(path: &Path, days: &[MeterDay], calendar: &Calendar) -> Result<u64> {
    let mut out = std::io::BufWriter::new(File::create(path)?);
    let mut count = 0;
    for day in days {
        for (index, interval) in (0..).zip(&day.intervals) {
            let clock = calendar.clock(day.day, index).ok_or("an interval that its day does not have")?;
            let offset = calendar.utc_offset(day.day, index).ok_or("a day without its time zone")?;
            let quality = match interval.quality {
                Quality::Actual => 'A',
                Quality::Estimated => 'E',
                Quality::Missing => 'M',
            };
            writeln!(
                out,
                "{},{},{} {:02}:{:02}{:+03},{},{quality}",
                day.esi_id.as_str(),
                day.channel as u8,
                day.day,
                clock.start / 60,
                clock.start % 60,
                offset / 60,
                interval.wh
            )?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let with_number = |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()));
    let programs = |(number, path): (u32, PathBuf)| {
        Some((number, path.join("bin"))).filter(|(_, path)| path.join("initdb").is_file())
    };
    versions.filter_map(with_number).filter_map(programs).max().map(|(_, path)| path)
}

/// A server of its own, reached by a socket in its own folder. It is ended when this is dropped, however that comes.
struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    server: Child,
}

impl Cluster {
    fn start(programs: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("wattseal-postgres").tempdir()?;
        // The server's account must get in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        if is_root()? {
            run(Command::new("chown").arg(ACCOUNT).arg(&data))?;
        }
        let initdb = programs.join("initdb");
        run(as_account(&initdb)?.args(["--auth=trust", "--username=postgres", "--no-locale", "-D"]).arg(&data))?;
        let log = File::create(folder.path().join("log"))?;
        let mut command = as_account(&programs.join("postgres"))?;
        command.arg("-D").arg(&data).arg("-k").arg(&data);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let server = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let cluster = Self { folder, programs: programs.into(), server };
        let begun = Instant::now();
        while let Err(error) = cluster.sql("SELECT 1") {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(cluster.file("log")).unwrap_or_default();
                return Err(format!("PostgreSQL does not answer: {error}\n{log}").into());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(cluster)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a statement; gives what psql prints.
    fn sql(&self, statement: &str) -> Result<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.arg("-h").arg(self.file("data")).args([
            "-U",
            "postgres",
            "-X",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
        ]);
        run(command.arg(statement))
    }

    /// Ends it in order.
    fn stop(&mut self) -> Result<()> {
        // SIGINT: open connections are closed, everything is written.
        run(Command::new("kill").args(["-s", "INT", &self.server.id().to_string()]))?;
        let begun = Instant::now();
        while self.server.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                return Err("PostgreSQL does not end".into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Ended already, or there was an error; its children see that it is gone.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn is_root() -> Result<bool> {
    Ok(run(Command::new("id").arg("-u"))? == "0")
}

/// The program, under the server's account if this one is root.
fn as_account(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]).arg(program);
    command.current_dir("/");
    Ok(command)
}

/// Runs a program to its end; gives what it prints.
fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {}", output.status, errors.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
