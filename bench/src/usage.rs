//! What processes and threads cost, as Linux counts it under `/proc`.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// Ticks of `/proc/*/stat` in a second: Linux fixes this for programs, whatever the kernel's own clock.
const TICKS: u64 = 100;

/// CPU time of a process, all its threads together.
pub fn of_process(pid: u32) -> anyhow::Result<Duration> {
    of_stat(Path::new(&format!("/proc/{pid}/stat")))
}

/// CPU time of this process's threads of a name.
pub fn of_threads(name: &str) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task")? {
        let folder = task?.path();
        if std::fs::read_to_string(folder.join("comm"))?.trim() == name {
            sum += of_stat(&folder.join("stat"))?;
        }
    }
    Ok(sum)
}

/// CPU time that all processes together, and other guests of the machine, have used.
pub fn of_machine() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .flat_map(str::parse)
        .collect();
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    let ticks = fields
        .iter()
        .take(3)
        .chain(fields.iter().skip(5).take(3))
        .sum();
    Ok(ticks_to_time(ticks))
}

/// The most memory a process ever had resident, in bytes.
pub fn memory_max(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.context("/proc says nothing of memory")? * 1024)
}

fn of_stat(file: &Path) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(file)?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th after it.
    let (_, rest) = stat.rsplit_once(')').context("/proc has another form")?;
    let fields = rest.split_whitespace().skip(11).take(2);
    Ok(ticks_to_time(fields.flat_map(str::parse::<u64>).sum()))
}

fn ticks_to_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS)
}
