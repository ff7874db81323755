//! The cron component calls the flow.

use crate::support::stage::eventually;
use crate::support::{FLOW, Setup, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_runs_the_flow() {
    let stage = Stage::start().await;
    let schedule = format!("{FLOW}-schedule");
    stage.host.tick(&schedule).await.unwrap();
    let id = stage.enter_quietly(&stage.sale());
    stage.host.tick(&schedule).await.unwrap();
    stage.written_back(&id).await;
    assert_eq!(stage.status().await["runs"].as_array().unwrap().len(), 2);
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_ticks_by_itself() {
    let stage = Stage::with(Setup {
        cron: true,
        manifest: |text| text.replace("\"0 * * * * *\"", "\"* * * * * *\""),
        ..Setup::default()
    })
    .await;
    eventually("a first run", async || {
        let runs = stage.status().await["runs"].clone();
        runs[0]["finished"].is_string().then_some(())
    })
    .await;
    let id = stage.enter_quietly(&stage.sale());
    stage.written_back(&id).await;
    stage.assert_in_step();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_is_refused_fails() {
    let stage = Stage::with(Setup {
        manifest: |text| text.replace("\ntoken = \"{{ flows_token }}\"", "\ntoken = \"another\""),
        ..Setup::default()
    })
    .await;
    let failure = stage
        .host
        .tick(&format!("{FLOW}-schedule"))
        .await
        .unwrap_err();
    let told = failure.to_string();
    assert!(told.contains("401"), "{told}");
    assert!(!told.contains("another"), "{told}");
    assert_eq!(stage.status().await["runs"].as_array().unwrap().len(), 0);
}
