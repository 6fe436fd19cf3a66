//! A feed that does, on demand, what servers and networks do on bad days. A real HTTP server: the node's own client meets
//! it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a silent answer lasts if the other side does not give up.
const SILENCE: Duration = Duration::from_secs(60);
/// What [`Answer::Endless`] sends in all, bytes.
pub const ENDLESS: u64 = 2 << 30;

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As it should be.
    Whole,
    /// With this status and no content.
    Status(u16),
    /// With a redirection to this address.
    Redirect(String),
    /// With nothing at all.
    Silence,
    /// With all of the header, half of the content, and the end of the connection.
    Half,
    /// With one byte of the content a second.
    Drip,
    /// With the content and then zeros, 2 GiB in all, without saying so before (chunked).
    Endless,
}

/// A file as it is listed and served.
#[derive(Clone, Debug)]
struct File {
    content: Vec<u8>,
    version: u32,
    answer: Answer,
    /// What is appended, one piece at each request of the file, before it is answered.
    growth: Vec<Vec<u8>>,
}

struct State {
    files: BTreeMap<String, File>,
    /// How listings are answered, and what stands in them if it is not the files.
    listing: (Answer, Option<Vec<u8>>),
    /// Requests so far, by path.
    asked: BTreeMap<String, u32>,
    /// Bytes of content sent so far, by path.
    sent: BTreeMap<String, u64>,
}

fn put(files: &mut BTreeMap<String, File>, name: &str, content: Vec<u8>, answer: Answer) {
    let version = files.get(name).map_or(0, |file| file.version + 1);
    files.insert(name.into(), File { content, version, answer, growth: Vec::new() });
}

/// The server. It ends with the test's process.
#[derive(Clone)]
pub struct FeedServer {
    state: Arc<Mutex<State>>,
    /// Address for `--feed-url`.
    pub url: String,
}

impl FeedServer {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (files, asked, sent) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let state = Arc::new(Mutex::new(State { files, listing: (Answer::Whole, None), asked, sent }));
        let server = Self { state, url };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                // An error is the other side's going away.
                thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file into the folder, or new content into its place.
    pub fn put(&self, name: &str, content: impl Into<Vec<u8>>) {
        self.put_with(name, content, Answer::Whole);
    }

    /// Puts several files at one moment: no listing has one of them without the others.
    pub fn put_all(&self, files: Vec<(&str, Vec<u8>)>) {
        let mut state = self.state();
        files.into_iter().for_each(|(name, content)| put(&mut state.files, name, content, Answer::Whole));
    }

    /// Puts a file whose requests are answered so.
    pub fn put_with(&self, name: &str, content: impl Into<Vec<u8>>, answer: Answer) {
        put(&mut self.state().files, name, content.into(), answer);
    }

    /// Lets a file grow by one of these pieces whenever it is asked for.
    pub fn grow(&self, name: &str, mut pieces: Vec<Vec<u8>>) {
        pieces.reverse();
        self.state().files.get_mut(name).unwrap().growth = pieces;
    }

    /// Changes how a file is served, not what is listed of it.
    pub fn answer(&self, name: &str, answer: Answer) {
        self.state().files.get_mut(name).unwrap().answer = answer;
    }

    /// Changes how listings are answered; `content` stands in them if it is not the files.
    pub fn listing(&self, answer: Answer, content: Option<&[u8]>) {
        self.state().listing = (answer, content.map(<[u8]>::to_vec));
    }

    /// How often a path was asked for: a file's name, or "" for the listing.
    pub fn asked(&self, path: &str) -> u32 {
        self.state().asked.get(path).copied().unwrap_or_default()
    }

    /// Requests of all paths.
    pub fn asked_at_all(&self) -> u32 {
        self.state().asked.values().sum()
    }

    /// How many bytes of content were sent under a path.
    pub fn sent(&self, path: &str) -> u64 {
        self.state().sent.get(path).copied().unwrap_or_default()
    }

    /// The JSON of nginx's `autoindex_format json`.
    fn entries(files: &BTreeMap<String, File>) -> Vec<u8> {
        let entry = |(name, file): (&String, &File)| {
            let minute = file.version;
            serde_json::json!({
                "name": name,
                "type": "file",
                "mtime": format!("Mon, 02 Mar 2026 {:02}:{:02}:00 GMT", minute / 60 % 24, minute % 60),
                "size": file.content.len(),
            })
        };
        serde_json::Value::Array(files.iter().map(entry).collect()).to_string().into_bytes()
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').replace("%20", " ");
        let found = {
            let mut state = self.state();
            *state.asked.entry(path.clone()).or_default() += 1;
            match path.as_str() {
                "" => {
                    let (answer, content) = state.listing.clone();
                    Some((answer, content.unwrap_or_else(|| Self::entries(&state.files))))
                }
                name => state.files.get_mut(name).map(|file| {
                    if let Some(piece) = file.growth.pop() {
                        file.content.extend(piece);
                        file.version += 1;
                    }
                    (file.answer.clone(), file.content.clone())
                }),
            }
        };
        let (answer, content) = found.unwrap_or((Answer::Status(404), Vec::new()));
        self.give(&mut stream, &mut reader, &path, &answer, &content)?;
        stream.flush()
    }

    fn give(
        &self,
        stream: &mut TcpStream,
        reader: &mut impl Read,
        path: &str,
        answer: &Answer,
        content: &[u8],
    ) -> std::io::Result<()> {
        let head = |status: &str, fields: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{fields}\r\n\r\n");
        let whole = head("200 OK", &format!("Content-Length: {}", content.len()));
        match answer {
            Answer::Whole => {
                stream.write_all(whole.as_bytes())?;
                self.send(stream, path, content)
            }
            Answer::Status(status) => stream.write_all(head(&format!("{status} No"), "Content-Length: 0").as_bytes()),
            Answer::Redirect(to) => {
                let fields = format!("Location: {to}\r\nContent-Length: 0");
                stream.write_all(head("302 Found", &fields).as_bytes())
            }
            // Until the other side closes.
            Answer::Silence => reader.read(&mut [0]).map(|_| ()),
            Answer::Half => {
                stream.write_all(whole.as_bytes())?;
                self.send(stream, path, &content[..content.len() / 2])
            }
            Answer::Drip => {
                stream.write_all(whole.as_bytes())?;
                for byte in content {
                    self.send(stream, path, &[*byte])?;
                    thread::sleep(Duration::from_secs(1));
                }
                Ok(())
            }
            Answer::Endless => {
                stream.write_all(head("200 OK", "Transfer-Encoding: chunked").as_bytes())?;
                self.chunk(stream, path, content)?;
                let zeros = vec![0; 1 << 20];
                let mut left = ENDLESS;
                while left > 0 {
                    self.chunk(stream, path, &zeros)?;
                    left = left.saturating_sub(zeros.len() as u64);
                }
                stream.write_all(b"0\r\n\r\n")
            }
        }
    }

    fn chunk(&self, stream: &mut TcpStream, path: &str, bytes: &[u8]) -> std::io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        self.send(stream, path, bytes)?;
        stream.write_all(b"\r\n")
    }

    fn send(&self, stream: &mut TcpStream, path: &str, bytes: &[u8]) -> std::io::Result<()> {
        stream.write_all(bytes)?;
        *self.state().sent.entry(path.into()).or_default() += bytes.len() as u64;
        Ok(())
    }
}
