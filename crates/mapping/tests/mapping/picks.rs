//! Paths through the one object of a list.

use crate::check::{check, list, refused, section};

const LINE: &str = r#"t = { from = "A.L[type=X].V" }"#;

#[test]
fn the_one_with_this_text() {
    check(
        LINE,
        r#"{"A":{"L":[{"type":"Y","V":1},{"type":"X","V":2}]}}"#,
        r#"{"t":"2"}"#,
    );
    for absent in [
        "{}",
        r#"{"A":{"L":null}}"#,
        r#"{"A":{"L":[]}}"#,
        r#"{"A":{"L":[{"type":"x","V":1},{"V":2},{"type":null},7,null]}}"#,
        r#"{"A":{"L":[{"type":"X"}]}}"#,
        r#"{"A":{"L":[{"type":"X","V":null}]}}"#,
    ] {
        check(LINE, absent, "t: A.L[type=X].V is missing");
        check(&LINE.replace(" }", ", optional = true }"), absent, "{}");
    }
}

#[test]
fn what_can_not_be_told_is_never_guessed() {
    for (body, reason) in [
        (
            r#"{"A":{"L":[{"type":"X","V":1},{"type":"X","V":1}]}}"#,
            "picks several objects, not one",
        ),
        (
            r#"{"A":{"L":{"type":"X","V":1}}}"#,
            "picks from a list, not from an object",
        ),
        (r#"{"A":{"L":"X"}}"#, "picks from a list, not from text"),
        (
            r#"{"A":{"L":[{"type":1}]}}"#,
            "compares with text, not with a number",
        ),
    ] {
        let expect = format!("t: A.L[type=X].V can't be told: [type=X] {reason}");
        // Optional is for what is absent, not for what is not understood.
        check(LINE, body, &expect);
        check(&LINE.replace(" }", ", optional = true }"), body, &expect);
        check(&LINE.replace(" }", ", default = \"d\" }"), body, &expect);
    }
}

#[test]
fn wherever_a_path_may_be() {
    let line = r#"t = { concat = ["L[k=a b.c].V", "L[k=é=].V"], separator = "+" }"#;
    check(
        line,
        r#"{"L":[{"k":"é=","V":"2"},{"k":"a b.c","V":"1"}]}"#,
        r#"{"t":"1+2"}"#,
    );
    let line = r#"t = { constant = 1, when = { from = "L[k=a]", exists = true } }"#;
    check(line, r#"{"L":[{"k":"a"}]}"#, r#"{"t":1}"#);
    check(line, r#"{"L":[{"k":"b"}]}"#, "{}");
    let line = r#"t = { from = "L[k=a].M[k=b].V" }"#;
    check(
        line,
        r#"{"L":[{"k":"a","M":[{"k":"b","V":"x"}]}]}"#,
        r#"{"t":"x"}"#,
    );
    check(
        &list(
            "",
            r#"t = { from = "M[k=a].V", default = "none" }
            u = { from = "^.N[k=b].V" }"#,
        ),
        r#"{"L":[{"M":[{"k":"a","V":"1"}]},{}],"N":[{"k":"b","V":"2"}]}"#,
        r#"{"l":[{"t":"1","u":"2"},{"t":"none","u":"2"}]}"#,
    );
    check(
        &list("", r#"t = { from = "M[k=a].V" }"#),
        r#"{"L":[{"M":[{"k":"a"},{"k":"a"}]},{"M":[]}]}"#,
        "l[0].t: L[0].M[k=a].V can't be told: [k=a] picks several objects, not one
         l[1].t: L[1].M[k=a].V is missing",
    );
    // The elements of a list of the object that is picked.
    let whole = "version = 1\n[order.lists.l]\nfrom = \"L[k=a].M\"\nfields.t = { from = \"V\" }";
    check(
        whole,
        r#"{"L":[{"k":"a","M":[{"V":"1"}]}]}"#,
        r#"{"l":[{"t":"1"}]}"#,
    );
    check(
        whole,
        r#"{"L":[{"k":"a","M":[{}]}]}"#,
        "l[0].t: L[k=a].M[0].V is missing",
    );
}

#[test]
fn the_selection_names_the_list_and_what_is_read_of_it() {
    let section = section(
        "version = 1\n[order]\nwhen = { from = \"P.L[k=a]\", exists = true }\n\
         [order.fields]\nt = { from = \"P.L[k=a].M[j=b].V\" }\nu = { from = \"Q\" }\n\
         v = { from = \"N\", as = \"boolean\", when = { from = \"N[k=a]\", exists = true } }\n\
         [[order.lists.l]]\nfrom = \"E\"\nfields.t = { from = \"F.G[k=a].V\" }\n\
         [[order.lists.l]]\nfrom = \"R[k=c].S\"\nfields.t = { from = \"^.T[k=d].V\" }\n\
         [order.adopt]\nkey = { target = \"n\", from = \"O[k=e].W\" }\n",
    );
    let selection = section.selection();
    assert_eq!(selection.fields.iter().collect::<Vec<_>>(), ["N", "Q"]);
    let lists: Vec<String> = selection
        .lists
        .iter()
        .map(|(list, fields)| format!("{list}: {fields:?}"))
        .collect();
    assert_eq!(
        lists,
        [
            r#"E: {"F.G"}"#,
            r#"N: {"k"}"#,
            r#"O: {"W", "k"}"#,
            r#"P.L: {"M", "k"}"#,
            r#"R: {"S", "k"}"#,
            r#"T: {"V", "k"}"#,
        ]
    );
    // What is read whole, too, is kept whole.
    let inputs = section.inputs(&serde_json::json!({ "N": [{ "k": "b", "V": 1 }] }));
    assert_eq!(inputs["N"], serde_json::json!([{ "k": "b", "V": 1 }]));
}

#[test]
fn mistakes() {
    for (path, reason) in [
        ("A[]", "in the path `A[]`, `[]` must be `[field=text]`"),
        ("A[k]", "in the path `A[k]`, `[k]` must be `[field=text]`"),
        (
            "A[k=]",
            "in the path `A[k=]`, `[k=]` must be `[field=text]`",
        ),
        (
            "A[=x]",
            "in the path `A[=x]`, `[=x]` must be `[field=text]`",
        ),
        (
            "A[a.b=x]",
            "in the path `A[a.b=x]`, `[a.b=x]` must be `[field=text]`",
        ),
        (
            "A[k=[x]",
            "in the path `A[k=[x]`, `[k=[x]` must be `[field=text]`",
        ),
        ("A[k=x", "in the path `A[k=x`, `[` is not closed by `]`"),
        ("A[k=x]B", "in the path `A[k=x]B`, a dot must follow `]`"),
        (
            "A[k=x][k=y]",
            "in the path `A[k=x][k=y]`, a dot must follow `]`",
        ),
        ("A[k=x].", "the path `A[k=x].` has an empty name"),
        ("[k=x].A", "the path `[k=x].A` has an empty name"),
        (
            "A[k k=x]",
            "the path `A[k k=x]` can't hold ' '; paths are names with dots between",
        ),
        (
            "A]",
            "the path `A]` can't hold ']'; paths are names with dots between",
        ),
    ] {
        let file = format!("version = 1\n[o.fields]\nt = {{ from = \"{path}\" }}");
        refused(&file, &format!("3:14: {reason}"));
    }
    refused(
        "version = 1\n[o.fields]\n\"t[k=x]\" = { constant = 1 }",
        "3:1: the path `t[k=x]` can't hold '['; paths are names with dots between",
    );
    refused(
        "version = 1\n[o]\nfields.a = { constant = 1 }\nadopt.key = { target = \"a[k=x]\", from = \"A\" }",
        "4:24: a natural key stands in one field of the record itself",
    );
}
