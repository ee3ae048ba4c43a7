//! A build as the lines that the legacy builder printed: `Step 2/5 : RUN …`.
//!
//! Steps run side by side, but such a transcript is sequential: one step is shown as it runs, and
//! what others say meanwhile is kept until it is their turn. Turns follow the order in which steps
//! were announced. Steps without an instruction (`[internal] …`) are not shown.

use std::collections::BTreeMap;

use api::jsonmessage::Message;
use engine::build::{BuildResult, Event, StepId};
use serde_json::json;

/// What was not shown yet.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// Only the id of the image is shown.
    quiet: bool,
    /// Steps that are shown, in their order.
    order: Vec<StepId>,
    steps: BTreeMap<StepId, Step>,
    /// How many of `order` are shown wholly.
    shown: usize,
}

#[derive(Debug, Default)]
struct Step {
    instruction: String,
    text: String,
    is_begun: bool,
    is_over: bool,
    is_announced: bool,
}

impl Transcript {
    /// A transcript of nothing; with `quiet` one of the result alone.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            ..Self::default()
        }
    }

    /// What can be shown now that `event` happened.
    pub(crate) fn feed(&mut self, event: Event) -> Vec<Message> {
        match event {
            Event::Step { id, name, .. } => self.announce(id, &name),
            Event::Started { id } => self.change(id, |step| step.is_begun = true),
            Event::Missed { id, reason } => self.say(id, &format!(" ---> {reason}\n")),
            Event::Cached { id } => {
                self.say(id, " ---> Using cache\n");
                self.change(id, |step| step.is_over = true);
            }
            Event::Completed { id } | Event::Failed { id, .. } => {
                self.change(id, |step| step.is_over = true);
            }
            Event::Log { id, bytes, .. } => self.say(id, &String::from_utf8_lossy(&bytes)),
            Event::Warning { text } => {
                return self.unless_quiet(vec![Message::stream(format!("[Warning] {text}\n"))]);
            }
            Event::Status { .. } => {}
        }
        let lines = self.take();
        self.unless_quiet(lines)
    }

    /// The end of a build that succeeded.
    pub(crate) fn succeed(&mut self, result: &BuildResult) -> Vec<Message> {
        let rest = self.flush();
        let mut messages = self.unless_quiet(rest);
        let Some(image) = &result.image else {
            return messages;
        };
        if self.quiet {
            return vec![Message::stream(format!("{image}\n"))];
        }
        messages.push(Message::aux(json!({ "ID": image.to_string() })));
        let short = image.0.hex();
        let short = short.get(..12).unwrap_or(&short);
        messages.push(Message::stream(format!("Successfully built {short}\n")));
        messages.extend(
            result
                .tags
                .iter()
                .map(|tag| Message::stream(format!("Successfully tagged {}\n", tag.familiar()))),
        );
        messages
    }

    /// The end of a build that failed.
    pub(crate) fn fail(&mut self, message: String, code: i64) -> Vec<Message> {
        let rest = self.flush();
        let mut messages = self.unless_quiet(rest);
        messages.push(Message::failure(message, code));
        messages
    }

    fn unless_quiet(&self, messages: Vec<Message>) -> Vec<Message> {
        match self.quiet {
            true => Vec::new(),
            false => messages,
        }
    }

    fn announce(&mut self, id: StepId, name: &str) {
        let (place, instruction) = name.split_once("] ").unwrap_or(("", name));
        if place.trim_start_matches('[').starts_with("internal") || place.is_empty() {
            return;
        }
        let step = Step {
            instruction: instruction.to_owned(),
            ..Step::default()
        };
        if self.steps.insert(id, step).is_none() {
            self.order.push(id);
        }
    }

    fn change(&mut self, id: StepId, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.steps.get_mut(&id) {
            step.is_begun = true;
            change(step);
        }
    }

    fn say(&mut self, id: StepId, text: &str) {
        self.change(id, |step| step.text.push_str(text));
    }

    /// What the step whose turn it is has to say, and those behind it where it is over.
    fn take(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(id) = self.order.get(self.shown) {
            let (number, count) = (self.shown + 1, self.order.len());
            let Some(step) = self.steps.get_mut(id).filter(|step| step.is_begun) else {
                break;
            };
            step.show(number, count, &mut messages);
            if !step.is_over {
                break;
            }
            self.shown += 1;
        }
        messages
    }

    /// Everything that began.
    fn flush(&mut self) -> Vec<Message> {
        let mut messages = self.take();
        let count = self.order.len();
        for (place, id) in self.order.iter().enumerate().skip(self.shown) {
            if let Some(step) = self.steps.get_mut(id).filter(|step| step.is_begun) {
                step.show(place + 1, count, &mut messages);
            }
        }
        self.shown = count;
        messages
    }
}

