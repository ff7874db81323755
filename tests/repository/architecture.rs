//! Dependencies point one way: functions -> guest -> engine -> mapping -> core, and functions ->
//! connectors -> core. Connectors know neither each other, nor the engine, nor a host.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Where a package stands in the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Core,
    Mapping,
    Engine,
    Connector,
    Guest,
    Function,
    Sandbox,
    Certify,
    Host,
    /// Whole-system tests and benchmarks: on top of everything.
    Top,
}

/// What a layer may be built on.
fn below(layer: Layer) -> &'static [Layer] {
    match layer {
        Layer::Core | Layer::Sandbox => &[],
        Layer::Mapping | Layer::Connector => &[Layer::Core],
        Layer::Engine => &[Layer::Core, Layer::Mapping],
        Layer::Guest => &[Layer::Core, Layer::Mapping, Layer::Engine],
        Layer::Function => &[Layer::Core, Layer::Guest, Layer::Connector],
        // It offers its ground to workers as the ports of the core.
        Layer::Certify => &[Layer::Core, Layer::Sandbox],
        // The demonstration runs both in one process.
        Layer::Host => &[Layer::Sandbox, Layer::Certify],
        Layer::Top => &[
            Layer::Core,
            Layer::Mapping,
            Layer::Engine,
            Layer::Connector,
            Layer::Guest,
            Layer::Function,
            Layer::Sandbox,
            Layer::Certify,
            Layer::Host,
        ],
    }
}

/// What its tests may use besides: simulated vendors, where it talks to vendors.
fn beside_in_tests(layer: Layer) -> &'static [Layer] {
    match layer {
        Layer::Connector | Layer::Engine | Layer::Guest | Layer::Function => &[Layer::Sandbox],
        _ => &[],
    }
}

/// Crates that name a component host's interfaces.
const HOST_INTERFACES: [&str; 7] = [
    "spin-executor",
    "spin-sdk",
    "wasi",
    "wasip2",
    "wasip3",
    "wit-bindgen",
    "wit-bindgen-rt",
];
/// The cron component is written against its world directly: it is no flow.
const WORLD_OF_ITS_OWN: &str = "scheduler";

/// Crates that bring a runtime, sockets or a clock of their own: never under a component.
const RUNTIMES: [&str; 12] = [
    "async-std",
    "chrono",
    "hyper",
    "hyper-util",
    "mio",
    "reqwest",
    "rusqlite",
    "smol",
    "tokio",
    "tokio-util",
    "ureq",
    "wasmtime",
];

struct Package {
    name: String,
    layer: Layer,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// Of this workspace: where it stands.
    layer: Option<Layer>,
    in_tests: bool,
    optional: bool,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(super::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(package)
        .collect()
}

fn package(package: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let manifest = text(&package["manifest_path"]);
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    Package {
        name: text(&package["name"]),
        layer: layer(Path::new(&manifest).parent().unwrap()),
        dependencies: dependencies
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                layer: dependency["path"]
                    .as_str()
                    .map(|path| layer(Path::new(path))),
                in_tests: dependency["kind"] == "dev",
                optional: dependency["optional"] == true,
            })
            .collect(),
    }
}

/// The folder says what a package is.
fn layer(folder: &Path) -> Layer {
    let inside = folder.strip_prefix(super::root()).unwrap();
    let parts: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
    match parts.as_slice() {
        ["crates", "core"] => Layer::Core,
        ["crates", "mapping"] => Layer::Mapping,
        ["crates", "engine"] => Layer::Engine,
        ["crates", "connectors", _] => Layer::Connector,
        ["crates", "guest"] => Layer::Guest,
        ["crates", "host"] => Layer::Host,
        ["crates", "sandbox"] => Layer::Sandbox,
        ["crates", "certify"] => Layer::Certify,
        ["functions", _] => Layer::Function,
        ["tests"] | ["tests", "simulation"] | ["bench"] => Layer::Top,
        other => {
            panic!("{other:?} has no place in the house: say in this test what it may depend on")
        }
    }
}

/// Every dependency that `is_wrong`, as `who -> whom`.
fn offenders(is_wrong: impl Fn(&Package, &Dependency) -> bool) -> Vec<String> {
    let packages = packages();
    assert!(packages.len() >= 10, "cargo metadata lists too little");
    let mut found = Vec::new();
    for package in &packages {
        for dependency in package
            .dependencies
            .iter()
            .filter(|one| is_wrong(package, one))
        {
            found.push(format!("{} -> {}", package.name, dependency.name));
        }
    }
    found
}

#[test]
fn arrows_point_one_way() {
    let wrong = offenders(|package, dependency| {
        let Some(to) = dependency.layer else {
            return false;
        };
        // A package's own tests may name it again, with its features for tests.
        let is_self = dependency.in_tests && to == package.layer && to != Layer::Connector;
        let allowed = below(package.layer).contains(&to)
            || dependency.in_tests && beside_in_tests(package.layer).contains(&to)
            || is_self;
        !allowed
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn only_the_guest_names_a_host() {
    let wrong = offenders(|package, dependency| {
        HOST_INTERFACES.contains(&dependency.name.as_str())
            && package.layer != Layer::Guest
            && package.name != WORLD_OF_ITS_OWN
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn nothing_inside_a_component_brings_a_runtime() {
    let inside = [
        Layer::Core,
        Layer::Mapping,
        Layer::Engine,
        Layer::Connector,
        Layer::Guest,
        Layer::Function,
    ];
    let wrong = offenders(|package, dependency| {
        // An optional one is for tests of other crates; that components don't enable it is seen when they
        // are built.
        inside.contains(&package.layer)
            && !dependency.in_tests
            && !dependency.optional
            && RUNTIMES.contains(&dependency.name.as_str())
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_flow_says_nothing_about_hosts_and_vendors_protocols() {
    let functions = super::root().join("functions");
    for entry in std::fs::read_dir(functions).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("mapping.toml").exists() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(
            text.lines().count() <= 60,
            "{name}: src/lib.rs is longer than 60 lines"
        );
        for word in ["http", "sql", "retry", "token", "spin", "wasi", "key_value"] {
            assert!(
                !text.to_lowercase().contains(word),
                "{name}: src/lib.rs speaks of {word}"
            );
        }
        assert!(folder.join("README.md").exists(), "{name} has no README.md");
        assert!(folder.join("cases").is_dir(), "{name} has no cases");
    }
}
