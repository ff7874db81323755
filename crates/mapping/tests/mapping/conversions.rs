//! Every conversion: what it gives, what it refuses, in which words.

use crate::check::check;

/// One field `t` from `F`: pairs of the source's value and the target's, or what is wrong with it.
#[track_caller]
fn field(rule: &str, pairs: &[(&str, &str)]) {
    for (value, expect) in pairs {
        let line = format!("t = {{ from = \"F\", {rule} }}");
        let input = format!("{{\"F\": {value}}}");
        match serde_json::from_str::<serde_json::Value>(expect) {
            Ok(_) => check(&line, &input, &format!("{{\"t\": {expect}}}")),
            Err(_) => check(&line, &input, &format!("t: F {expect}")),
        }
    }
}

#[test]
fn text() {
    let pairs = [
        (r#""Zürich ☂ 東京""#, r#""Zürich ☂ 東京""#),
        (r#""""#, r#""""#),
        (r#"" a ""#, r#"" a ""#),
        (r#""tab\tline\r\nend""#, r#""tab\tline\r\nend""#),
        ("12.50", r#""12.50""#),
        ("1e3", r#""1000""#),
        ("-2.50E-3", r#""-0.0025""#),
        ("1e99", "has more than 28 digits"),
        ("true", r#""true""#),
        (r#""a\u0000b""#, "holds the control character U+0000"),
        (r#""a\u001bb""#, "holds the control character U+001B"),
        (r#""a\u007fb""#, "holds the control character U+007F"),
        ("[1]", "is a list, not text"),
        ("{}", "is an object, not text"),
        ("null", "is missing"),
    ];
    field("as = \"text\"", &pairs);
    for (value, expect) in pairs {
        let expect = match serde_json::from_str::<serde_json::Value>(expect) {
            Ok(_) => format!("{{\"t\": {expect}}}"),
            Err(_) => format!("t: F {expect}"),
        };
        check(
            "t = { from = \"F\" }",
            &format!("{{\"F\": {value}}}"),
            &expect,
        );
    }
}

#[test]
fn text_of_limited_length() {
    field(
        "max_length = 3",
        &[
            (r#""abc""#, r#""abc""#),
            (r#""äöü""#, r#""äöü""#),
            (r#""😀😀😀""#, r#""😀😀😀""#),
            (r#""abcd""#, "has 4 characters; at most 3 fit"),
            (r#""äöüß""#, "has 4 characters; at most 3 fit"),
            ("1234", "has 4 characters; at most 3 fit"),
        ],
    );
    field(
        "max_length = 3, cut = true",
        &[(r#""abcd""#, r#""abc""#), (r#""a😀ößx""#, r#""a😀ö""#)],
    );
}

#[test]
fn integer() {
    field(
        "as = \"integer\"",
        &[
            ("0", "0"),
            ("-0", "0"),
            ("3.0", "3"),
            ("1.20e1", "12"),
            (r#""42""#, "42"),
            (r#""4e1""#, "is not a number"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "is out of range for a whole number"),
            ("1e40", "is out of range for a whole number"),
            ("1e400000000", "is out of range for a whole number"),
            ("3.5", "is not a whole number"),
            ("1e-1", "is not a whole number"),
            (r#""""#, "is not a number"),
            (r#""4 2""#, "is not a number"),
            (r#""0x10""#, "is not a number"),
            (r#""１２""#, "is not a number"),
            ("true", "is not a number"),
            ("[]", "is not a number"),
            ("null", "is missing"),
        ],
    );
}

#[test]
fn decimal() {
    field(
        "as = \"decimal\"",
        &[
            ("0.10", "0.10"),
            ("12.50", "12.50"),
            ("-0.00", "0"),
            ("1e3", "1000"),
            ("-1.5E-2", "-0.015"),
            (r#""1234.56""#, "1234.56"),
            (r#""12.30""#, "12.30"),
            (r#""-0.05""#, "-0.05"),
            (r#""1e3""#, "is not a number"),
            (r#""1E+3""#, "is not a number"),
            (r#""+5""#, "is not a number"),
            (r#""5.""#, "is not a number"),
            (r#"".5""#, "is not a number"),
            (r#""5 ""#, "is not a number"),
            (r#"" ""#, "is not a number"),
            (
                "123456789012345678901234.5678",
                "123456789012345678901234.5678",
            ),
            (
                "0.1234567890123456789012345678",
                "0.1234567890123456789012345678",
            ),
            ("100000000000000000000000000000", "has more than 28 digits"),
            ("0.12345678901234567890123456789", "has more than 28 digits"),
            ("1e1000000000", "has more than 28 digits"),
            (r#""1,234.56""#, "is not a number"),
            (r#""1_000""#, "is not a number"),
            (r#""NaN""#, "is not a number"),
            (r#""Infinity""#, "is not a number"),
            (r#""$5""#, "is not a number"),
            (r#"" 5""#, "is not a number"),
            (r#""""#, "is not a number"),
            ("false", "is not a number"),
        ],
    );
    field(
        "as = \"decimal\", scale_max = 2",
        &[
            ("1.23", "1.23"),
            ("1.23000", "1.23000"),
            ("1.234", "has more than 2 digits after the point"),
            ("1e-3", "has more than 2 digits after the point"),
        ],
    );
}

#[test]
fn decimal_of_one_sign() {
    field(
        "as = \"decimal\", sign = \"negative\"",
        &[
            (r#""1.50""#, "-1.50"),
            (r#""-1.50""#, "-1.50"),
            ("2e1", "-20"),
            (r#""0.00""#, "0.00"),
            ("-0.00", "0"),
            (r#""x""#, "is not a number"),
        ],
    );
    field(
        "as = \"decimal\", sign = \"positive\", scale_max = 2",
        &[
            (r#""-1.50""#, "1.50"),
            (r#""1.50""#, "1.50"),
            ("-0", "0"),
            ("-1.505", "has more than 2 digits after the point"),
        ],
    );
    check(
        r#"t = { from = "F", as = "decimal", sign = "negative", default = 2.0 }"#,
        "{}",
        r#"{"t":-2.0}"#,
    );
}

#[test]
fn boolean() {
    field(
        "as = \"boolean\"",
        &[
            ("true", "true"),
            ("false", "false"),
            (r#""true""#, "true"),
            (r#""false""#, "false"),
            (r#""True""#, "is not true or false"),
            (r#""""#, "is not true or false"),
            ("0", "is not true or false"),
            ("1", "is not true or false"),
        ],
    );
}

#[test]
fn table() {
    field(
        "table = \"terms\"",
        &[
            (r#""Net 30""#, r#""11""#),
            ("true", r#""yes""#),
            ("5", r#""five""#),
            (
                r#""Net 45""#,
                "is `Net 45`, which the table `terms` does not list",
            ),
            (
                r#""net 30""#,
                "is `net 30`, which the table `terms` does not list",
            ),
            (r#""""#, "is ``, which the table `terms` does not list"),
            ("[]", "is a list, not text"),
            ("null", "is missing"),
        ],
    );
}

#[test]
fn link() {
    field(
        "link = \"customer\"",
        &[
            (r#""a1""#, r#""t1""#),
            (r#""A1""#, "is `A1`, which is linked to no `customer`"),
            ("{}", "is an object, not text"),
            ("null", "is missing"),
        ],
    );
}

#[test]
fn constant() {
    check(
        r#"
        a = { constant = "x" }
        b = { constant = { id = "A", n = [1, 2.50, true] } }
        c = { constant = 0xff }
        d = { constant = 1e6 }
        e = { constant = +0.10 }
        "#,
        "{}",
        r#"{"a":"x","b":{"id":"A","n":[1,2.50,true]},"c":255,"d":1e6,"e":0.10}"#,
    );
}

#[test]
fn concatenation() {
    let line = r#"t = { concat = ["A", "B.C"], separator = " / " }"#;
    check(line, r#"{"A":"x","B":{"C":7}}"#, r#"{"t":"x / 7"}"#);
    check(line, r#"{"A":"x"}"#, "t: B.C is missing");
    check(
        line,
        r#"{"A":[],"B":{"C":null}}"#,
        "t: A is a list, not text, B.C is missing",
    );

    let line = r#"t = { concat = ["A", "B"], separator = "-", optional = true, max_length = 5 }"#;
    check(line, r#"{"A":"x","B":"y"}"#, r#"{"t":"x-y"}"#);
    check(line, r#"{"B":"y"}"#, r#"{"t":"y"}"#);
    check(line, "{}", "{}");
    check(line, r#"{"A":"","B":"y"}"#, r#"{"t":"-y"}"#);
    check(
        line,
        r#"{"A":"xxxx","B":"y"}"#,
        "t: A + B has 6 characters; at most 5 fit",
    );

    let line = r#"t = { concat = ["A", "B"], max_length = 3, cut = true }"#;
    check(line, r#"{"A":"xä","B":"yz"}"#, r#"{"t":"xäy"}"#);
}

#[test]
fn concatenation_looked_up() {
    let table = r#"t = { concat = ["A", "B"], separator = " ", table = "terms" }"#;
    check(table, r#"{"A":"Net","B":30}"#, r#"{"t":"11"}"#);
    check(
        table,
        r#"{"A":"Net","B":31}"#,
        "t: A + B is `Net 31`, which the table `terms` does not list",
    );
    check(table, "{}", "t: A is missing, B is missing");
    let link = r#"t = { concat = ["A", "B"], link = "customer", optional = true }"#;
    check(link, r#"{"A":"a","B":1}"#, r#"{"t":"t1"}"#);
    check(
        link,
        r#"{"A":"a","B":2}"#,
        "t: A + B is `a2`, which is linked to no `customer`",
    );
    // Part of a key is another key, not a shorter one.
    check(link, r#"{"A":"a1"}"#, "{}");
    check(link, r#"{"A":"a1","B":[]}"#, "t: B is a list, not text");
}

#[test]
fn absent_values() {
    for absent in [
        "{}",
        r#"{"F":null}"#,
        r#"{"F":{"G":null}}"#,
        r#"{"F":"x"}"#,
        "[]",
        "null",
        "7",
    ] {
        check(r#"t = { from = "F.G", optional = true }"#, absent, "{}");
        check(
            r#"t = { from = "F.G", default = "d" }"#,
            absent,
            r#"{"t":"d"}"#,
        );
        check(r#"t = { from = "F.G" }"#, absent, "t: F.G is missing");
    }
    // An object of absent fields is absent, too.
    check(r#""a.b.c" = { from = "F", optional = true }"#, "{}", "{}");
}

#[test]
fn a_default_is_taken_as_if_the_source_had_said_it() {
    check(
        r#"t = { from = "F", table = "terms", default = "Net 30" }"#,
        "{}",
        r#"{"t":"11"}"#,
    );
    check(
        r#"t = { from = "F", as = "decimal", default = 0.50 }"#,
        "{}",
        r#"{"t":0.50}"#,
    );
    check(
        r#"t = { from = "F", as = "boolean", default = false }"#,
        "{}",
        r#"{"t":false}"#,
    );
    // Empty is not absent, and wrong is not absent.
    check(
        r#"t = { from = "F", default = "d" }"#,
        r#"{"F":""}"#,
        r#"{"t":""}"#,
    );
    check(
        r#"t = { from = "F", as = "integer", default = 1 }"#,
        r#"{"F":"x"}"#,
        "t: F is not a number",
    );
}

#[test]
fn every_bad_field_is_named_at_once() {
    check(
        r#"
        a = { from = "A", as = "decimal" }
        "b.id" = { from = "B", table = "terms" }
        c = { from = "C" }
        d = { from = "D.E", as = "date" }
        "#,
        r#"{"A":"x","B":"y","C":"fine","D":{"E":"soon"}}"#,
        "a: A is not a number
         b.id: B is `y`, which the table `terms` does not list
         d: D.E is not a date",
    );
}
