//! Both systems proved to agree, and where they do not; and starting with what is there already. By the real
//! command line.

use sandbox::Vendor;
use sandbox::netsuite::NetSuite;
use serde_json::{Value, json};

use crate::support::{FLOW, Sale, Setup, Stage, components, sales};

/// What a command printed, and whether it ended well.
struct Printed {
    good: bool,
    out: String,
    err: String,
}

fn types(stage: &Stage, command: &str, arguments: &[&str]) -> Printed {
    let mut line = components::sluice();
    line.args([command, FLOW, "--user", "rosa", "--url", &stage.url("")])
        .args(arguments)
        .env("SPIN_VARIABLE_FLOWS_TOKEN", &stage.secrets.flows_token);
    // The host runs in this process, too.
    let output = tokio::task::block_in_place(|| line.output()).unwrap();
    Printed {
        good: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn json_of(printed: &Printed) -> Value {
    serde_json::from_str(&printed.out).unwrap_or_else(|_| panic!("{}{}", printed.out, printed.err))
}

/// Acts as the account's own people.
fn netsuite<T>(stage: &Stage, act: impl FnOnce(&mut NetSuite, jiff::Timestamp) -> T) -> T {
    let handle = stage.sandbox.handle();
    handle.with(|world, now| act(world.vendor_mut::<NetSuite>().unwrap(), now))
}

async fn order_of(stage: &Stage, id: &str) -> Value {
    stage.orders_of(id).await.remove(0)
}

fn writes(stage: &Stage) -> (usize, usize) {
    (
        stage.write_count("netsuite"),
        stage.write_count("salesforce"),
    )
}

/// The one record of an audit that this is about.
fn about<'a>(audit: &'a Value, side: &str, id: &str) -> &'a Value {
    let records = audit["records"].as_array().unwrap();
    let mut found = records
        .iter()
        .filter(|record| record["side"] == side && record[side] == id);
    match (found.next(), found.next()) {
        (Some(record), None) => record,
        other => panic!("{side} {id}: {other:?} in {audit:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_changed_deleted_or_added_behind_our_back_is_found() {
    let stage = Stage::start().await;
    stage.run().await;
    let ids: Vec<String> = (0..6).map(|_| stage.enter_quietly(&stage.sale())).collect();
    stage.run().await;
    for id in &ids {
        stage.written_back(id).await;
    }
    stage.run().await;
    let before = writes(&stage);
    let printed = types(&stage, "audit", &[]);
    assert!(printed.good, "{}{}", printed.out, printed.err);
    for part in ["Audit of", "unchanged", "6", "58,338.00", "out of scope"] {
        assert!(
            printed.out.contains(part),
            "no {part:?} in\n{}",
            printed.out
        );
    }
    let currency = stage.sale().currency;
    let audit = json_of(&types(&stage, "audit", &["--json"]));
    assert_eq!(audit["totals"][0]["source"], audit["totals"][0]["target"]);
    assert_eq!(audit["totals"][0]["currency"], currency.as_str());

    let mut orders = Vec::new();
    for id in &ids {
        orders.push(
            order_of(&stage, id).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    netsuite(&stage, |account, now| {
        let copy = account.records("salesOrder").unwrap().remove(0);
        let of = |name: &str| json!({ "id": copy[name]["id"] });
        let item = json!({ "id": copy["item"]["items"][0]["item"]["id"] });
        let mut made = json!({
            "entity": of("entity"), "tranDate": "2026-11-20",
            "item": { "items": [{ "item": item, "quantity": 1, "rate": 7 }] },
        });
        account.create("salesOrder", made.clone(), now).unwrap();
        made["externalId"] = "salesforce:Opportunity:006000000000000AAA:salesOrder".into();
        account.create("salesOrder", made, now).unwrap();
        account
            .edit("salesOrder", &orders[0], json!({"memo": "by hand"}), now)
            .unwrap();
        account.remove("salesOrder", &orders[1], now).unwrap();
    });
    stage.change(&ids[2], json!({"PO_Number__c": "PO-7"}));
    stage.change(&ids[3], json!({"StageName": "Closed Lost"}));
    let deleted = sales::id(&ids[4]);
    stage.salesforce(|org, now| org.user_delete("Opportunity", deleted, now).unwrap());
    let new = stage.enter_quietly(&stage.sale());
    let folder = tempfile::tempdir().unwrap();
    let sheet = folder.path().join("audit.csv");

    let printed = types(
        &stage,
        "audit",
        &["--json", "--csv", sheet.to_str().unwrap()],
    );
    assert!(!printed.good);
    assert!(
        printed.err.contains("7 records are unaccounted for"),
        "{}",
        printed.err
    );
    let audit = json_of(&printed);
    for (id, why) in [
        (&ids[0], "changed in the target"),
        (&ids[1], "its target was deleted"),
        (&ids[2], "the source changed, and it is not queued"),
        (
            &ids[3],
            "not in the scope of the flow, but its target stands",
        ),
        (&ids[4], "deleted in the source, but its target stands"),
        (&new, "it has no target, and is not queued"),
    ] {
        let record = about(&audit, "source", id);
        assert_eq!(
            (&record["state"], &record["why"]),
            (&json!("unaccounted"), &json!(why))
        );
    }
    let change = json!([{ "path": "memo", "held": "by hand", "wanted": stage.sale().name }]);
    assert_eq!(about(&audit, "source", &ids[0])["changes"], change);
    assert_eq!(about(&audit, "source", &ids[5])["state"], "unchanged");
    let made = stage.records("netsuite", "salesOrder").await;
    let made: Vec<&str> = made
        .iter()
        .map(|order| order["id"].as_str().unwrap())
        .filter(|id| !orders.iter().any(|order| order == id))
        .collect();
    let stranger = about(&audit, "target", made[0]);
    assert_eq!(stranger["state"], "foreign");
    assert_eq!(stranger["target_says"]["amount"], "7.0");
    let claimed = about(&audit, "target", made[1]);
    assert_eq!(claimed["state"], "unaccounted", "{claimed}");
    assert!(
        claimed["why"].as_str().unwrap().contains("not known"),
        "{claimed}"
    );
    let rows = std::fs::read_to_string(&sheet).unwrap();
    assert!(rows.contains("memo: holds"), "{rows}");

    // Of another month there is nothing to say.
    let october = types(
        &stage,
        "audit",
        &["--from", "2026-10-01", "--to", "2026-10-31"],
    );
    assert!(october.good, "{}{}", october.out, october.err);
    assert!(!october.out.contains("unchanged"), "{}", october.out);
    assert_eq!(writes(&stage), before, "an audit writes nothing");

    // Two of them are the next run's; the others are for people.
    stage.run().await;
    let audit = json_of(&types(&stage, "audit", &["--json"]));
    for id in [&ids[2], &new] {
        assert_eq!(about(&audit, "source", id)["state"], "unchanged");
    }
    assert_eq!(about(&audit, "source", &ids[3])["state"], "out_of_scope");
    assert_eq!(audit["counts"]["unaccounted"], 3, "{}", audit["counts"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_adopted_and_gets_no_twin() {
    let mapping = include_str!("../../functions/opportunity-to-sales-order/mapping.toml");
    let stage = Stage::with(Setup {
        // Every record there ever was is listed.
        mapping: Some(mapping.replace("# start_at = \"2026", "start_at = \"2000")),
        ..Setup::default()
    })
    .await;
    let enter = |number: &str| {
        let id = stage.enter_quietly(&stage.sale());
        stage.change(&id, json!({ "PO_Number__c": number }));
        id
    };
    let ids = ["PO-1", "PO-2", "PO-3"].map(enter);
    stage.run().await;
    // As if people had made all of it by hand, years ago.
    let order = |order: &Value| order["id"].as_str().unwrap().to_owned();
    let mut orders = Vec::new();
    for id in &ids {
        stage.written_back(id).await;
        orders.push(order(&order_of(&stage, id).await));
    }
    netsuite(&stage, |account, now| {
        for kind in ["salesOrder", "customer"] {
            for record in account.records(kind).unwrap() {
                let id = record["id"].as_str().unwrap();
                account
                    .edit(kind, id, json!({"externalId": null}), now)
                    .unwrap();
            }
        }
        account
            .edit("salesOrder", &orders[1], json!({"memo": "by hand"}), now)
            .unwrap();
    });
    for id in &ids {
        let empty = json!({"NetSuite_Order_Id__c": null, "NetSuite_Order_Number__c": null});
        stage.change(id, empty);
    }
    let stage = stage.with_new_stores().await;
    let customers = stage.records("netsuite", "customer").await.len();
    let before = writes(&stage);

    let shown = types(&stage, "adopt", &[]);
    assert!(shown.good, "{}", shown.err);
    for part in [
        "customer",
        "order",
        "would be adopted",
        "memo: holds",
        "Nothing was written",
    ] {
        assert!(shown.out.contains(part), "no {part:?} in\n{}", shown.out);
    }
    let refused = types(&stage, "adopt", &["--yes"]);
    assert!(
        !refused.good && refused.err.contains("pause it first"),
        "{}",
        refused.err
    );
    assert!(types(&stage, "pause", &["--reason", "adopting"]).good);
    let adopted = json_of(&types(&stage, "adopt", &["--yes", "--json"]));
    let records = adopted["records"].as_array().unwrap();
    for (id, agrees) in [(&ids[0], true), (&ids[1], false), (&ids[2], true)] {
        let record = records
            .iter()
            .find(|record| record["id"] == id.as_str())
            .unwrap();
        assert_eq!(
            (&record["state"], &record["agrees"]),
            (&json!("adopted"), &json!(agrees))
        );
    }
    assert!(types(&stage, "trail", &[]).out.contains("adopt"));
    assert!(types(&stage, "resume", &["--reason", "adopted"]).good);
    for _ in 0..2 {
        stage.run().await;
    }
    assert_eq!(writes(&stage), before, "nothing was sent to either system");
    let audit = types(&stage, "audit", &[]);
    assert!(
        audit.err.contains("one record is unaccounted for"),
        "{}{}",
        audit.out,
        audit.err
    );
    assert!(
        audit.out.contains("differed when it was adopted"),
        "{}",
        audit.out
    );

    // From now on each order follows its opportunity.
    for (at, number) in [(0, "PO-11"), (1, "PO-12")] {
        stage.change(&ids[at], json!({ "PO_Number__c": number }));
    }
    stage.run().await;
    for at in [0, 1] {
        let now = order_of(&stage, &ids[at]).await;
        assert_eq!(
            order(&now),
            orders[at],
            "the adopted order, under our external id now"
        );
        assert_eq!(now["memo"], stage.sale().name);
        assert_eq!(now["item"]["items"].as_array().unwrap().len(), 3);
        stage.written_back(&ids[at]).await;
    }
    stage.run().await;
    assert_eq!(stage.records("netsuite", "salesOrder").await.len(), 3);
    assert_eq!(stage.records("netsuite", "customer").await.len(), customers);
    let audit = types(&stage, "audit", &[]);
    assert!(audit.good, "{}{}", audit.out, audit.err);

    // A sale of a customer that was adopted makes no second customer.
    let new = stage.enter_quietly(&Sale {
        won: true,
        ..stage.sale()
    });
    stage.run().await;
    assert_eq!(stage.orders_of(&new).await.len(), 1);
    assert_eq!(stage.records("netsuite", "customer").await.len(), customers);
}
