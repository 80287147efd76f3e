//! Seeds a month of tasks.

use std::time::Duration;

use super::company::{groups, read};
use crate::automation::v1::{DeviceTask, DeviceTaskSource, Trigger};
use crate::emulator::failure::Failure;
use crate::emulator::special::tasks::create;
use crate::emulator::store::{Change, Read};

/// The number of days, back from now.
const DAYS: u64 = 30;
const DAY: u64 = 86_400;
/// The tasks of a day: the same names come again, and with them their templates, except where the
/// description has the day in it.
const TASKS: &str = include_str!("tasks.json");

/// Creates the tasks in order, the last one a minute ago, so that its runs are in progress.
pub(super) fn fill(change: &mut Change<'_>) -> Result<(), Failure> {
    let now = change.environment().clock.now();
    for days_ago in (0..DAYS).rev() {
        let tasks = tasks_of_day(DAYS.saturating_sub(days_ago))?;
        // One per hour, starting ten hours before the end of the day.
        for (hours, mut task) in (0..=10).rev().zip(tasks) {
            let back = days_ago * DAY + hours * 3600 + 60;
            let at = now.checked_sub(Duration::from_secs(back)).unwrap_or(now);
            task.triggers = vec![Trigger::manual(None)];
            task.source = DeviceTaskSource::InternalUser.into();
            create(change, at.into(), task)?;
        }
    }
    Ok(())
}

fn tasks_of_day(day: u64) -> Result<Vec<DeviceTask>, Failure> {
    let mut tasks = TASKS.replace("{day}", &format!("{day:02}"));
    for group in groups() {
        let name = group.name.to_lowercase();
        let single = usize::try_from(day).unwrap_or_default() % group.devices.len().max(1);
        let device = group.devices.get(single).map_or("", String::as_str);
        tasks = tasks
            .replace(&format!("{{{name}}}"), &group.uuid)
            .replace(&format!("{{{}}}", name.trim_end_matches('s')), device);
    }
    read(&tasks)
}
