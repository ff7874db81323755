//! What files may hold, and which files there must be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines a source file may have. Aim for 400; beyond this it is to be split. Tests may be longer.
const SOURCE_LINE_COUNT_MAX: usize = 480;

/// Every file of the repository, with its path inside it: those under version control and those about to be.
fn files() -> Vec<String> {
    let root = super::root();
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(root)
        .output();
    let listed = match listed {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        // An archive without its history, or a machine without git.
        _ => return walk(root),
    };
    let mut files: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty() && root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    assert!(files.len() > 100, "too few files are listed");
    files
}

fn walk(root: &Path) -> Vec<String> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && !matches!(&*name, "target" | ".git" | ".sluice" | "node_modules") {
                folders.push(path);
            } else if path.is_file() {
                let inside = path.strip_prefix(root).unwrap();
                files.push(inside.to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

fn read(path: &str) -> Option<String> {
    // What is not text is nobody's to read.
    fs::read_to_string(super::root().join(path)).ok()
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs")
}

#[test]
fn no_file_names_a_machines_paths() {
    // Written in two halves, or this file would be the first one found.
    let roots = [
        ("/ho", "me/"),
        ("/ro", "ot/"),
        ("/Us", "ers/"),
        ("/wo", "rk/"),
        ("C:\\Us", "ers"),
    ];
    let mut found = Vec::new();
    for path in files() {
        let Some(text) = read(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (start, end) in roots {
                let whole = format!("{start}{end}");
                // A path of its own, not the middle of an address.
                let is_path = line.match_indices(&whole).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "}_-.".contains(c))
                });
                if is_path {
                    found.push(format!("{path}:{}: {line}", number + 1));
                }
            }
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_fault_has_its_page_and_every_page_its_fault() {
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for path in files()
        .iter()
        .filter(|path| path.ends_with(".rs") && !is_test(path))
    {
        if !path.starts_with("crates/") && !path.starts_with("functions/") {
            continue;
        }
        let text = read(path).unwrap();
        // What is tested below the code is not code.
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        for (at, open) in text.match_indices("Code(\"") {
            let rest = &text[at + open.len()..];
            codes.insert(rest[..rest.find('"').unwrap()].to_owned());
        }
    }
    assert!(codes.len() > 20, "{codes:?}");
    let folder = super::root().join("docs/faults");
    let pages: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap() != "README.md")
        .map(|path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let without_page: Vec<_> = codes.difference(&pages).collect();
    let without_fault: Vec<_> = pages.difference(&codes).collect();
    assert!(
        without_page.is_empty(),
        "no page in docs/faults for {without_page:?}"
    );
    assert!(
        without_fault.is_empty(),
        "no fault for the pages {without_fault:?}"
    );
}

#[test]
fn every_page_of_a_fault_names_it_and_says_something() {
    for path in files()
        .iter()
        .filter(|path| path.starts_with("docs/faults/"))
    {
        if path.ends_with("README.md") {
            continue;
        }
        let code = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let text = read(path).unwrap();
        let title = text.lines().next().unwrap_or_default();
        assert!(
            title.starts_with("# ") && title.contains(code),
            "{path}: {title}"
        );
        assert!(
            text.lines().filter(|line| !line.is_empty()).count() >= 3,
            "{path} says too little"
        );
    }
}

#[test]
fn files_can_be_held_in_mind() {
    let long: Vec<String> = files()
        .iter()
        .filter(|path| path.ends_with(".rs") && !is_test(path))
        .filter_map(|path| {
            let count = read(path)?.lines().count();
            (count > SOURCE_LINE_COUNT_MAX).then(|| format!("{path}: {count} lines"))
        })
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn no_work_is_left_to_do_later() {
    let marks = ["todo", "unimplemented"].map(|name| format!("{name}!("));
    for path in files().iter().filter(|path| path.ends_with(".rs")) {
        let text = read(path).unwrap();
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{path} holds {mark}");
        }
        let skipped = format!("#[{}]", "ignore");
        assert!(!text.contains(&skipped), "{path} holds {skipped}");
    }
}

#[test]
fn the_lock_of_the_independent_clients_names_no_registry() {
    let lock = read("tests/peers/package-lock.json").unwrap();
    assert!(
        !lock.contains("\"resolved\""),
        "run npm with --omit-lockfile-registry-resolved"
    );
}

#[test]
fn every_route_and_schedule_of_the_manifest_has_its_folder() {
    let manifest = read("spin.toml").unwrap();
    for entry in fs::read_dir(super::root().join("functions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_built = [format!("-p {name}\""), format!("-p {name} ")]
            .iter()
            .any(|build| manifest.contains(build));
        assert!(is_built, "spin.toml does not build {name}");
    }
}
