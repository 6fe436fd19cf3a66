//! A folder served as a feed: the listing is the JSON of nginx's `autoindex_format json`, so either can stand before a
//! utility's node.

use crate::{error::FileProblem, ClientError, Result};
use axum::{
    body::Body,
    extract::{Path as UrlPath, State},
    http::{header, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use chrono::{DateTime, Utc};
use futures::stream;
use serde::Serialize;
use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tokio::{io::AsyncReadExt, net::TcpListener};

/// Bytes of a file that are in memory at once.
const CHUNK: usize = 64 << 10;

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// File name.
    pub name: String,
    /// `file` or `directory`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Time of the last change: `Wed, 01 Mar 2022 06:18:33 GMT`.
    pub mtime: String,
    /// Bytes; only of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A feed that is being served.
pub struct FeedServer {
    listener: TcpListener,
    folder: Arc<PathBuf>,
    address: SocketAddr,
}

impl FeedServer {
    /// Begins to listen. Port 0 takes any free one.
    ///
    /// # Errors
    /// [`FileProblem`] (no such folder, or the port is taken).
    pub async fn bind(folder: &Path, listen: SocketAddr) -> Result<Self> {
        if !folder.is_dir() {
            return Err(FileProblem::new(folder, "this is no folder").into());
        }
        let problem =
            |error: io::Error| ClientError::Connection { url: format!("http://{listen}"), problem: error.to_string() };
        let listener = TcpListener::bind(listen).await.map_err(problem)?;
        let address = listener.local_addr().map_err(problem)?;
        Ok(Self { listener, folder: Arc::new(folder.into()), address })
    }

    /// The address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for `--feed-url`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until `stop` is ready.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let url = self.url();
        let router = Router::new().route("/", get(list)).route("/{name}", get(file)).with_state(self.folder);
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop).await;
        served.map_err(|error| ClientError::Connection { url, problem: error.to_string() })
    }
}

/// Serves a folder until `stop` is ready.
///
/// # Errors
/// As [`FeedServer::bind`].
pub async fn serve_feed(
    folder: &Path,
    listen: SocketAddr,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    FeedServer::bind(folder, listen).await?.run(stop).await
}

/// The listing of a folder, by name: hidden entries are left out, as nginx does.
///
/// # Errors
/// The folder cannot be read.
pub fn listing(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        // A file that vanished between listing and looking is left out; links are followed.
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let (kind, size) = match metadata.is_dir() {
            true => ("directory", None),
            false => ("file", Some(metadata.len())),
        };
        let mtime = http_date(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        entries.push(Entry { name, kind, mtime, size });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

fn http_date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

async fn list(State(folder): State<Arc<PathBuf>>) -> Response {
    let json = listing(&folder).ok().and_then(|entries| serde_json::to_vec(&entries).ok());
    match json {
        Some(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn file(State(folder): State<Arc<PathBuf>>, UrlPath(name): UrlPath<String>) -> Response {
    // The router gives one decoded segment; nothing in it may lead out of the folder or to a hidden file.
    let plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path = folder.join(&name);
    if !plain || !path.is_file() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match open(&path).await {
        Ok(response) => response,
        Err(error) if error.kind() == io::ErrorKind::NotFound => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The file as it is now: a body of exactly the length that the header says, whatever is appended meanwhile.
async fn open(path: &Path) -> io::Result<Response> {
    let file = tokio::fs::File::open(path).await?;
    let metadata = file.metadata().await?;
    let length = metadata.len();
    let chunks = stream::try_unfold(file.take(length), async |mut file| {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, io::Error>((read > 0).then_some((chunk, file)))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let modified = HeaderValue::from_str(&http_date(metadata.modified()?));
    headers.extend(modified.ok().map(|modified| (header::LAST_MODIFIED, modified)));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use std::{fs, time::Duration};
    use tokio::{io::AsyncWriteExt, net::TcpStream, sync::oneshot};

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("b.csv", "rows\n"), ("a.csv", ""), (".hidden", "x")] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        fs::create_dir(folder.path().join("old")).unwrap();
        let file = fs::File::options().write(true).open(folder.path().join("b.csv")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_646_115_513)).unwrap();
        folder
    }

    #[test]
    fn the_listing_is_that_of_nginx() {
        let folder = folder();
        let listed = listing(folder.path()).unwrap();
        let json = serde_json::to_value(&listed).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 3);
        assert_eq!(json[0]["name"], "a.csv");
        let expected = serde_json::json!({
            "name": "b.csv", "type": "file", "mtime": "Tue, 01 Mar 2022 06:18:33 GMT", "size": 5,
        });
        assert_eq!(json[1], expected);
        assert_eq!((&json[2]["type"], json[2].get("size")), (&"directory".into(), None));
    }

    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn files_are_served_and_nothing_outside_the_folder() {
        let folder = folder();
        let server = FeedServer::bind(folder.path(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, (stop, stopped)) = (server.address(), oneshot::channel::<()>());
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let answer = ask(address, "/b.csv").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-length: 5\r\n") && answer.ends_with("\r\n\r\nrows\n"), "{answer}");
        assert!(ask(address, "/").await.contains("application/json"));
        for path in ["/none.csv", "/.hidden", "/old", "/..%2fetc%2fpasswd", "/%2e%2e"] {
            assert!(ask(address, path).await.starts_with("HTTP/1.1 404"), "{path}");
        }
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}
