//! An engine that gives prepared answers and remembers what it was asked.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;

/// One prepared answer. Each is given once.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// Method and path without the version: `GET /containers/json`.
    to: String,
    #[serde(default = "ok")]
    status: u16,
    /// A document.
    #[serde(default)]
    json: Option<Value>,
    /// Or documents, one per line.
    #[serde(default)]
    lines: Vec<Value>,
    /// Or a text.
    #[serde(default)]
    text: Option<String>,
    /// Or an upgraded connection with these frames: number of the stream, text.
    #[serde(default)]
    frames: Option<Vec<(u8, String)>>,
    /// Further headers.
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Wait for the end of the client's input before the connection is closed.
    #[serde(default)]
    reads_input: bool,
}

fn ok() -> u16 {
    200
}

#[derive(Default)]
struct State {
    answers: Vec<Answer>,
    log: Vec<String>,
}

pub(crate) struct Engine(Arc<Mutex<State>>);

impl Engine {
    pub(crate) fn start(socket: &Path, answers: Vec<Answer>) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let state = Arc::new(Mutex::new(State {
            answers,
            log: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let state = Arc::clone(&shared);
                // The client decides when a connection is over; how it ends does not matter.
                std::thread::spawn(move || drop(serve(&stream, &state)));
            }
        });
        Self(state)
    }

    /// What was asked, a line each with its body behind.
    pub(crate) fn requests(&self) -> String {
        let mut state = self.0.lock().unwrap();
        let left: Vec<String> = state
            .answers
            .iter()
            .map(|answer| format!("not asked: {}", answer.to))
            .collect();
        state.log.extend(left);
        state.log.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn serve(stream: &UnixStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        let answer = {
            let mut state = state.lock().unwrap();
            state.log.push(request.describe());
            let name = request.name();
            let place = state.answers.iter().position(|answer| answer.to == name);
            place.map(|place| state.answers.remove(place))
        };
        let Some(answer) = answer else {
            respond(stream, 404, &[], br#"{"message":"page not found"}"#)?;
            continue;
        };
        if let Some(frames) = &answer.frames {
            return upgrade(stream, reader, &answer, frames, state);
        }
        let body = match (&answer.json, &answer.text) {
            (Some(json), _) => json.to_string(),
            (None, Some(text)) => text.clone(),
            (None, None) => answer
                .lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect(),
        };
        let body = if request.target.starts_with("HEAD") {
            String::new()
        } else {
            body
        };
        respond(stream, answer.status, &answer.headers, body.as_bytes())?;
    }
    Ok(())
}

fn respond(
    mut stream: &UnixStream,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} x\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 && status != 304 {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)
}

fn upgrade(
    mut stream: &UnixStream,
    mut reader: BufReader<&UnixStream>,
    answer: &Answer,
    frames: &[(u8, String)],
    state: &Mutex<State>,
) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n")?;
    for (number, text) in frames {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        stream.write_all(&[*number, 0, 0, 0])?;
        stream.write_all(&length)?;
        stream.write_all(text.as_bytes())?;
    }
    if answer.reads_input {
        let mut input = String::new();
        reader.read_to_string(&mut input)?;
        state.lock().unwrap().log.push(format!("input {input:?}"));
    }
    stream.shutdown(std::net::Shutdown::Both)
}

struct Request {
    /// Method and target without the version.
    target: String,
    fds: Option<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut BufReader<&UnixStream>) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let target = match target.strip_prefix("/v1.51") {
            Some(target) => format!("{method} {target}"),
            None => format!("{method} {target}"),
        };
        let (mut length, mut chunked, mut fds) = (0, false, None);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "transfer-encoding" => chunked = value == "chunked",
                "corten-fds" => fds = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        while chunked {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).unwrap();
            let start = body.len();
            body.resize(start + length + 2, 0);
            reader.read_exact(&mut body[start..])?;
            body.truncate(start + length);
            chunked = length > 0;
        }
        Ok(Some(Self { target, fds, body }))
    }

    fn name(&self) -> String {
        self.target.split('?').next().unwrap_or_default().to_owned()
    }

    /// The request as a line; the empty fields of a document are left out.
    fn describe(&self) -> String {
        let mut text = self.target.clone();
        if let Some(fds) = &self.fds {
            text.push_str(&format!(" ({fds} files)"));
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => text.push_str(&format!("\n  {}", brief(json).unwrap_or_default())),
            Err(_) if self.body.is_empty() => {}
            Err(_) => text.push_str(&format!("\n  {} bytes", self.body.len())),
        }
        text
    }
}

/// A document without what is empty.
fn brief(json: Value) -> Option<Value> {
    match json {
        Value::Null => None,
        Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Number(number) if number.as_i64() == Some(0) => None,
        Value::Array(list)
            if list.is_empty() || list.iter().all(|item| item.as_i64() == Some(0)) =>
        {
            None
        }
        Value::Object(map) => {
            let map: serde_json::Map<_, _> = map
                .into_iter()
                .filter_map(|(key, value)| Some((key, brief(value)?)))
                .collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        json => Some(json),
    }
}
