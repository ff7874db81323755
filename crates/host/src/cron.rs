//! The clock of cron triggers.
//!
//! As under Spin, ticks of one component may overlap if one takes longer than the time to the next, and a
//! tick that was missed (the host was down) is not made up for.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use tokio::sync::watch;

use crate::application::Application;
use crate::failure::Failure;
use crate::manifest::CronTrigger;

/// Ticks until told to stop. Ticks that run then are waited for by whoever waits for running work.
pub(crate) async fn run(
    trigger: CronTrigger,
    application: Arc<Application>,
    mut stop: watch::Receiver<bool>,
) {
    let mut last = Utc::now();
    // The schedule itself ends for expressions that name years past.
    while let Ok(next) = trigger.schedule.find_next_occurrence(&last, false) {
        let wait = (next - Utc::now()).to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => return,
        }
        last = next.max(Utc::now());
        let component = trigger.component.clone();
        let application_ = application.clone();
        application
            .running
            .spawn(async move { tick(&application_, &component).await });
    }
    tracing::warn!(
        component = trigger.component,
        "the schedule has no further ticks"
    );
}

/// One tick, logged.
pub(crate) async fn tick(application: &Arc<Application>, component: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let timestamp = u64::try_from(Utc::now().timestamp()).unwrap_or_default();
    let result = application.tick(component, timestamp).await;
    let ms = started.elapsed().as_millis() as u64;
    match &result {
        Ok(()) => tracing::info!(component, ms, "tick"),
        Err(failure) => tracing::error!(component, ms, "tick failed: {failure}"),
    }
    result
}