impl Step {
    fn show(&mut self, number: usize, count: usize, to: &mut Vec<Message>) {
        if !self.is_announced {
            self.is_announced = true;
            let line = format!("Step {number}/{count} : {}\n", self.instruction);
            to.push(Message::stream(line));
        }
        if !self.text.is_empty() {
            to.push(Message::stream(std::mem::take(&mut self.text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::build::Stream;

    fn step(id: StepId, name: &str) -> Event {
        Event::Step {
            id,
            name: name.to_owned(),
            inputs: Vec::new(),
        }
    }

    fn log(id: StepId, text: &str) -> Event {
        Event::Log {
            id,
            stream: Stream::Stdout,
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn text(messages: &[Message]) -> String {
        let parts = messages
            .iter()
            .filter_map(|message| message.stream.as_deref());
        parts.collect()
    }

    #[test]
    fn parallel_steps_are_told_one_after_the_other() {
        let mut transcript = Transcript::new(false);
        let mut shown = String::new();
        for event in [
            step(0, "[internal] load build context"),
            step(1, "[1/3] FROM base"),
            step(2, "[2/3] RUN a"),
            step(3, "[3/3] RUN b"),
            Event::Started { id: 0 },
            Event::Cached { id: 1 },
            Event::Started { id: 3 },
            log(3, "from b\n"),
            Event::Started { id: 2 },
            log(2, "from a\n"),
            Event::Completed { id: 3 },
        ] {
            shown += &text(&transcript.feed(event));
        }
        assert_eq!(
            shown,
            "Step 1/3 : FROM base\n ---> Using cache\nStep 2/3 : RUN a\nfrom a\n"
        );
        let rest = transcript.feed(Event::Completed { id: 2 });
        assert_eq!(text(&rest), "Step 3/3 : RUN b\nfrom b\n");
    }

    #[test]
    fn a_failure_shows_what_was_kept() {
        let mut transcript = Transcript::new(false);
        transcript.feed(step(1, "[1/2] RUN a"));
        transcript.feed(step(2, "[2/2] RUN b"));
        transcript.feed(log(2, "oh\n"));
        let messages = transcript.fail("exit code: 3".to_owned(), 3);
        assert_eq!(text(&messages), "Step 2/2 : RUN b\noh\n");
        let detail = messages.last().unwrap().error_detail.clone().unwrap();
        assert_eq!((detail.code, detail.message.as_str()), (3, "exit code: 3"));
    }

    #[test]
    fn quiet_is_quiet() {
        let mut transcript = Transcript::new(true);
        transcript.feed(step(1, "[1/1] RUN a"));
        assert!(transcript.feed(log(1, "x")).is_empty());
        let image = oci::ImageId(oci::Digest::of("x"));
        let result = BuildResult {
            image: Some(image),
            manifest: None,
            tags: Vec::new(),
            cached: 0,
            ran: 1,
        };
        assert!(text(&transcript.succeed(&result)).starts_with("sha256:"));
    }
}
