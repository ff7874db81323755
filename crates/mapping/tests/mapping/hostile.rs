//! Bodies and files that mean harm end in a fault, never in a panic or a stack overflow.

use fastrand::Rng;
use mapping::{Links, MappingFile, Section, diff, fingerprint};
use serde_json::{Map, Number, Value};
use sluice_core::code;

use crate::check::refused;

const EVERYTHING: &str = r#"
version = 1
[settings]
time_zone = "Asia/Kolkata"
[settings.choices]
s = { is = "a", one_of = ["a", "b"] }
[tables.t]
a = "b"
[order]
when = [{ from = "a", not_in = ["x", 1, true] }, { from = "b.c", exists = true }]
[order.fields]
a = { from = "a", max_length = 2 }
b = { from = "b", as = "integer" }
c = { from = "c", as = "decimal", scale_max = 3 }
d = { from = "d", as = "boolean", default = true }
e = { from = "a", as = "date" }
f = { from = "b.c", as = "date_time" }
g = { from = "c", table = "t", optional = true }
"h.id" = { from = "d", link = "l", key = "a" }
"h.j.k" = { concat = ["a", "b.c", "d"], optional = true, cut = true, max_length = 3 }
i = { constant = [1, { x = 2 }], when = { from = "c", equals = 1 } }
m = { from = "l[a=x].b", as = "decimal", sign = "negative", default = 1 }
n = [{ from = "a[a=a].l[b=a]", when = { setting = "s", equals = "b" } }, { concat = ["a", "d"], table = "t" }]
[order.lists.l]
from = "l"
when = { from = "a", not_equals = "x" }
[order.lists.l.fields]
a = { from = "b", as = "integer" }
b = { from = "^.a.b" }
[[order.lists.k]]
from = "b[a=x].l"
optional = true
fields.a = { from = "c", as = "decimal" }
[[order.lists.k]]
from = "l"
when = { concat = ["a", "b"], not_in = ["xx"] }
fields.a = { from = "^.c[d=a].b", as = "decimal" }
[order.counts]
k = { count_min = 1 }
[order.total]
source = "c"
target = { list = "k", field = "a" }
[order.write_back]
x = { from = "a.b" }
"#;

/// As many bodies as can be are mapped by this.
const LENIENT: &str = r#"
version = 1
[order.fields]
a = { from = "a.a", optional = true }
b = { from = "b.d", as = "decimal", optional = true }
"c.id" = { from = "c.b.a", link = "l", key = "d.a", optional = true }
[order.lists.l]
from = "l"
optional = true
[order.lists.l.fields]
a = { from = "a.b", optional = true, max_length = 1, cut = true }
[[order.lists.k]]
from = "l"
optional = true
when = { from = "c", exists = true }
fields.a = [
    { constant = 1, when = { from = "a[a=a]", exists = true } },
    { from = "d[a=x].b", as = "decimal", sign = "positive", default = 0 },
]
[order.total]
when = { from = "b.b[a=a]", exists = true }
source = { from = "b.b[a=a].c", optional = true }
target = { list = "k", field = "a" }
"#;

const TEXTS: &[&str] = &[
    "",
    "x",
    "a",
    "2026-11-22",
    "2026-11-22T10:00:00.000+0000",
    "9999-12-31T23:59:59-2359",
    "0000-01-01",
    "1e999999999999999999999",
    "-",
    "\u{0}",
    "😀é",
    "true",
    "2026-1é-22",
    "20é6-11-22T10:00:00Z",
    "2026-11-22T10:00:00.é",
    "NaN",
    "2026-11-22T1é:00:00Z",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1.5",
    "1e308",
    "1e-308",
    "1e1099511627776",
    "1e-1099511627776",
    "123456789012345678901234567890123456789012345678901234567890",
    "0.00000000000000000000000000000000001",
    "9223372036854775808",
    "1E+5",
];

fn value(rng: &mut Rng, depth: u32) -> Value {
    match rng.u32(0..if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 => Value::Number(
            NUMBERS[rng.usize(0..NUMBERS.len())]
                .parse::<Number>()
                .unwrap(),
        ),
        3 | 4 => Value::String(TEXTS[rng.usize(0..TEXTS.len())].to_owned()),
        5 | 6 => (0..rng.usize(0..4))
            .map(|_| value(rng, depth - 1))
            .collect(),
        _ => {
            let mut object = Map::new();
            for name in ["a", "b", "c", "d", "l"] {
                if rng.u32(0..4) != 0 {
                    object.insert(name.to_owned(), value(rng, depth - 1));
                }
            }
            Value::Object(object)
        }
    }
}

