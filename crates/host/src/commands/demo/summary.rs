//! The end of a day: what all systems hold, what differs, and what was met on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use sandbox::day::books::AMAZON_LIST;
use sandbox::day::{Books, Difference, Ledger};
use serde::Serialize;
use serde_json::Value as Json;

use super::dead;
use super::market::{self, Market};
use super::stage::Stage;
use super::watch::{Counts, flow_of, grouped, is_made};
use crate::commands::sandbox::{AMAZON_ORDERS, OPPORTUNITIES};

/// A day in numbers. Amounts are decimal text in their currency.
#[derive(Serialize)]
pub(super) struct Summary {
    pub seed: u64,
    /// Real time from the first event to the last order, in milliseconds.
    pub took_ms: u128,
    /// Whether all systems hold what they must.
    pub agrees: bool,
    /// What each flow did.
    pub flows: BTreeMap<&'static str, Flow>,
    /// What was ordered at Amazon, by marketplace and by who sends it.
    pub amazon: Vec<market::Shown>,
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

/// One flow's day.
#[derive(Serialize)]
pub(super) struct Flow {
    /// What was seen to happen in NetSuite.
    pub seen: Counts,
    /// By currency: orders that stand, and what they come to.
    pub orders: BTreeMap<String, Sum>,
    /// The flow's queue at the end; what is to be confirmed may stay.
    pub queue: Json,
    /// Records a person has to decide about, and why.
    pub dead_letters: BTreeMap<String, String>,
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

/// Compares all systems through the admin port. `script` is what was to be ordered at Amazon; `statuses` are
/// the flows', when nothing was left to do.
pub(super) async fn settle(
    stage: &Stage,
    ledger: &Ledger,
    script: &Market,
    seen: BTreeMap<&'static str, Counts>,
    took: Duration,
    statuses: &[Json],
) -> anyhow::Result<Summary> {
    let (client, admin) = (&stage.client, &stage.sandbox.admin_url);
    let mut lists = Vec::new();
    for (vendor, kind) in Books::lists().chain([AMAZON_LIST]) {
        let records = client.list(&format!("{admin}/{vendor}/{kind}")).await?;
        lists.push(((vendor, kind), records));
    }
    let listed = Market::listed(list(&lists, AMAZON_LIST));
    let counts = |flow| counted(flow, seen.get(flow).copied().unwrap_or_default(), &lists);
    let counts = BTreeMap::from([OPPORTUNITIES, AMAZON_ORDERS].map(|flow| (flow, counts(flow))));
    let books = Books::new(lists);
    let mut differences = books.differences(ledger);
    differences.extend(script.differences(&listed));
    let mut flows = BTreeMap::new();
    for (flow, status) in stage.flows.iter().zip(statuses) {
        // Whatever happens at Amazon, nobody has to decide: its orders can still be closed.
        let (sums, undecided) = match flow.name {
            AMAZON_ORDERS => (books.amazon_sums(ledger), &BTreeSet::new()),
            _ => (books.sums(ledger), &ledger.undecided),
        };
        differences.extend(dead::judge(status, undecided));
        let sums = sums.into_iter();
        let of_flow = Flow {
            seen: counts.get(flow.name).copied().unwrap_or_default(),
            orders: sums.map(|(code, sum)| (code, shown(&sum))).collect(),
            queue: status["queue"].clone(),
            dead_letters: dead::dead(status),
        };
        flows.insert(flow.name, of_flow);
    }
    let faults = client.list(&format!("{admin}/faults")).await?;
    Ok(Summary {
        seed: stage.seed,
        took_ms: took.as_millis(),
        agrees: differences.is_empty(),
        flows,
        amazon: listed.announced_as(script).shown(),
        misfortunes: faults.iter().map(struck).collect(),
        requests: requests(stage).await?,
        instance_start_us: stage.host.stats().instance_start.as_micros(),
        differences: differences.into_iter().map(Shown).collect(),
    })
}

/// How many each vendor got.
async fn requests(stage: &Stage) -> anyhow::Result<BTreeMap<String, usize>> {
    let url = format!("{}/", stage.sandbox.admin_url);
    let index = stage.client.get(&url).await?;
    let count = |vendor: &String| {
        let count = index["vendors"][vendor]["requests"].as_u64();
        let count = usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX);
        (vendor.clone(), count)
    };
    Ok(stage.sandbox.vendor_urls.keys().map(count).collect())
}

fn list(lists: &[(List, Vec<Json>)], of: List) -> &[Json] {
    let found = lists.iter().find(|(list, _)| *list == of);
    found.map_or(&[][..], |(_, records)| records.as_slice())
}

/// What was seen of a flow along the way, with exact numbers where the records still tell.
fn counted(flow: &str, seen: Counts, lists: &[(List, Vec<Json>)]) -> Counts {
    let orders = list(lists, ("netsuite", "salesOrder")).iter();
    let orders: Vec<&Json> = orders.filter(|order| flow_of(order) == flow).collect();
    let with = |status: &str| {
        let those = orders
            .iter()
            .filter(|order| order["status"]["refName"] == status);
        those.count()
    };
    let customers = list(lists, ("netsuite", "customer")).iter();
    Counts {
        customers_created: match flow {
            OPPORTUNITIES => customers.filter(|customer| is_made(customer)).count(),
            // Its orders are a marketplace's.
            _ => 0,
        },
        orders_created: orders.len(),
        orders_closed: with("Closed"),
        orders_approved: with("Pending Fulfillment"),
        ..seen
    }
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
        let seconds = self.took_ms / 1000;
        let mut lines = vec![format!("Seed {}: a day in {seconds} s", self.seed)];
        for (name, flow) in &self.flows {
            lines.push(format!("  {name}"));
            lines.extend(flow.lines());
        }
        lines.push("  Ordered at Amazon".to_owned());
        lines.extend(market::lines(&self.amazon));
        let mut met: BTreeMap<String, u64> = BTreeMap::new();
        for struck in &self.misfortunes {
            *met.entry(format!("{}: {}", struck.vendor, struck.what))
                .or_default() += struck.times;
        }
        let met = met.iter().filter(|(_, times)| **times > 0);
        lines.push("  Misfortunes met".to_owned());
        lines.extend(met.map(|(what, times)| format!("    {times:>3} x {what}")));
        for (vendor, count) in &self.requests {
            lines.push(format!("  Requests   {count} to {vendor}"));
        }
        lines
    }
}

