//! `sluice adopt`.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value as Json, json};

use super::flows::{Paint, Remote, Table, plain, print, print_json, progress};

/// Finds records that were in the target before, by the keys the mapping names, and links them. Sends nothing
/// to either system.
///
/// Without --yes it only shows what matches, what is ambiguous and what is missing. With it the links are
/// written; pause the flow first.
///
/// Example: sluice adopt opportunity-to-sales-order --yes
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Write the links.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    remote: Remote,
}

/// States in the order in which they are shown, with their words.
const STATES: [(&str, &str, Paint); 6] = [
    ("matched", "would be adopted", Paint::Good),
    ("adopted", "adopted", Paint::Good),
    ("linked", "linked before", Paint::Plain),
    ("ambiguous", "ambiguous, left alone", Paint::Bad),
    ("missing", "missing in the target", Paint::Attention),
    ("in_work", "in work, left alone", Paint::Attention),
];
/// Records of a state that are named one by one.
const NAMED_COUNT_MAX: usize = 200;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let flow = arguments.remote.flow(&arguments.flow)?;
    let dry_run = u8::from(!arguments.yes);
    let bar = progress();
    let mut entries: BTreeMap<(String, String), Json> = BTreeMap::new();
    flow.walk(
        &Method::POST,
        &format!("/adopt?dry_run={dry_run}"),
        |page| {
            for entry in page["entries"].as_array().into_iter().flatten() {
                let of = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                entries.insert((of("section"), of("id")), entry.clone());
            }
            bar.set_message(format!("{} records", entries.len()));
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    let entries: Vec<Json> = entries.into_values().collect();
    if arguments.remote.json {
        print_json(
            &json!({ "flow": arguments.flow, "dry_run": !arguments.yes, "records": entries }),
        );
    } else {
        show(&entries);
        if !arguments.yes {
            print("");
            print(
                "Nothing was written. Pause the flow, and say --yes to link what would be adopted.",
            );
        }
    }
    match entries
        .iter()
        .filter(|entry| entry["state"] == "in_work")
        .count()
    {
        0 => Ok(()),
        count => anyhow::bail!("{count} records are in work: say the same again in a moment"),
    }
}

fn show(entries: &[Json]) {
    let mut counts: BTreeMap<&str, BTreeMap<&str, (usize, usize)>> = BTreeMap::new();
    for entry in entries {
        let of = |name: &str| entry[name].as_str().unwrap_or_default();
        let count = counts.entry(of("section")).or_default();
        let count = count.entry(of("state")).or_default();
        count.0 += 1;
        count.1 += usize::from(entry["agrees"] == false);
    }
    let mut table = Table::new(&["kind", "records", "", "of them different"]);
    for (section, states) in &counts {
        for (state, words, paint) in STATES {
            let Some((count, differ)) = states.get(state) else {
                continue;
            };
            let differ = if *differ > 0 {
                differ.to_string()
            } else {
                String::new()
            };
            table.row([
                (Paint::Plain, (*section).to_owned()),
                (Paint::Plain, count.to_string()),
                (paint, words.to_owned()),
                (Paint::Attention, differ),
            ]);
        }
    }
    table.print();
    let is = |state: &'static str| move |entry: &&Json| entry["state"] == state;
    named(entries, "ambiguous", is("ambiguous"));
    named(entries, "missing in the target", is("missing"));
    named(
        entries,
        "adopted as they are, though they differ",
        |entry| entry["agrees"] == false,
    );
}

fn named(entries: &[Json], words: &str, wanted: impl Fn(&&Json) -> bool) {
    let wanted: Vec<&Json> = entries.iter().filter(wanted).collect();
    if wanted.is_empty() {
        return;
    }
    print("");
    print(
        &Paint::Title
            .style()
            .apply_to(format!("{words}: {}", wanted.len()))
            .to_string(),
    );
    for entry in wanted.iter().take(NAMED_COUNT_MAX) {
        let of = |name: &str| plain(entry[name].as_str().unwrap_or_default());
        let targets = entry["targets"].as_array().into_iter().flatten();
        let targets: Vec<&str> = targets.filter_map(Json::as_str).collect();
        let target = match targets.is_empty() {
            true => of("target"),
            false => plain(&targets.join(", ")),
        };
        let parts = [format!("{} {}", of("section"), of("id")), target, of("why")];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        print(&format!("  {}", parts.join("  ")));
        for change in entry["changes"].as_array().into_iter().flatten() {
            let line = format!(
                "{}: holds {}, the source says {}",
                change["path"].as_str().unwrap_or_default(),
                change["held"],
                change["wanted"]
            );
            print(&format!("      {}", plain(&line)));
        }
    }
    if wanted.len() > NAMED_COUNT_MAX {
        let more = wanted.len() - NAMED_COUNT_MAX;
        print(&format!("  and {more} more: --json has them all"));
    }
}
