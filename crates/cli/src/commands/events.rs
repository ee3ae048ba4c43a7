//! `events`: what happens in the engine, as it happens.

use api::client::EventOptions;
use api::event::Message;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::logs::point;
use crate::app::Verb;
use crate::console;
use crate::format::Template;
use crate::settings::Session;
use crate::words::filter;

/// Get real time events from the server
#[derive(Args)]
pub(crate) struct Events {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter")]
    filter: Vec<String>,
    /// Format output using a custom template: 'json' or a Go template
    #[arg(long, value_name = "string", default_value = "")]
    format: String,
    /// Show all events created since timestamp
    #[arg(long, value_name = "string")]
    since: Option<String>,
    /// Stream events until this timestamp
    #[arg(long, value_name = "string")]
    until: Option<String>,
}

impl Verb for Events {
    async fn run(self, session: &Session) -> anyhow::Result<()> {
        let options = EventOptions {
            since: point("since", self.since.as_deref())?,
            until: point("until", self.until.as_deref())?,
            filters: filter::parse(&self.filter).map_err(anyhow::Error::msg)?,
        };
        let template = match self.format.as_str() {
            "" => None,
            "json" => Some(Template::lenient("{{json .}}")?),
            format => Some(Template::lenient(format)?),
        };
        let client = session.client().await?;
        let mut events = client.system_events(&options).await?;
        let zone = TimeZone::system();
        while let Some(event) = events.next().await? {
            match &template {
                Some(template) => console::line(template.render(&serde_json::to_value(&event)?)?)?,
                None => console::line(line(&event, &zone))?,
            }
        }
        Ok(())
    }
}

/// `TIME TYPE ACTION ID (key=value, …)`.
fn line(event: &Message, zone: &TimeZone) -> String {
    let at = Timestamp::from_nanosecond(event.time_nano.into()).unwrap_or_default();
    let at = at
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.9f%:z");
    let pairs = event
        .actor
        .attributes
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let (kind, action, id) = (&event.kind, &event.action, &event.actor.id);
    match pairs.is_empty() {
        true => format!("{at} {kind} {action} {id}"),
        false => format!("{at} {kind} {action} {id} ({pairs})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let event: Message = serde_json::from_value(serde_json::json!({
            "Type": "container", "Action": "die",
            "Actor": {"ID": "abc", "Attributes": {"name": "web", "exitCode": "0"}},
            "time": 1_795_251_600, "timeNano": 1_795_251_600_123_456_789_i64
        }))
        .unwrap();
        insta::assert_snapshot!(line(&event, &TimeZone::UTC), @"2026-11-21T09:00:00.123456789+00:00 container die abc (exitCode=0, name=web)");
    }
}