impl Flow {
    fn lines(&self) -> Vec<String> {
        let seen = &self.seen;
        let customers = match seen.customers_created {
            0 => String::new(),
            count => format!("{count} customers and "),
        };
        let mut lines = vec![format!(
            "    NetSuite   {customers}{} orders made; orders changed {} times, {} approved, {} closed",
            seen.orders_created, seen.orders_updated, seen.orders_approved, seen.orders_closed
        )];
        for (currency, sum) in &self.orders {
            let total = |text: &str| grouped(text.parse().unwrap_or_default());
            lines.push(format!(
                "    {currency:<9}  {:>4} orders {:>20}   expected {:>4} orders {:>20}",
                sum.found_count,
                total(&sum.found_total),
                sum.expected_count,
                total(&sum.expected_total)
            ));
        }
        let count = |name: &str| self.queue[name].as_u64().unwrap_or_default();
        lines.push(format!(
            "    Queue      {} to be confirmed later, {} for a person to decide, {} records waited",
            count("to_confirm"),
            count("dead"),
            seen.waited
        ));
        for (id, why) in &self.dead_letters {
            lines.push(format!("      {id} {}", super::watch::about(id, why)));
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
        let order =
            |key: &str, status: &str| json!({"externalId": key, "status": {"refName": status}});
        let orders = vec![
            order("", "Closed"),
            order("", "Pending Fulfillment"),
            order("", "Pending Approval"),
            order("amazon:Order:7:transaction", "Closed"),
        ];
        let customer = |key: &str| json!({"externalId": key});
        let customers = vec![customer("amazon-customer-us"), customer("salesforce:1")];
        let seen = Counts {
            orders_updated: 7,
            ..Counts::default()
        };
        let lists = [
            (("netsuite", "salesOrder"), orders),
            (("netsuite", "customer"), customers),
        ];
        let counts = counted(OPPORTUNITIES, seen, &lists);
        assert_eq!((counts.orders_created, counts.orders_updated), (3, 7));
        assert_eq!((counts.orders_closed, counts.orders_approved), (1, 1));
        assert_eq!(counts.customers_created, 1);
        let counts = counted(AMAZON_ORDERS, Counts::default(), &lists);
        assert_eq!((counts.orders_created, counts.orders_closed), (1, 1));
        assert_eq!(counts.customers_created, 0);
    }
}
