//! Walks a route page by page, to its end.

use std::time::Duration;

use http::{Method, StatusCode};
use indicatif::ProgressBar;
use serde_json::Value as Json;

use super::Flow;

/// Two million records.
const PAGE_COUNT_MAX: usize = 100_000;
const TRY_COUNT_MAX: u32 = 8;
const WAIT_MAX: Duration = Duration::from_secs(30);

impl Flow {
    /// Every page of `path`, which has a query already, each given to `page`. What passes is asked for again.
    pub(in crate::commands) fn walk(
        &self,
        method: &Method,
        path: &str,
        mut page: impl FnMut(&Json) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut after = None::<String>;
        for _ in 0..PAGE_COUNT_MAX {
            let path = match &after {
                None => path.to_owned(),
                Some(after) => {
                    let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
                    format!("{path}&after={after}")
                }
            };
            let body = self.patiently(method, &path)?;
            page(&body)?;
            match body["next"].as_str() {
                None => return Ok(()),
                Some(next) if after.as_deref() == Some(next) => {
                    anyhow::bail!("{path}: the page after this one is this one")
                }
                Some(next) => after = Some(next.to_owned()),
            }
        }
        anyhow::bail!("{path}: there are more than {PAGE_COUNT_MAX} pages")
    }

    /// Asks again while the flow says that it can't answer now: a vendor throttles, a store is locked.
    fn patiently(&self, method: &Method, path: &str) -> anyhow::Result<Json> {
        for tried in 1..TRY_COUNT_MAX {
            let answer = self.ask(method.clone(), path, None)?;
            let passes = answer.status == StatusCode::SERVICE_UNAVAILABLE
                && answer.body["fault"]["action"] != "stop_flow";
            if !passes {
                return answer.success();
            }
            std::thread::sleep(Duration::from_secs(1 << tried.min(16)).min(WAIT_MAX));
        }
        self.ask(method.clone(), path, None)?.success()
    }
}

/// Shows on a terminal how far a walk is.
pub(in crate::commands) fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
