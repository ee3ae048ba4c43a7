//! `/events`.

use api::event::{Actor, Message};
use axum::extract::State;
use axum::response::Response;
use engine::{Event, Events, Noun};

use crate::http::{Call, Failure, json_lines};

/// Follows the events. The head of the answer goes out at once: what happens behind it is seen.
pub(crate) async fn follow(State(events): State<Events>, call: Call) -> Result<Response, Failure> {
    let time = |name: &'static str| call.query.text(name).map(engine::parse_time).transpose();
    let stream = events.subscribe(call.filters()?, time("since")?, time("until")?)?;
    let messages = futures_util::stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((message(&event), stream))
    });
    Ok(json_lines(messages))
}

fn message(event: &Event) -> Message {
    let nanoseconds = i64::try_from(event.time.as_nanosecond()).unwrap_or(i64::MAX);
    let mut message = Message {
        kind: event.noun.name().to_owned(),
        action: event.action.to_string(),
        actor: Actor {
            id: event.id.clone(),
            attributes: event.attributes.clone(),
        },
        scope: "local".to_owned(),
        time: event.time.as_second(),
        time_nano: nanoseconds,
        ..Message::default()
    };
    if matches!(event.noun, Noun::Container | Noun::Image) {
        message.status.clone_from(&message.action);
        message.id.clone_from(&message.actor.id);
    }
    if event.noun == Noun::Container {
        let image = event.attributes.get("image");
        message.from = image.cloned().unwrap_or_default();
    }
    message
}
