//! The end of a day: what both systems hold, what differs, and what was met on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use sandbox::day::{Books, Difference, Ledger};
use serde::Serialize;
use serde_json::Value as Json;

use super::stage::Stage;
use super::watch::{Counts, grouped};

/// A day in numbers. Amounts are decimal text in their currency.
#[derive(Serialize)]
pub(super) struct Summary {
    pub seed: u64,
    /// Real time from the first event to the last order, in milliseconds.
    pub took_ms: u128,
    /// Whether both systems hold what they must.
    pub agrees: bool,
    /// What was seen to happen in NetSuite.
    pub seen: Counts,
    /// By currency: orders that stand, and what they come to.
    pub orders: BTreeMap<String, Sum>,
    /// The flow's queue at the end; what is to be confirmed may stay.
    pub queue: Json,
    /// Records a person has to decide about, and why.
    pub dead_letters: BTreeMap<String, String>,
    /// What went wrong on purpose, and how often it struck.
    pub misfortunes: Vec<Struck>,
    /// Requests each vendor got.
    pub requests: BTreeMap<String, usize>,
    /// Mean time to start an instance of a component, in microseconds.
    pub instance_start_us: u128,
    /// Everything that is not as it should be.
    #[serde(serialize_with = "as_records")]
    pub differences: Vec<Shown>,
}

/// Orders of one currency, as they should be and as they are.
#[derive(Serialize)]
pub(super) struct Sum {
    expected_count: usize,
    expected_total: String,
    found_count: usize,
    found_total: String,
}

/// A misfortune met.
#[derive(Serialize)]
pub(super) struct Struck {
    vendor: String,
    what: String,
    times: u64,
}

/// Vendor and type.
type List = (&'static str, &'static str);

/// A difference in one line.
pub(super) struct Shown(Difference);

/// Compares both systems through the admin port. `status` is the flow's, when nothing was left to do.
pub(super) async fn settle(
    stage: &Stage,
    ledger: &Ledger,
    seen: Counts,
    took: Duration,
    status: &Json,
) -> anyhow::Result<Summary> {
    let admin = &stage.sandbox.admin_url;
    let mut lists = Vec::new();
    for (vendor, kind) in Books::lists() {
        let records = stage
            .client
            .list(&format!("{admin}/{vendor}/{kind}"))
            .await?;
        lists.push(((vendor, kind), records));
    }
    let seen = counted(seen, &lists);
    let books = Books::new(lists);
    let mut differences = books.differences(ledger);
    differences.extend(judge_dead(status, ledger));
    let mut requests = BTreeMap::new();
    for vendor in stage.sandbox.vendor_urls.keys() {
        let index = stage.client.get(&format!("{admin}/")).await?;
        let count = index["vendors"][vendor]["requests"]
            .as_u64()
            .unwrap_or_default();
        requests.insert(vendor.clone(), usize::try_from(count).unwrap_or(usize::MAX));
    }
    let faults = stage.client.list(&format!("{admin}/faults")).await?;
    Ok(Summary {
        seed: stage.seed,
        took_ms: took.as_millis(),
        agrees: differences.is_empty(),
        seen,
        orders: books
            .sums(ledger)
            .into_iter()
            .map(|(currency, sum)| (currency, shown(&sum)))
            .collect(),
        queue: status["queue"].clone(),
        dead_letters: dead(status),
        misfortunes: faults.iter().map(struck).collect(),
        requests,
        instance_start_us: stage.host.stats().instance_start.as_micros(),
        differences: differences.into_iter().map(Shown).collect(),
    })
}

/// What was seen along the way, with exact numbers where the records still tell.
fn counted(seen: Counts, lists: &[(List, Vec<Json>)]) -> Counts {
    let list = |vendor: &str, kind: &str| {
        let found = lists.iter().find(|(list, _)| *list == (vendor, kind));
        found.map_or(&[][..], |(_, records)| records.as_slice())
    };
    let orders = list("netsuite", "salesOrder");
    let with = |status: &str| {
        let those = orders
            .iter()
            .filter(|order| order["status"]["refName"] == status);
        those.count()
    };
    Counts {
        customers_created: list("netsuite", "customer").len(),
        orders_created: orders.len(),
        orders_closed: with("Closed"),
        orders_approved: with("Pending Fulfillment"),
        ..seen
    }
}

