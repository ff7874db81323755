//! Which route a request means.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::manage;

/// A route of a flow's component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// The hook's name, and what follows it in the path.
    Hook {
        name: &'a str,
        rest: &'a str,
    },
    Run,
    Status,
    /// What people see and decide.
    Manage(manage::Route),
}

/// Why there is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    NotFound,
    MethodNotAllowed { allow: &'static str },
}

impl<'a> Route<'a> {
    pub fn of(flow: &str, method: &Method, path: &'a str) -> Result<Self, NoRoute> {
        let (route, allow) = Self::at(flow, method, path).ok_or(NoRoute::NotFound)?;
        if allow.split(", ").any(|allowed| method.as_str() == allowed) {
            Ok(route)
        } else {
            Err(NoRoute::MethodNotAllowed { allow })
        }
    }

    fn at(flow: &str, method: &Method, path: &'a str) -> Option<(Self, &'static str)> {
        let under = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix(flow);
        if let Some(rest) = under("/hooks/") {
            let rest = rest.strip_prefix('/')?;
            let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
            return Some((Self::Hook { name, rest }, "POST"));
        }
        match under("/flows/")? {
            "" => Some((Self::Status, "GET")),
            "/run" => Some((Self::Run, "POST")),
            rest => {
                let (route, allow) = manage::Route::at(method, rest)?;
                Some((Self::Manage(route), allow))
            }
        }
    }
}

/// The id of a record as a path names it; `None` for what no system has for an id.
pub(crate) fn plain_id(text: &str) -> Option<String> {
    let id = percent_decode_str(text).decode_utf8().ok()?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let fits = (1..=128).contains(&id.len()) && id.chars().all(plain);
    fits.then(|| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, want: Result<Route<'_>, NoRoute>) {
        let method = method.parse().unwrap();
        assert_eq!(Route::of("a-flow", &method, path), want, "{method} {path}");
    }

    #[test]
    fn routes() {
        let hook = |name, rest| Ok(Route::Hook { name, rest });
        check("POST", "/hooks/a-flow/json", hook("json", ""));
        check(
            "POST",
            "/hooks/a-flow/outbound-message/s3cret",
            hook("outbound-message", "s3cret"),
        );
        check("POST", "/flows/a-flow/run", Ok(Route::Run));
        check("GET", "/flows/a-flow", Ok(Route::Status));
        let id = || "006A".to_owned();
        for (method, rest, want) in [
            ("POST", "/records/006A", manage::Route::Record { id: id() }),
            ("GET", "/records/006A", manage::Route::Show { id: id() }),
            ("GET", "/trace/006A", manage::Route::Trace { id: id() }),
            ("GET", "/dead", manage::Route::Dead),
            ("POST", "/retry", manage::Route::Retry),
            ("POST", "/skip", manage::Route::Skip),
            ("POST", "/pause", manage::Route::Pause),
            ("POST", "/resume", manage::Route::Resume),
            ("POST", "/cursor", manage::Route::Cursor),
            ("GET", "/trail", manage::Route::Trail),
            ("GET", "/audit", manage::Route::Audit),
            ("POST", "/adopt", manage::Route::Adopt),
        ] {
            let path = format!("/flows/a-flow{rest}");
            check(method, &path, Ok(Route::Manage(want)));
        }
    }

    #[test]
    fn no_routes() {
        check(
            "GET",
            "/flows/a-flow/run",
            Err(NoRoute::MethodNotAllowed { allow: "POST" }),
        );
        check(
            "POST",
            "/flows/a-flow",
            Err(NoRoute::MethodNotAllowed { allow: "GET" }),
        );
        check(
            "DELETE",
            "/flows/a-flow/records/006A",
            Err(NoRoute::MethodNotAllowed { allow: "GET, POST" }),
        );
        for path in [
            "/",
            "/flows",
            "/flows/other",
            "/flows/a-flower",
            "/hooks/a-flow",
            "/flows/a-flow/records/",
            "/flows/a-flow/records/a/b",
            "/flows/a-flow/records/%27",
            "/flows/a-flow/records/%ff",
            "/flows/a-flow/trace/",
            "/flows/a-flow/trace/a%2fb",
            "/flows/a-flow/deadly",
        ] {
            check("POST", path, Err(NoRoute::NotFound));
        }
    }
}
