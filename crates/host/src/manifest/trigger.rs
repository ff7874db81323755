//! `[[trigger.http]]` and `[[trigger.cron]]`.

use std::collections::BTreeMap;

use super::component::Component;
use super::refusal::Refusals;
use super::route::Route;
use super::section::Section;

/// An HTTP trigger: which component answers which requests.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// The component's id.
    pub component: String,
    /// Who can reach it.
    pub endpoint: Endpoint,
    /// The line of the trigger.
    pub line: usize,
}

/// Who can reach a component over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Whoever reaches the listener.
    Public(Route),
    /// Other components only, under `http://<component>.spin.internal`.
    Private,
}

/// A cron trigger: which component runs when.
#[derive(Debug, Clone)]
pub struct CronTrigger {
    /// The component's id.
    pub component: String,
    /// When it runs: seconds, minutes, hours, day of month, month, day of week, in UTC.
    pub schedule: croner::Cron,
    /// The line of the trigger.
    pub line: usize,
}

pub(super) fn read_triggers(
    root: &mut Section<'_>,
    components: &BTreeMap<String, Component>,
    refusals: &Refusals,
) -> (Vec<HttpTrigger>, Vec<CronTrigger>) {
    let (mut http, mut cron) = (Vec::new(), Vec::new());
    let Some(triggers) = root.required_section("trigger") else {
        return (http, cron);
    };
    for (kind, at, value) in triggers.entries() {
        if kind != "http" && kind != "cron" {
            refusals.add(
                at,
                format!("trigger type \"{kind}\" is not supported: this host has http and cron"),
            );
            continue;
        }
        let Some(list) = value.get_ref().as_array() else {
            refusals.add(at, format!("write [[trigger.{kind}]], in double brackets"));
            continue;
        };
        for item in list.iter() {
            let at = item.span().start;
            let Some(table) = item.get_ref().as_table() else {
                refusals.add(at, format!("[[trigger.{kind}]] must be a table"));
                continue;
            };
            let section = Section::new(format!("[[trigger.{kind}]]"), at, table, refusals);
            match kind {
                "http" => http.extend(read_http(section, components, refusals)),
                _ => cron.extend(read_cron(section, components, refusals)),
            }
        }
    }
    refuse_equal_routes(&http, refusals);
    (http, cron)
}

fn read_http(
    mut section: Section<'_>,
    components: &BTreeMap<String, Component>,
    refusals: &Refusals,
) -> Option<HttpTrigger> {
    let line = refusals.line(section.at());
    section.refuse("static_response", "let a component answer");
    read_executor(&mut section, refusals);
    let component = read_component(&mut section, components, refusals);
    let endpoint = read_endpoint(&mut section, refusals);
    section.finish();
    Some(HttpTrigger {
        component: component?,
        endpoint: endpoint?,
        line,
    })
}

fn read_executor(section: &mut Section<'_>, refusals: &Refusals) {
    let Some(mut executor) = section.optional_section("executor") else {
        return;
    };
    if let Some((kind, at)) = executor.required_text("type")
        && kind != "http"
        && kind != "spin"
    {
        refusals.add(
            at,
            format!("executor \"{kind}\" is not supported: this host has http"),
        );
    }
    executor.finish();
}

fn read_endpoint(section: &mut Section<'_>, refusals: &Refusals) -> Option<Endpoint> {
    let at = section.at();
    let Some(value) = section.take("route") else {
        refusals.add(at, "[[trigger.http]]: \"route\" is missing");
        return None;
    };
    let at = value.span().start;
    if let Some(raw) = value.get_ref().as_str() {
        return match Route::parse(raw) {
            Ok(route) => Some(Endpoint::Public(route)),
            Err(reason) => {
                refusals.add(at, reason);
                None
            }
        };
    }
    let private = value.get_ref().as_table().map(|table| {
        let mut route = Section::new("route", at, table, refusals);
        let private = route.flag("private");
        route.finish();
        private
    });
    if private == Some(true) {
        return Some(Endpoint::Private);
    }
    refusals.add(at, "route must be text, or { private = true }");
    None
}

fn read_component(
    section: &mut Section<'_>,
    components: &BTreeMap<String, Component>,
    refusals: &Refusals,
) -> Option<String> {
    section.take("id"); // A name for people: nothing refers to it.
    section.refuse("components", "one trigger runs one component");
    section.refuse("dependencies", "middleware is not supported");
    let (id, at) = section.required_text("component")?;
    if !components.contains_key(&id) {
        refusals.add(at, format!("there is no [component.{id}]"));
        return None;
    }
    Some(id)
}

fn read_cron(
    mut section: Section<'_>,
    components: &BTreeMap<String, Component>,
    refusals: &Refusals,
) -> Option<CronTrigger> {
    let line = refusals.line(section.at());
    let component = read_component(&mut section, components, refusals);
    let expression = section.required_text("cron_expression");
    section.finish();
    let (expression, at) = expression?;
    // Read as Spin's cron trigger reads it: with seconds, and both day fields having to agree.
    let schedule = croner::Cron::new(&expression)
        .with_seconds_required()
        .with_dom_and_dow()
        .parse();
    match schedule {
        Ok(schedule) => Some(CronTrigger {
            component: component?,
            schedule,
            line,
        }),
        Err(error) => {
            refusals.add(at, format!("bad cron_expression \"{expression}\": {error}"));
            None
        }
    }
}

fn refuse_equal_routes(triggers: &[HttpTrigger], refusals: &Refusals) {
    for (index, trigger) in triggers.iter().enumerate() {
        let Endpoint::Public(route) = &trigger.endpoint else {
            continue;
        };
        let earlier = triggers[..index]
            .iter()
            .find(|other| match &other.endpoint {
                Endpoint::Public(other) => other.same_as(route),
                Endpoint::Private => false,
            });
        if let Some(earlier) = earlier {
            let message = format!(
                "route \"{}\" equals the one of line {}",
                route.raw(),
                earlier.line
            );
            refusals.add_at_line(trigger.line, message);
        }
    }
}
