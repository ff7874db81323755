use super::*;

#[test]
fn paths() {
    for (pattern, path, expected) in [
        ("/a", "/a/b", true),
        ("/a", "/b/a", false),
        ("/a/*/c", "/a/b/c", true),
        ("/a/*/c", "/a/b/c/d", false),
        ("*oken", "/services/oauth2/token", true),
        ("/x*y*z", "/x1y2z", true),
        ("/x*y*z", "/x1z2y", false),
        ("/q?*Opp", "/q?select=Opp", true),
        ("/q", "/q?select=Opp", true),
    ] {
        assert_eq!(
            is_path(pattern, &path.parse().unwrap()),
            expected,
            "{pattern} {path}"
        );
    }
}

#[test]
fn skips_then_strikes_so_often() {
    let mut all = Misfortunes::new(1);
    let spec = Misfortune {
        skip: 2,
        times: Some(3),
        method: Some("put".to_owned()),
        ..Misfortune::new(What::DropBefore)
    };
    all.add(spec).unwrap();
    let uri = Uri::from_static("/x");
    let struck: Vec<bool> = (0..8)
        .map(|_| all.strike_request("v", &Method::PUT, &uri).is_some())
        .collect();
    assert_eq!(
        struck,
        [false, false, true, true, true, false, false, false]
    );
    assert!(all.strike_request("v", &Method::GET, &uri).is_none());
    assert!(all.strike_webhook("v", &Method::PUT, &uri).is_none());
    assert_eq!(all.list()[0].struck, 3);
}

#[test]
fn chance_follows_the_seed() {
    let draw = |seed| {
        let mut all = Misfortunes::new(seed);
        let spec = Misfortune {
            probability: Some(0.3),
            ..Misfortune::new(What::DropBefore)
        };
        all.add(spec).unwrap();
        let uri = Uri::from_static("/x");
        (0..200)
            .map(|_| all.strike_request("v", &Method::GET, &uri).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5), draw(6));
    let struck = draw(5).iter().filter(|struck| **struck).count();
    assert!((30..90).contains(&struck), "{struck}");
}

#[test]
fn reads_what_the_admin_port_takes() {
    for text in [
        r#"{"what":{"refuse":"rate_limit"}}"#,
        r#"{"what":{"refuse_with":{"status":429,"retry_after_s":2}},"times":1}"#,
        r#"{"what":"commit_then_drop","vendor":"netsuite","method":"PUT","path":"/x/*"}"#,
        r#"{"what":"drop_before","probability":0.25}"#,
        r#"{"what":{"delay":{"ms":50}}}"#,
        r#"{"what":{"late_commit":{"after_ms":3000}}}"#,
        r#"{"what":{"garble":"truncate"}}"#,
        r#"{"what":{"webhook_duplicate":{"copies":2}}}"#,
        r#"{"what":{"webhook_reorder":{"within_ms":2000}}}"#,
        r#"{"what":"webhook_lose"}"#,
    ] {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let read: Misfortune = serde_json::from_value(value).unwrap();
        let shown = serde_json::to_value(&read).unwrap();
        serde_json::from_value::<Misfortune>(shown).unwrap();
    }
    for text in [
        r#"{"what":"rain"}"#,
        r#"{"what":"webhook_lose","odds":1}"#,
        "{}",
    ] {
        assert!(serde_json::from_str::<Misfortune>(text).is_err(), "{text}");
    }
}