#[test]
fn any_body_is_mapped_or_refused() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let files = [EVERYTHING, LENIENT].map(|text| MappingFile::parse("m", text).unwrap());
    let mut mapped = 0;
    for _ in 0..20_000 {
        let (body, other) = (value(&mut rng, 4), value(&mut rng, 3));
        let _ = (fingerprint(&body), diff(&body, &other));
        for file in &files {
            let order = file.section("order").unwrap();
            let _ = (order.in_scope(&body), order.write_back(&body));
            mapped += usize::from(maps(order, &body));
        }
    }
    println!("{mapped} mapped");
    assert!(mapped > 1_000, "{mapped}");
}

/// Whether a body is mapped; references and body must agree on it.
fn maps(order: &Section, body: &Value) -> bool {
    let mut links = Links::new();
    match order.references(body) {
        Ok(references) => {
            for reference in references {
                links.insert(&reference.link, &reference.id, "1");
            }
            let out = order.apply(body, &links).unwrap();
            assert_eq!(diff(&out, &out), []);
            true
        }
        Err(fault) => {
            assert!([code::MAPPING_FIELDS, code::TOTAL_DIFFERS].contains(&fault.code));
            assert!(!fault.fields.is_empty());
            assert!(order.apply(body, &links).is_err());
            false
        }
    }
}

#[test]
fn deep_bodies() {
    // As deep as the JSON reader allows.
    let depth = 120;
    let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep: Value = serde_json::from_str(&text).unwrap();
    let body = serde_json::json!({ "a": deep, "l": [deep] });
    let file = MappingFile::parse("m", EVERYTHING).unwrap();
    let fault = file
        .section("order")
        .unwrap()
        .references(&body)
        .unwrap_err();
    assert!(
        fault.fields.iter().any(|field| field.path == "a"),
        "{fault}"
    );
    assert_eq!(diff(&body, &body), []);
    assert_eq!(fingerprint(&body).len(), 64);
}

#[test]
fn a_number_in_disguise_is_no_number() {
    // How the JSON reader marks numbers inside; a body that says so gets no further than any text.
    for said in ["1e5x", "NaN", "🦀"] {
        let text = format!(r#"{{"b": {{"$serde_json::private::Number": "{said}"}}}}"#);
        if let Ok(body) = serde_json::from_str::<Value>(&text) {
            let file = MappingFile::parse("m", EVERYTHING).unwrap();
            assert!(file.section("order").unwrap().references(&body).is_err());
        }
    }
}

#[test]
fn deep_files_are_refused() {
    let nested = |open: &str, close: &str| {
        let (open, close) = (open.repeat(50_000), close.repeat(50_000));
        format!("version = 1\n[x.fields]\na = {{ constant = {open}1{close} }}\n")
    };
    for text in [
        nested("[", "]"),
        nested("{ a = ", " }"),
        format!("version = 1\n[{}x]\n", "a.".repeat(50_000)),
        format!(
            "version = 1\n[x.fields]\n\"{}x\" = {{ constant = 1 }}\n",
            "a.".repeat(50_000)
        ),
        format!(
            "version = 1\n[x.fields]\na = {{ from = \"{}x\" }}\n",
            "a.".repeat(50_000)
        ),
    ] {
        let fault = MappingFile::parse("m", &text).unwrap_err();
        assert_eq!(fault.code, code::MAPPING_INVALID);
        let length = fault.to_string().len();
        assert!(length < 20_000, "{length}");
    }
}

#[test]
fn files_that_are_no_mapping_are_refused() {
    refused(
        &"#".repeat(2_000_000),
        "1:1: the file is larger than 1048576 bytes",
    );
    let fault = MappingFile::parse("m", "\u{feff}\u{0}\u{1}[[[").unwrap_err();
    assert_eq!(fault.code, code::MAPPING_INVALID);
    let many: String = (0..5_000).map(|n| format!("[k{n}]\n")).collect();
    let fault = MappingFile::parse("m", &format!("version = 1\n{many}")).unwrap_err();
    assert!(fault.fields.len() < 100);
}

#[test]
fn random_damage_to_a_file_never_panics() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let pieces = [
        "[", "]", "{", "}", "\"", "=", "\n", "from", "1", "é", ".", ",", "when", "^.", "'''", "[[",
        "[a=", "]]",
    ];
    for _ in 0..3_000 {
        let mut chars: Vec<char> = EVERYTHING.chars().collect();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..chars.len());
            let piece = pieces[rng.usize(0..pieces.len())];
            let end = (at + rng.usize(0..6)).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Ok(file) = MappingFile::parse("m", &text) {
            for section in file.sections() {
                let _ = section.references(&value(&mut rng, 3));
            }
        }
    }
}
