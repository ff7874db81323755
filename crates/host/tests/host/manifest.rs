//! What a manifest may say, and every refusal with its line.

use std::path::Path;

use host::manifest::{Endpoint, Manifest};

const FINE: &str = r#"spin_manifest_version = 2

[application]
name = "shop"
version = "1.0.0"
description = "A shop"
authors = ["somebody"]
targets = ["spin-up:3.3"]
[application.tool.other]
anything = 1

[variables]
host = { default = "example.com", description = "where" }
token = { required = true, secret = true }

[[trigger.http]]
id = "front"
route = "/shop/:id/..."
component = "shop"
executor = { type = "http" }

[[trigger.http]]
route = { private = true }
component = "shop"

[[trigger.cron]]
component = "shop"
cron_expression = "0 */5 * * * *"

[component.shop]
description = "Sells"
source = "shop.wasm"
files = ["assets/**/*", { source = "mapping.toml", destination = "/mapping.toml" }]
exclude_files = ["assets/draft/*"]
environment = { MOOD = "fine" }
allowed_outbound_hosts = ["https://{{ host }}", "http://127.0.0.1:8080"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
[component.shop.variables]
token = "{{ token }}"
[component.shop.build]
command = ["cargo build", "ls"]
workdir = "code"
watch = ["**/*.rs"]
[component.shop.profile.debug]
source = "debug.wasm"
"#;

fn read(text: &str) -> Result<Manifest, Vec<(usize, String)>> {
    Manifest::parse(text, Path::new("app/spin.toml")).map_err(|refused| {
        refused
            .refusals
            .into_iter()
            .map(|refusal| (refusal.line, refusal.message))
            .collect()
    })
}

/// Replaces a line of the manifest that is fine, and expects the refusal at that line.
fn refuses(line: &str, by: &str, reason: &str) {
    assert!(FINE.contains(line), "no line {line:?}");
    let at = FINE[..FINE.find(line).unwrap()].matches('\n').count() + 1;
    let refusals = read(&FINE.replacen(line, by, 1)).map(|_| ()).expect_err(by);
    let found = refusals
        .iter()
        .any(|(line, message)| *line == at && message.contains(reason));
    assert!(
        found,
        "{by:?} should be refused in line {at} with {reason:?}, not {refusals:?}"
    );
}

#[test]
fn reads_everything_it_honours() {
    let manifest = read(FINE).unwrap();
    assert_eq!(manifest.name, "shop");
    assert_eq!(manifest.http.len(), 2);
    assert_eq!(manifest.http[1].endpoint, Endpoint::Private);
    assert_eq!(manifest.cron.len(), 1);
    let shop = &manifest.components["shop"];
    assert_eq!(shop.source, Path::new("app/shop.wasm"));
    assert_eq!(shop.files.len(), 2);
    assert_eq!(shop.allowed_outbound_hosts.len(), 2);
    let build = shop.build.as_ref().unwrap();
    assert_eq!(build.commands, ["cargo build", "ls"]);
    assert_eq!(build.folder, Path::new("app/code"));
}

#[test]
fn refuses_the_head() {
    refuses(
        "spin_manifest_version = 2",
        "spin_manifest_version = 3",
        "must be 2",
    );
    refuses(
        "[application]",
        "extra = 1\n[application]",
        "unknown key \"extra\"",
    );
    refuses(
        "version = \"1.0.0\"",
        "vversion = \"1.0.0\"",
        "unknown key \"vversion\"",
    );
    refuses(
        "[application.tool.other]",
        "[application.trigger.redis]",
        "redis",
    );
    refuses("name = \"shop\"", "name = 7", "must be text");
    refuses("authors = [\"somebody\"]", "authors = [\"somebody\"]]", "");
}

#[test]
fn refuses_variables() {
    refuses(
        "token = { required = true, secret = true }",
        "token = { secret = true }",
        "either required",
    );
    refuses(
        "token = { required = true, secret = true }",
        "token = { required = true, default = \"x\" }",
        "either required",
    );
    refuses("host = { default", "Host = { default", "lower snake case");
    refuses(
        "host = { default",
        "host = { fallback = 1, default",
        "unknown key \"fallback\"",
    );
    refuses(
        "token = \"{{ token }}\"",
        "token = \"{{ tokn }}\"",
        "no variable \"tokn\"",
    );
    refuses(
        "token = \"{{ token }}\"",
        "token = \"{{ token\"",
        "bad template",
    );
}

#[test]
fn refuses_triggers() {
    refuses(
        "[[trigger.cron]]",
        "[[trigger.redis]]",
        "trigger type \"redis\"",
    );
    refuses(
        "component = \"shop\"\nexecutor",
        "component = \"shpo\"\nexecutor",
        "no [component.shpo]",
    );
    refuses(
        "executor = { type = \"http\" }",
        "executor = { type = \"wagi\" }",
        "wagi",
    );
    refuses(
        "executor = { type = \"http\" }",
        "static_response = {}",
        "static_response",
    );
    refuses(
        "executor = { type = \"http\" }",
        "base = \"/\"",
        "unknown key \"base\"",
    );
    refuses(
        "route = { private = true }",
        "route = { private = false }",
        "private = true",
    );
    refuses(
        "route = \"/shop/:id/...\"",
        "route = \"/shop/.../:id\"",
        "last segment",
    );
    refuses(
        "cron_expression = \"0 */5 * * * *\"",
        "cron_expression = \"often\"",
        "bad cron_expression",
    );
    // Without seconds it would mean something else to Spin.
    refuses(
        "cron_expression = \"0 */5 * * * *\"",
        "cron_expression = \"*/5 * * * *\"",
        "bad cron_expression",
    );
}

#[test]
fn refuses_equal_routes() {
    let twice =
        "[[trigger.http]]\nroute = \"shop/:other/...\"\ncomponent = \"shop\"\n\n[[trigger.cron]]";
    refuses("[[trigger.cron]]", twice, "equals the one of line 16");
}

#[test]
fn refuses_components() {
    refuses(
        "source = \"shop.wasm\"",
        "source = { url = \"https://x\", digest = \"y\" }",
        "must be a path",
    );
    refuses(
        "source = \"shop.wasm\"",
        "sauce = \"shop.wasm\"",
        "unknown key \"sauce\"",
    );
    refuses(
        "environment = { MOOD = \"fine\" }",
        "environment = { MOOD = 1 }",
        "must be text",
    );
    refuses(
        "key_value_stores = [\"default\"]",
        "key_value_stores = [\"a/b\"]",
        "kebab",
    );
    refuses(
        "key_value_stores = [\"default\"]",
        "ai_models = [\"llama\"]",
        "no AI models",
    );
    refuses(
        "key_value_stores = [\"default\"]",
        "allowed_http_hosts = [\"x\"]",
        "allowed_outbound_hosts",
    );
    refuses(
        "key_value_stores = [\"default\"]",
        "dependencies = { \"a:b\" = \"1\" }",
        "dependencies",
    );
    refuses(
        "exclude_files = [\"assets/draft/*\"]",
        "exclude_files = [\"[\"]",
        "bad pattern",
    );
    refuses(
        "files = [\"assets/**/*\"",
        "files = [\"../secrets\"",
        "leaves the application's folder",
    );
    refuses(
        "files = [\"assets/**/*\"",
        "files = [\"/etc/passwd\"",
        "leaves the application's folder",
    );
    refuses(
        "command = [\"cargo build\", \"ls\"]",
        "comand = \"ls\"",
        "unknown key \"comand\"",
    );
    refuses(
        "allowed_outbound_hosts = [\"https://{{ host }}\"",
        "allowed_outbound_hosts = [\"example.com\"",
        "bad allowed host \"example.com\"",
    );
    let text = FINE
        .replace("[component.shop", "[component.my_shop")
        .replace("\"shop\"", "\"my_shop\"");
    let refusals = read(&text).map(|_| ()).unwrap_err();
    assert!(
        refusals
            .iter()
            .any(|(_, message)| message.contains("kebab case")),
        "{refusals:?}"
    );
}

#[test]
fn names_every_fault_at_once_in_the_order_of_the_lines() {
    let text = FINE
        .replace("version = \"1.0.0\"", "vversion = \"1\"")
        .replace("workdir", "wrkdir");
    let refused = Manifest::parse(&text, Path::new("spin.toml")).unwrap_err();
    assert_eq!(refused.refusals.len(), 2);
    assert!(
        refused.to_string().starts_with("spin.toml:5: "),
        "{refused}"
    );
}

#[test]
fn refuses_sources_that_were_not_built() {
    let refused = read(FINE).unwrap().check_sources().unwrap_err();
    let line = FINE[..FINE.find("source = \"shop.wasm\"").unwrap()]
        .matches('\n')
        .count()
        + 1;
    assert_eq!(refused.refusals[0].line, line);
}

#[test]
fn builds_each_command_once_and_names_the_failing_one() {
    let folder = tempfile::tempdir().unwrap();
    let write = |command: &str| {
        let component =
            |id: &str| format!("[component.{id}]\nsource = \"x\"\nbuild.command = \"{command}\"\n");
        let text = format!(
            "spin_manifest_version = 2\napplication.name = \"b\"\ntrigger = {{}}\n{}{}",
            component("a"),
            component("b")
        );
        std::fs::write(folder.path().join("spin.toml"), text).unwrap();
        Manifest::read(&folder.path().join("spin.toml")).unwrap()
    };
    host::build::build(&write("echo x >> out")).unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("out")).unwrap(),
        "x\n"
    );
    let error = host::build::build(&write("exit 3"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("component \"a\": `exit 3` failed"),
        "{error}"
    );
}
