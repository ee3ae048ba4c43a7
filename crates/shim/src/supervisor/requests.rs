//! What clients ask for.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::{Failed, KILL, Life, Supervisor, launch};
use crate::clock;
use crate::protocol::{
    Attach, Event, Exec, Message, Request, Size, State, Status, VERSION, VERSION_MIN,
};

impl Supervisor {
    /// Does what is asked.
    pub(super) fn request(
        &mut self,
        from: u32,
        request: Request,
        fds: Vec<OwnedFd>,
    ) -> Result<Message, Failed> {
        let stream = fds.into_iter().next();
        match request {
            Request::Hello { version } if version < VERSION_MIN => {
                let text = format!("this shim speaks protocol {VERSION_MIN} to {VERSION}");
                return Err(Failed::unsupported(text));
            }
            Request::Hello { .. } => {
                return Ok(Message::Hello {
                    version: VERSION,
                    pid: self.pid,
                });
            }
            Request::State => return Ok(Message::State(self.state())),
            Request::Exec(exec) => return self.exec(&exec, stream),
            Request::Start => self.start()?,
            Request::Attach(attach) => self.attach(&attach, stream)?,
            Request::Resize { exec, size } => self.resize(exec.as_deref(), size)?,
            Request::Signal { exec, signal } => self.signal(exec.as_deref(), signal)?,
            Request::Stop { signal, timeout_ms } => self.stop(signal, timeout_ms)?,
            Request::Pause => self.pause()?,
            Request::Resume => self.resume()?,
            Request::Subscribe => self.control.subscribe(from),
            Request::Unknown => {
                return Err(Failed::unsupported(
                    "this shim does not know the request".into(),
                ));
            }
        }
        Ok(Message::Done)
    }

    fn status(&self) -> Status {
        match &self.life {
            Life::Created(_) | Life::Failed => Status::Created,
            Life::Running(_) if self.paused => Status::Paused,
            Life::Running(_) => Status::Running,
            Life::Exited(exit) => Status::Exited(exit.clone()),
        }
    }

    fn state(&self) -> State {
        State {
            status: self.status(),
            pid: self.pid,
            shim_pid: std::process::id(),
            started_at: self.started_at.clone(),
            execs: self.execs.states().cloned().collect(),
        }
    }

    fn start(&mut self) -> Result<(), Failed> {
        match std::mem::replace(&mut self.life, Life::Failed) {
            Life::Created(init) => {
                // A failure ends the shim: there is nothing left to supervise.
                let container = init.start().map_err(|error| Failed::runtime(&error))?;
                self.life = Life::Running(container);
                self.started_at = Some(clock::now());
                Ok(())
            }
            other => {
                self.life = other;
                Err(Failed::conflict(
                    "the container has been started already".into(),
                ))
            }
        }
    }

    fn attach(&mut self, attach: &Attach, stream: Option<OwnedFd>) -> Result<(), Failed> {
        let stream = stream.ok_or_else(|| Failed::invalid("attach needs a stream".into()))?;
        if self.life.is_over() {
            return Err(Failed::conflict("the container has ended".into()));
        }
        self.next_attachment += 1;
        let left = self
            .session
            .attach(self.next_attachment, stream, attach)
            .map_err(|error| Failed::io("attach the stream", &error))?;
        if left {
            self.control.tell(Event::Detached { exec: None });
        }
        Ok(())
    }

    fn exec(&mut self, exec: &Exec, stream: Option<OwnedFd>) -> Result<Message, Failed> {
        let Life::Running(container) = &self.life else {
            return Err(Failed::conflict("the container is not running".into()));
        };
        if self.paused {
            return Err(Failed::conflict("the container is paused".into()));
        }
        let filter = self
            .settings
            .seccomp
            .as_deref()
            .map(launch::filter)
            .transpose()?;
        let (pid, left) = self.execs.start(container, exec, stream, filter)?;
        if left {
            self.control.tell(Event::Detached {
                exec: Some(exec.id.clone()),
            });
        }
        Ok(Message::Started { pid })
    }

    fn resize(&mut self, exec: Option<&str>, size: Size) -> Result<(), Failed> {
        let session = match exec {
            Some(id) => self.execs.find(id)?.1,
            None => &self.session,
        };
        session
            .resize(size)
            .ok_or_else(|| Failed::invalid("the process has no terminal".into()))?
            .map_err(|error| Failed::io("resize the terminal", &error))
    }

    fn signal(&mut self, exec: Option<&str>, signal: i32) -> Result<(), Failed> {
        if let Some(id) = exec {
            let (process, _) = self.execs.find(id)?;
            return sys::signal::send(process, signal)
                .map_err(|error| Failed::io("send the signal", &error));
        }
        self.signal_first(signal)?;
        // A frozen process dies only when it thaws.
        if signal == KILL {
            self.thaw();
        }
        Ok(())
    }

    fn signal_first(&self, signal: i32) -> Result<(), Failed> {
        match &self.life {
            Life::Running(container) => sys::signal::send(container.init().pidfd(), signal)
                .map_err(|error| Failed::io("send the signal", &error)),
            _ => Err(Failed::conflict("the container is not running".into())),
        }
    }

    fn stop(&mut self, signal: Option<i32>, timeout_ms: Option<i64>) -> Result<(), Failed> {
        match &self.life {
            Life::Created(_) => {
                self.kill();
                return Ok(());
            }
            Life::Running(_) => {}
            Life::Exited(..) | Life::Failed => return Ok(()),
        }
        let timeout = match timeout_ms {
            None => self.settings.stop_timeout,
            Some(milliseconds) => u64::try_from(milliseconds).ok().map(Duration::from_millis),
        };
        // If the signal cannot be sent the time still runs.
        let _ = self.signal_first(signal.unwrap_or(self.settings.stop_signal));
        self.thaw();
        let due = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // A second stop may only shorten the wait of the first.
        self.kill_at = [self.kill_at, due].into_iter().flatten().min();
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Failed> {
        match &self.life {
            Life::Running(_) if self.paused => {
                Err(Failed::conflict("the container is already paused".into()))
            }
            Life::Running(container) => {
                container.pause().map_err(|error| Failed::runtime(&error))?;
                self.paused = true;
                Ok(())
            }
            _ => Err(Failed::conflict("the container is not running".into())),
        }
    }

    fn resume(&mut self) -> Result<(), Failed> {
        match &self.life {
            Life::Running(container) if self.paused => {
                container
                    .resume()
                    .map_err(|error| Failed::runtime(&error))?;
                self.paused = false;
                Ok(())
            }
            _ => Err(Failed::conflict("the container is not paused".into())),
        }
    }
}
