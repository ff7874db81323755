//! Routes of HTTP triggers: literal segments, `:name`, and a trailing `/...`.
//!
//! <https://spinframework.dev/v3/http-trigger#http-trigger-routes>

use std::cmp::Ordering;

/// A route pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    raw: String,
    segments: Vec<Segment>,
    open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

/// What a path was, seen through a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch {
    /// The values of `:name` segments, in order.
    pub named: Vec<(String, String)>,
    /// What `/...` stood for: empty, or a path that starts with `/`.
    pub rest: String,
}

impl Route {
    /// Reads a pattern. The error is a reason in one line.
    pub fn parse(raw: &str) -> Result<Self, String> {
        if raw.contains(['?', '#', ' ']) {
            return Err(format!("route \"{raw}\" has characters no path has"));
        }
        let absolute = raw.strip_prefix('/').unwrap_or(raw);
        let (fixed, open) = match absolute.strip_suffix("...").or(absolute.strip_suffix('*')) {
            Some(before) if before.is_empty() || before.ends_with('/') => (before, true),
            Some(_) => return Err(format!("route \"{raw}\": \"...\" must be a whole segment")),
            None => (absolute, false),
        };
        let mut segments = Vec::new();
        for segment in fixed.split('/').filter(|segment| !segment.is_empty()) {
            if segment.contains("...") || segment.contains('*') {
                return Err(format!(
                    "route \"{raw}\": a wildcard must be the last segment"
                ));
            }
            segments.push(match segment.strip_prefix(':') {
                Some("") => return Err(format!("route \"{raw}\": \":\" needs a name")),
                Some(name)
                    if segments
                        .iter()
                        .any(|s| matches!(s, Segment::Named(n) if n == name)) =>
                {
                    return Err(format!("route \"{raw}\" names \":{name}\" twice"));
                }
                Some(name)
                    if name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') =>
                {
                    Segment::Named(name.to_owned())
                }
                Some(name) => return Err(format!("route \"{raw}\": bad name \":{name}\"")),
                None => Segment::Literal(segment.to_owned()),
            });
        }
        Ok(Self {
            raw: raw.to_owned(),
            segments,
            open,
        })
    }

    /// As written in the manifest.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// As written, without a trailing `/...`.
    pub fn prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }

    /// Matches a path (without query). A trailing slash makes no difference to closed routes.
    pub fn matches(&self, path: &str) -> Option<RouteMatch> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let mut named = Vec::new();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::Literal(_) => return None,
                Segment::Named(name) => named.push((name.clone(), part.to_owned())),
            }
        }
        let mut rest = String::new();
        for part in parts {
            if !self.open {
                return None;
            }
            rest.push('/');
            rest.push_str(part);
        }
        // Spin hands a trailing slash on to the component.
        if self.open
            && path.ends_with('/')
            && (path.len() > 1 || !rest.is_empty() || self.segments.is_empty())
        {
            rest.push('/');
        }
        Some(RouteMatch { named, rest })
    }

    /// Whether both match the same paths, whatever their wildcards are called.
    pub fn same_as(&self, other: &Route) -> bool {
        let same = |(a, b): (&Segment, &Segment)| match (a, b) {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Named(_), Segment::Named(_)) => true,
            _ => false,
        };
        self.open == other.open
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// Orders the more specific route first: literal before named, closed before open, long before short.
    pub fn by_precedence(&self, other: &Route) -> Ordering {
        let rank = |segment: Option<&Segment>, open: bool| match (segment, open) {
            (Some(Segment::Literal(_)), _) => 0,
            (Some(Segment::Named(_)), _) => 1,
            (None, false) => 2,
            (None, true) => 3,
        };
        (0..=self.segments.len().max(other.segments.len()))
            .map(|i| {
                rank(self.segments.get(i), self.open).cmp(&rank(other.segments.get(i), other.open))
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(raw: &str) -> Route {
        Route::parse(raw).unwrap()
    }

    #[test]
    fn matches_literals_names_and_the_rest() {
        assert_eq!(route("/a/b").matches("/a/b").unwrap().rest, "");
        assert!(route("/a/b").matches("/a/b/").is_some());
        assert!(route("/a/b").matches("/a/c").is_none());
        assert!(route("/a").matches("/a/b").is_none());
        assert_eq!(route("/a/...").matches("/a").unwrap().rest, "");
        assert_eq!(route("/a/...").matches("/a/").unwrap().rest, "/");
        assert_eq!(route("/a/...").matches("/a/b/c").unwrap().rest, "/b/c");
        assert_eq!(route("/...").matches("/x").unwrap().rest, "/x");
        let found = route("/u/:id/...").matches("/u/7/orders").unwrap();
        assert_eq!(found.named, [("id".to_owned(), "7".to_owned())]);
        assert_eq!(found.rest, "/orders");
    }

    #[test]
    fn knows_equal_routes() {
        assert!(route("/a/:x").same_as(&route("a/:y/")));
        assert!(!route("/a/:x").same_as(&route("/a/x")));
        assert!(!route("/a").same_as(&route("/a/...")));
    }

    #[test]
    fn prefers_the_specific_route() {
        let mut routes = ["/...", "/a/:x", "/a/...", "/a/b", "/a/b/..."].map(route);
        routes.sort_by(Route::by_precedence);
        assert_eq!(
            routes.map(|r| r.raw),
            ["/a/b", "/a/b/...", "/a/:x", "/a/...", "/..."]
        );
    }

    #[test]
    fn refuses_bad_patterns() {
        for raw in ["/a/.../b", "/a...", "/:", "/a b", "/a?x", "/:x/:x", "/a/*b"] {
            assert!(Route::parse(raw).is_err(), "{raw}");
        }
    }
}