/// Those, and only those, that the day means a person to decide about.
fn judge_dead(status: &Json, ledger: &Ledger) -> Vec<Difference> {
    let dead = dead(status);
    let found: BTreeSet<&String> = dead.keys().collect();
    let expected: BTreeSet<&String> = ledger.undecided.iter().collect();
    let difference = |id: &String, expected: &str, found: &str| Difference {
        record: format!("queue entry {id}"),
        field: "dead letter".to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let missing = expected
        .difference(&found)
        .map(|id| difference(id, "TARGET_LOCKED", "none"));
    let surplus = found
        .difference(&expected)
        .map(|id| difference(id, "none", dead.get(*id).map_or("", String::as_str)));
    let other = dead
        .iter()
        .filter(|(id, why)| expected.contains(id) && !why.starts_with("TARGET_LOCKED"))
        .map(|(id, why)| difference(id, "TARGET_LOCKED", why));
    missing.chain(surplus).chain(other).collect()
}

fn dead(status: &Json) -> BTreeMap<String, String> {
    let items = status["dead"].as_array().into_iter().flatten();
    let pair = |item: &Json| {
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        (id, super::watch::fault(&item["fault"]))
    };
    items.map(pair).collect()
}

fn shown(sum: &sandbox::day::Sum) -> Sum {
    let text = |amount: Decimal| format!("{amount:.2}");
    Sum {
        expected_count: sum.expected_count,
        expected_total: text(sum.expected_total),
        found_count: sum.found_count,
        found_total: text(sum.found_total),
    }
}

/// One entry of the admin port's list of faults.
fn struck(fault: &Json) -> Struck {
    let what = match &fault["what"] {
        Json::String(name) => name.replace('_', " "),
        Json::Object(how) => how
            .iter()
            .map(|(name, value)| match value.as_str() {
                Some(value) => format!("{name}: {value}"),
                None => name.clone(),
            })
            .collect::<Vec<String>>()
            .join(", ")
            .replace('_', " "),
        _ => String::new(),
    };
    Struck {
        vendor: fault["vendor"].as_str().unwrap_or("any").to_owned(),
        what,
        times: fault["struck"].as_u64().unwrap_or_default(),
    }
}

impl Summary {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let seen = &self.seen;
        let seconds = self.took_ms / 1000;
        let mut lines = vec![
            format!("Seed {}: a day in {seconds} s", self.seed),
            format!(
                "  NetSuite   {} customers and {} orders made; orders changed {} times, {} approved, {} closed",
                seen.customers_created,
                seen.orders_created,
                seen.orders_updated,
                seen.orders_approved,
                seen.orders_closed
            ),
        ];
        for (currency, sum) in &self.orders {
            let total = |text: &str| grouped(text.parse().unwrap_or_default());
            lines.push(format!(
                "  {currency:<9}  {:>4} orders {:>20}   expected {:>4} orders {:>20}",
                sum.found_count,
                total(&sum.found_total),
                sum.expected_count,
                total(&sum.expected_total)
            ));
        }
        let mut met: BTreeMap<String, u64> = BTreeMap::new();
        for struck in &self.misfortunes {
            *met.entry(format!("{}: {}", struck.vendor, struck.what))
                .or_default() += struck.times;
        }
        let met = met.iter().filter(|(_, times)| **times > 0);
        lines.push("  Misfortunes met".to_owned());
        lines.extend(met.map(|(what, times)| format!("    {times:>3} x {what}")));
        let count = |name: &str| self.queue[name].as_u64().unwrap_or_default();
        lines.push(format!(
            "  Queue      {} to be confirmed later, {} for a person to decide, {} records waited",
            count("to_confirm"),
            count("dead"),
            seen.waited
        ));
        for (id, why) in &self.dead_letters {
            lines.push(format!("    {id} {}", super::watch::about(id, why)));
        }
        for (vendor, count) in &self.requests {
            lines.push(format!("  Requests   {count} to {vendor}"));
        }
        lines
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference {
            record,
            field,
            expected,
            found,
        } = &self.0;
        write!(
            f,
            "{record}, {field}: expected \"{expected}\", found \"{found}\""
        )
    }
}

fn as_records<S: serde::Serializer>(shown: &[Shown], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(shown.iter().map(|shown| &shown.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_dead_letters_the_day_means_are_right() {
        let mut ledger = Ledger::default();
        ledger.undecided.insert("A".to_owned());
        let status = |dead: &[(&str, &str)]| {
            let item = |(id, code): &(&str, &str)| json!({"id": id, "fault": {"code": code}});
            json!({"dead": dead.iter().map(item).collect::<Vec<Json>>()})
        };
        let judged = |dead: &[(&str, &str)]| -> Vec<String> {
            let found = judge_dead(&status(dead), &ledger);
            found
                .into_iter()
                .map(|one| format!("{} {}", one.record, one.found))
                .collect()
        };
        assert_eq!(judged(&[("A", "TARGET_LOCKED")]), [""; 0]);
        assert_eq!(judged(&[]), ["queue entry A none"]);
        assert_eq!(judged(&[("A", "OTHER")]), ["queue entry A OTHER: "]);
        let surplus = [("A", "TARGET_LOCKED"), ("B", "MAPPING_FIELDS")];
        assert_eq!(judged(&surplus), ["queue entry B MAPPING_FIELDS: "]);
    }

    #[test]
    fn a_misfortune_reads_as_a_phrase() {
        let phrase =
            |what: Json| struck(&json!({"vendor": "netsuite", "what": what, "struck": 2})).what;
        assert_eq!(phrase(json!("commit_then_drop")), "commit then drop");
        assert_eq!(
            phrase(json!({"refuse": "rate_limit"})),
            "refuse: rate limit"
        );
        assert_eq!(phrase(json!({"delay": {"ms": 5}})), "delay");
    }

    #[test]
    fn what_the_records_tell_is_not_guessed() {
        let order = |status: &str| json!({"status": {"refName": status}});
        let orders = vec![
            order("Closed"),
            order("Pending Fulfillment"),
            order("Pending Approval"),
        ];
        let seen = Counts {
            orders_updated: 7,
            ..Counts::default()
        };
        let counts = counted(seen, &[(("netsuite", "salesOrder"), orders)]);
        assert_eq!((counts.orders_created, counts.orders_updated), (3, 7));
        assert_eq!((counts.orders_closed, counts.orders_approved), (1, 1));
    }
}
