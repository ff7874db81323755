//! What was ordered at Amazon, by marketplace and by who sends it: as the day's script has it, and as the
//! admin port lists it.

use std::collections::BTreeMap;

use sandbox::amazon::{Deed, FulfilledBy, NewOrder};
use sandbox::day::{Act, Day, Difference};
use serde::Serialize;
use serde_json::Value as Json;

/// Orders of all marketplaces.
#[derive(Default)]
pub(super) struct Market {
    /// By marketplace and sender.
    rows: BTreeMap<(String, String), Row>,
}

/// Orders of one marketplace that one sends.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub ordered: usize,
    pub cancelled: usize,
    /// Amazon tells of these; the schedule finds the others. The records don't show it: this is the script's.
    pub announced: usize,
    pub promoted: usize,
    pub gift_wrapped: usize,
}

/// A row for the summary.
#[derive(Serialize)]
pub(super) struct Shown {
    pub marketplace: String,
    pub fulfilled_by: String,
    #[serde(flatten)]
    pub row: Row,
}

impl Market {
    /// What the script says.
    pub(super) fn planned(day: &Day) -> Self {
        let mut market = Self::default();
        let mut places = BTreeMap::new();
        for event in &day.events {
            match &event.act {
                Act::Order {
                    name,
                    order,
                    announced,
                } => {
                    let place = place(order);
                    let row = market.rows.entry(place.clone()).or_default();
                    row.ordered += 1;
                    row.announced += usize::from(*announced);
                    let any =
                        |is: fn(&sandbox::amazon::NewItem) -> bool| order.items.iter().any(is);
                    row.promoted += usize::from(any(|item| item.promotion_id.is_some()));
                    row.gift_wrapped += usize::from(any(|item| item.gift_wrap.is_some()));
                    places.insert(name.clone(), place);
                }
                Act::Handle {
                    name,
                    deed: Deed::Cancel { .. },
                    ..
                } => {
                    let place = places.get(name).cloned().unwrap_or_default();
                    market.rows.entry(place).or_default().cancelled += 1;
                }
                _ => {}
            }
        }
        market
    }

    /// What the admin port lists.
    pub(super) fn listed(orders: &[Json]) -> Self {
        let mut market = Self::default();
        for order in orders {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let place = (
                text(&order["salesChannel"]["marketplaceName"]),
                text(&order["fulfillment"]["fulfilledBy"]),
            );
            let items = order["orderItems"].as_array();
            let any = |is: fn(&Json) -> bool| items.is_some_and(|items| items.iter().any(is));
            let row = market.rows.entry(place).or_default();
            row.ordered += 1;
            let status = &order["fulfillment"]["fulfillmentStatus"];
            row.cancelled += usize::from(status == "CANCELLED");
            row.promoted += usize::from(any(|item| !item["promotion"].is_null()));
            let gift = |item: &Json| !item["fulfillment"]["packing"]["giftOption"].is_null();
            row.gift_wrapped += usize::from(any(gift));
        }
        market
    }

    /// Where the list is not what the script says.
    pub(super) fn differences(&self, listed: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut places: Vec<_> = self.rows.keys().chain(listed.rows.keys()).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let row = |market: &Self| market.rows.get(place).copied().unwrap_or_default();
            let (planned, found) = (row(self), row(listed));
            for (field, expected, found) in [
                ("ordered", planned.ordered, found.ordered),
                ("cancelled", planned.cancelled, found.cancelled),
                ("promoted", planned.promoted, found.promoted),
                ("gift-wrapped", planned.gift_wrapped, found.gift_wrapped),
            ] {
                if expected != found {
                    differences.push(Difference {
                        record: format!("orders of {} sent by {}", place.0, place.1),
                        field: field.to_owned(),
                        expected: expected.to_string(),
                        found: found.to_string(),
                    });
                }
            }
        }
        differences
    }

    /// The same, with how many were announced.
    pub(super) fn announced_as(mut self, script: &Self) -> Self {
        for (place, row) in &mut self.rows {
            row.announced = script.rows.get(place).map_or(0, |row| row.announced);
        }
        self
    }

    /// Row by row.
    pub(super) fn shown(&self) -> Vec<Shown> {
        let shown = |((marketplace, fulfilled_by), row): (&(String, String), &Row)| Shown {
            marketplace: marketplace.clone(),
            fulfilled_by: fulfilled_by.clone(),
            row: *row,
        };
        self.rows.iter().map(shown).collect()
    }
}

/// For people, with a sum below.
pub(super) fn lines(rows: &[Shown]) -> Vec<String> {
    let line = |name: &str, by: &str, row: &Row| {
        format!(
            "    {name:<14} {by:<12} {:>7} {:>10} {:>10} {:>9} {:>13}",
            row.ordered, row.cancelled, row.announced, row.promoted, row.gift_wrapped
        )
    };
    let mut lines = vec![format!(
        "    {:<14} {:<12} {:>7} {:>10} {:>10} {:>9} {:>13}",
        "", "sent by", "orders", "cancelled", "announced", "promoted", "gift-wrapped"
    )];
    let mut sum = Row::default();
    for Shown {
        marketplace,
        fulfilled_by,
        row,
    } in rows
    {
        let by = match fulfilled_by.as_str() {
            "AMAZON" => "Amazon",
            _ => "the seller",
        };
        lines.push(line(marketplace, by, row));
        sum.ordered += row.ordered;
        sum.cancelled += row.cancelled;
        sum.announced += row.announced;
        sum.promoted += row.promoted;
        sum.gift_wrapped += row.gift_wrapped;
    }
    lines.push(line("together", "", &sum));
    lines
}

fn place(order: &NewOrder) -> (String, String) {
    let by = match order.fulfilled_by {
        FulfilledBy::Amazon => "AMAZON",
        FulfilledBy::Merchant => "MERCHANT",
    };
    (order.marketplace.name.to_owned(), by.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_is_held_against_the_script() {
        let order = |status: &str, item: Json| {
            json!({"salesChannel": {"marketplaceName": "Amazon.com"}, "orderItems": [item],
                "fulfillment": {"fulfilledBy": "AMAZON", "fulfillmentStatus": status}})
        };
        let gift = json!({"fulfillment": {"packing": {"giftOption": {"giftWrapLevel": "Red"}}}});
        let promoted = json!({"promotion": {"breakdowns": []}});
        let listed = [order("SHIPPED", gift), order("CANCELLED", promoted)];
        let market = Market::listed(&listed);
        let shown = market.shown();
        let row = &shown[0].row;
        let counts = [row.ordered, row.cancelled, row.promoted, row.gift_wrapped];
        assert_eq!(counts, [2, 1, 1, 1]);
        assert_eq!(market.differences(&Market::listed(&listed)), []);
        let found = market.differences(&Market::listed(&listed[..1]));
        let found: Vec<_> = found
            .iter()
            .map(|one| format!("{} {} {}", one.field, one.expected, one.found))
            .collect();
        assert_eq!(found, ["ordered 2 1", "cancelled 1 0", "promoted 1 0"]);
    }
}
