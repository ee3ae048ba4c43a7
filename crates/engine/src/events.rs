//! What happened, to whom and when: a bounded history and a live feed behind it.
//!
//! Invariants: a subscriber gets each event once, in order, first those of the history. One that
//! falls behind by more than the history goes on with the oldest event that is left.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::{Error, Filters};

/// How many events are kept.
const HISTORY: usize = 1024;

/// What kind of object it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noun {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// The builder.
    Builder,
}

impl Noun {
    /// Docker's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Builder => "builder",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// To what kind of object.
    pub noun: Noun,
    /// What: `create`, `start`, `die`, `exec_create: ls`, …
    pub action: Cow<'static, str>,
    /// To which object.
    pub id: String,
    /// Names, labels and facts.
    pub attributes: BTreeMap<String, String>,
    /// When.
    pub time: Timestamp,
}

/// The log of events.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Log>);

#[derive(Debug, Default)]
struct Log {
    ring: Mutex<Ring>,
    news: Notify,
    followers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Ring {
    /// Number of the first event in `events`, counted from the start of the engine.
    first: u64,
    events: VecDeque<Arc<Event>>,
}

impl Events {
    /// Reports something that happened now.
    pub(crate) fn publish(
        &self,
        noun: Noun,
        action: impl Into<Cow<'static, str>>,
        id: &str,
        attributes: BTreeMap<String, String>,
    ) {
        let event = Arc::new(Event {
            noun,
            action: action.into(),
            id: id.to_owned(),
            attributes,
            time: Timestamp::now(),
        });
        {
            let mut ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
            if ring.events.len() == HISTORY {
                ring.events.pop_front();
                ring.first += 1;
            }
            ring.events.push_back(event);
        }
        self.0.news.notify_waiters();
    }

    /// How many follow.
    pub(crate) fn listeners(&self) -> usize {
        self.0.followers.load(Ordering::Relaxed)
    }

    /// Follows the events that match, from `since` on (from now on where it is `None`) to `until`.
    pub fn subscribe(
        &self,
        filters: Filters,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<EventStream, Error> {
        filters.check_keys(&[
            "config",
            "container",
            "daemon",
            "event",
            "image",
            "label",
            "network",
            "node",
            "plugin",
            "scope",
            "secret",
            "service",
            "type",
            "volume",
        ])?;
        let ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let end = ring.first + ring.events.len() as u64;
        let next = match since {
            None => end,
            Some(since) => {
                let old = ring.events.iter().take_while(|event| event.time < since);
                ring.first + old.count() as u64
            }
        };
        drop(ring);
        self.0.followers.fetch_add(1, Ordering::Relaxed);
        Ok(EventStream {
            log: Arc::clone(&self.0),
            filters,
            next,
            until,
        })
    }
}

/// The events that match, as they happen.
#[derive(Debug)]
pub struct EventStream {
    log: Arc<Log>,
    filters: Filters,
    next: u64,
    until: Option<Timestamp>,
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.log.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EventStream {
    /// The next event, or `None` once the end of the time asked for is reached.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            let log = Arc::clone(&self.log);
            let mut news = std::pin::pin!(log.news.notified());
            news.as_mut().enable();
            while let Some(event) = self.take() {
                if self.until.is_some_and(|until| event.time > until) {
                    return None;
                }
                if event.matches(&self.filters) {
                    return Some(event);
                }
            }
            match self.until {
                None => news.await,
                Some(until) => {
                    let left = until.duration_since(Timestamp::now());
                    let left = Duration::try_from(left).ok()?;
                    let _ = tokio::time::timeout(left, news).await;
                }
            }
        }
    }

    fn take(&mut self) -> Option<Arc<Event>> {
        let ring = self.log.ring.lock().unwrap_or_else(PoisonError::into_inner);
        self.next = self.next.max(ring.first);
        let place = usize::try_from(self.next - ring.first).ok()?;
        let event = ring.events.get(place).cloned()?;
        self.next += 1;
        Some(event)
    }
}

impl Event {
    /// Docker's rules: objects match by id, prefix of an id or name; an image also without its
    /// tag; `event` also by the word before a colon.
    fn matches(&self, filters: &Filters) -> bool {
        let action = self.action.as_ref();
        let word = action.split(':').next().unwrap_or(action);
        filters.any("event", |value| value == action || value == word)
            && filters.any("type", |value| value == self.noun.name())
            && filters.any("scope", |value| value == "local")
            && filters.labels(&self.attributes)
            && [Noun::Container, Noun::Network, Noun::Volume]
                .iter()
                .all(|noun| filters.any(noun.name(), |value| self.is_of(*noun, value)))
            && filters.any("image", |value| self.is_of_image(value))
            && ["config", "daemon", "node", "plugin", "secret", "service"]
                .iter()
                .all(|key| !filters.has(key))
    }

    fn is_of(&self, noun: Noun, value: &str) -> bool {
        let name = self.attributes.get("name").map(String::as_str);
        self.noun == noun && (self.id.starts_with(value) || name == Some(value))
    }

    fn is_of_image(&self, value: &str) -> bool {
        let image = match self.noun {
            Noun::Image => self.attributes.get("name").unwrap_or(&self.id),
            _ => match self.attributes.get("image") {
                Some(image) => image,
                None => return false,
            },
        };
        image == value
            || image
                .rsplit_once(':')
                .is_some_and(|(name, _)| name == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(events: &Events, action: &'static str, id: &str) {
        let attributes = BTreeMap::from([
            ("name".to_owned(), "web".to_owned()),
            ("image".to_owned(), "busybox:latest".to_owned()),
        ]);
        events.publish(Noun::Container, action, id, attributes);
    }

    #[tokio::test]
    async fn history_then_news() {
        let events = Events::default();
        publish(&events, "create", "a1");
        let since = Some(Timestamp::UNIX_EPOCH);
        let mut stream = events.subscribe(Filters::default(), since, None).unwrap();
        let mut fresh = events.subscribe(Filters::default(), None, None).unwrap();
        publish(&events, "start", "a1");
        assert_eq!(stream.next().await.unwrap().action, "create");
        assert_eq!(stream.next().await.unwrap().action, "start");
        assert_eq!(fresh.next().await.unwrap().action, "start");
    }

    #[tokio::test]
    async fn filters_and_an_end() {
        let events = Events::default();
        for action in ["create", "start", "die"] {
            publish(&events, action, "a1");
        }
        let mut filters = Filters::default();
        filters.add("container", "web");
        filters.add("image", "busybox");
        filters.add("event", "die");
        filters.add("event", "create");
        let (since, until) = (Some(Timestamp::UNIX_EPOCH), Some(Timestamp::now()));
        let mut stream = events.subscribe(filters, since, until).unwrap();
        assert_eq!(stream.next().await.unwrap().action, "create");
        assert_eq!(stream.next().await.unwrap().action, "die");
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn a_slow_reader_goes_on_behind_the_gap() {
        let events = Events::default();
        let mut stream = events.subscribe(Filters::default(), None, None).unwrap();
        for number in 0..HISTORY + 5 {
            publish(&events, "start", &number.to_string());
        }
        assert_eq!(stream.next().await.unwrap().id, "5");
    }
}
