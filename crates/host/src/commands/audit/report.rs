//! The report: counts by state, sums by currency, and what is to be looked at.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::entry::Entry;
use crate::commands::flows::{Paint, plain, print};

/// Counts and sums of one state and currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    records: usize,
    source: Decimal,
    target: Decimal,
}

pub(super) struct Report {
    counts: BTreeMap<String, usize>,
    sums: BTreeMap<(String, String), Sum>,
    /// All that should be on both sides, by currency.
    totals: BTreeMap<String, Sum>,
    /// Records that should be on both sides, and have an amount on neither or can't be summed up.
    without_amount: usize,
}

/// In the order in which they are shown.
const STATES: [(&str, &str, Paint); 9] = [
    ("unchanged", "unchanged", Paint::Good),
    ("applied", "applied", Paint::Good),
    ("locked", "locked in the target", Paint::Attention),
    ("skipped", "skipped by a person", Paint::Attention),
    ("queued", "queued", Paint::Attention),
    ("dead", "dead", Paint::Bad),
    ("unaccounted", "unaccounted for", Paint::Bad),
    ("out_of_scope", "out of scope", Paint::Faint),
    ("foreign", "not of this flow", Paint::Faint),
];
/// Records of a state that are named one by one.
const NAMED_COUNT_MAX: usize = 200;
const DIFFERENCE_COUNT_MAX: usize = 20;

impl Report {
    pub fn of(entries: &[Entry]) -> Self {
        let mut report = Self {
            counts: BTreeMap::new(),
            sums: BTreeMap::new(),
            totals: BTreeMap::new(),
            without_amount: 0,
        };
        for entry in entries {
            *report.counts.entry(entry.state.clone()).or_default() += 1;
            if !report.add(entry) && entry.counts() {
                report.without_amount += 1;
            }
        }
        report
    }

    /// False where no side says an amount, or a sum would not fit.
    fn add(&mut self, entry: &Entry) -> bool {
        let sides = [&entry.source_says, &entry.target_says];
        let mut currencies: Vec<&str> = Vec::new();
        for side in sides.iter().filter(|side| side.amount.is_some()) {
            if !currencies.contains(&side.currency.as_str()) {
                currencies.push(&side.currency);
            }
        }
        let mut added = !currencies.is_empty();
        for currency in currencies {
            let of = |side: usize| {
                let side = sides[side];
                let amount = side.amount.filter(|_| side.currency == currency);
                amount.unwrap_or_default()
            };
            let one = Sum {
                records: 1,
                source: of(0),
                target: of(1),
            };
            let key = (entry.state.clone(), currency.to_owned());
            added &= self.sums.entry(key).or_default().add(one);
            if entry.counts() {
                added &= self.totals.entry(currency.to_owned()).or_default().add(one);
            }
        }
        added
    }

    pub fn unaccounted(&self) -> usize {
        self.count("unaccounted")
    }

    fn count(&self, state: &str) -> usize {
        self.counts.get(state).copied().unwrap_or(0)
    }

    pub fn json(&self) -> Json {
        let sum = |currency: &str, sum: &Sum| {
            json!({
                "currency": currency,
                "records": sum.records,
                "source": sum.source.to_string(),
                "target": sum.target.to_string(),
            })
        };
        let sums = self.sums.iter().map(|((state, currency), of)| {
            let mut one = sum(currency, of);
            one["state"] = state.as_str().into();
            one
        });
        let totals = self.totals.iter().map(|(currency, of)| sum(currency, of));
        json!({
            "counts": self.counts,
            "sums": sums.collect::<Vec<_>>(),
            "totals": totals.collect::<Vec<_>>(),
            "without_amount": self.without_amount,
        })
    }

    pub fn print(&self, title: &str, entries: &[Entry]) {
        print(&Paint::Title.style().apply_to(title).to_string());
        print("");
        for (paint, line) in self.lines() {
            print(&paint.style().apply_to(line).to_string());
        }
        if self.without_amount > 0 {
            let count = self.without_amount;
            print(&format!(
                "{count} of the records that should be on both sides have no readable amount: the sums lack them."
            ));
        }
        for (state, words, paint) in STATES.into_iter().rev() {
            if matches!(
                state,
                "unaccounted" | "dead" | "queued" | "skipped" | "locked"
            ) {
                named(entries, state, words, paint);
            }
        }
    }

