use http::header::RETRY_AFTER;

use super::*;
use crate::script::{answer, refused};

#[test]
fn what_amazon_said_is_kept_short_and_on_one_line() {
    let long = "x\n".repeat(1_000);
    let fault = refusal(&refused(400, "InvalidInput", &long), None);
    let answer = fault.answer.as_ref().unwrap();
    assert_eq!(answer.code.as_deref(), Some("InvalidInput"));
    assert!(
        answer.message.starts_with("words x x"),
        "{}",
        answer.message
    );
    assert!(answer.message.chars().count() <= 300);
    assert!(!fault.to_string().contains('\n'));
}

#[test]
fn the_longer_wait_counts() {
    let second = Duration::from_secs(1);
    let mut response = answer(429, "");
    let wait = |response: &Response<Bytes>, ours| match &refusal(response, ours).action {
        Action::RetryAfter(wait) => *wait,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&response, None), 60 * second);
    assert_eq!(wait(&response, Some(second)), second);
    response.headers_mut().insert(RETRY_AFTER, 7.into());
    assert_eq!(wait(&response, Some(second)), 7 * second);
    assert_eq!(wait(&response, Some(9 * second)), 9 * second);
    response.headers_mut().insert(RETRY_AFTER, 1_000_000.into());
    assert_eq!(wait(&response, Some(second)), 3600 * second);
}

#[test]
fn a_body_that_is_no_list_of_errors_is_no_harm() {
    for body in [
        "",
        "{",
        "[]",
        r#"{"errors":{}}"#,
        r#"{"errors":[1,null,{}]}"#,
    ] {
        let fault = refusal(&answer(400, body), None);
        assert_eq!(
            (fault.code, &fault.action),
            (REQUEST, &Action::StopFlow),
            "{body}"
        );
    }
}