    /// Figures under one another, to the right.
    fn lines(&self) -> Vec<(Paint, String)> {
        let head = ["", "records", "currency", "source", "target", "difference"];
        let mut rows = vec![(Paint::Faint, head.map(str::to_owned))];
        for (state, words, paint) in STATES {
            let of_state = self.sums.iter().filter(|((of, _), _)| of == state);
            let count = self.count(state);
            if count == 0 {
                continue;
            }
            let mut first = (words.to_owned(), count.to_string());
            for ((_, currency), sum) in of_state {
                let (words, count) = std::mem::take(&mut first);
                rows.push((paint, row(words, count, currency, sum)));
            }
            let (words, count) = first;
            if !words.is_empty() {
                let [a, b, c, d] = [(); 4].map(|()| String::new());
                rows.push((paint, [words, count, a, b, c, d]));
            }
        }
        for (currency, sum) in &self.totals {
            let words = "should be on both sides".to_owned();
            let row = row(words, sum.records.to_string(), currency, sum);
            rows.push((Paint::Title, row));
        }
        let width = |column: usize| rows.iter().map(|(_, row)| row[column].len()).max();
        let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or(0));
        let line = |row: &[String; 6]| {
            let mut line = format!("{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(widths).skip(1) {
                line += &format!("  {cell:>width$}");
            }
            line.trim_end().to_owned()
        };
        rows.iter()
            .map(|(paint, row)| (*paint, line(row)))
            .collect()
    }
}

impl Sum {
    /// False if it does not fit; then nothing was added.
    fn add(&mut self, other: Self) -> bool {
        let source = self.source.checked_add(other.source);
        let target = self.target.checked_add(other.target);
        let (Some(source), Some(target)) = (source, target) else {
            return false;
        };
        *self = Self {
            records: self.records + other.records,
            source,
            target,
        };
        true
    }
}

fn row(words: String, count: String, currency: &str, sum: &Sum) -> [String; 6] {
    let difference = sum.target.checked_sub(sum.source).unwrap_or_default();
    [
        words,
        count,
        currency.to_owned(),
        money(sum.source),
        money(sum.target),
        if difference.is_zero() {
            String::new()
        } else {
            money(difference)
        },
    ]
}

/// `1,234,567.80`: two places at least, every digit kept.
fn money(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    let text = amount.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if amount.is_sign_negative() { "-" } else { "" };
    format!("{sign}{grouped}.{fraction}")
}

/// Each record of a state, with what differs.
fn named(entries: &[Entry], state: &str, words: &str, paint: Paint) {
    let of_state: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.state == state)
        .collect();
    if of_state.is_empty() {
        return;
    }
    print("");
    let title = format!("{}: {}", words, of_state.len());
    print(&paint.style().apply_to(title).to_string());
    for entry in of_state.iter().take(NAMED_COUNT_MAX) {
        let or_none = |id: &str| {
            if id.is_empty() {
                "none".to_owned()
            } else {
                plain(id)
            }
        };
        print(&format!(
            "  source {}, target {}: {}",
            or_none(&entry.source),
            or_none(&entry.target),
            plain(&entry.why)
        ));
        for difference in entry.differences.iter().take(DIFFERENCE_COUNT_MAX) {
            print(&format!("      {}", plain(difference)));
        }
        if entry.differences.len() > DIFFERENCE_COUNT_MAX {
            let more = entry.differences.len() - DIFFERENCE_COUNT_MAX;
            print(&format!("      and {more} more"));
        }
    }
    if of_state.len() > NAMED_COUNT_MAX {
        let more = of_state.len() - NAMED_COUNT_MAX;
        print(&format!("  and {more} more: --csv FILE has them all"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(state: &str, source: Option<(&str, &str)>, target: Option<(&str, &str)>) -> Entry {
        let says = |said: Option<(&str, &str)>| match said {
            Some((amount, currency)) => json!({ "amount": amount, "currency": currency }),
            None => json!({}),
        };
        let entry = json!({
            "source": "S", "target": null, "state": state, "why": null, "changes": [],
            "source_says": says(source), "target_says": says(target),
        });
        Entry::read("source", &entry).unwrap()
    }

    #[test]
    fn sums_are_exact_and_by_currency() {
        let report = Report::of(&[
            entry("unchanged", Some(("0.10", "EUR")), Some(("0.10", "EUR"))),
            entry(
                "unchanged",
                Some(("1234567.20", "EUR")),
                Some(("1234567.2", "EUR")),
            ),
            entry("unaccounted", Some(("5", "USD")), Some(("5", "EUR"))),
            entry("queued", None, None),
            entry("out_of_scope", Some(("99", "EUR")), None),
        ]);
        let lines: Vec<String> = report.lines().into_iter().map(|(_, line)| line).collect();
        let want = [
            "                         records  currency        source        target  difference",
            "unchanged                      2       EUR  1,234,567.30  1,234,567.30",
            "queued                         1",
            "unaccounted for                1       EUR          0.00          5.00        5.00",
            "                                       USD          5.00          0.00       -5.00",
            "out of scope                   1       EUR         99.00          0.00      -99.00",
            "should be on both sides        3       EUR  1,234,567.30  1,234,572.30        5.00",
            "should be on both sides        1       USD          5.00          0.00       -5.00",
        ];
        assert_eq!(lines, want, "{lines:#?}");
        assert_eq!((report.unaccounted(), report.without_amount), (1, 1));
        assert_eq!(report.json()["totals"][0]["target"], "1234572.30");
    }

    #[test]
    fn an_amount_that_is_none_is_refused_not_left_out() {
        let entry = json!({ "source_says": { "amount": "ten" } });
        assert!(Entry::read("source", &entry).is_err());
    }
}
