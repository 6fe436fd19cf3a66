//! The feed: a folder of files behind HTTP. Every wait has a deadline and every answer a byte cap.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use sp_core::offchain::{Duration, Timestamp};
use sp_runtime::offchain::http::{Request, Response};

/// Longest wait for one answer or one piece of a body, milliseconds: shorter than the lock lasts.
pub const WAIT_MILLISECONDS: u64 = 5_000;
/// Longest time for one file, milliseconds: the batches of a run must be signed before their `as_of` is too old.
pub const FILE_MILLISECONDS: u64 = 180_000;
/// Slowest feed that is waited for, bytes a millisecond: one that drips must not hold the worker.
pub const BYTES_PER_MILLISECOND: u64 = 1 << 10;
/// Largest listing, bytes.
pub const MAX_LISTING_BYTES: u64 = 1 << 20;
/// Largest file, bytes.
pub const MAX_FILE_BYTES: u64 = 2 << 30;
/// Bytes read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Why the feed gave nothing. Stays until the next listing or fetch succeeds; it is tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The configured address cannot be used.
    #[error("the feed's address cannot be used: {0}")]
    BadUrl(&'static str),
    /// No connection, or it broke.
    #[error("the feed's server cannot be reached, or the connection broke; check address, network and certificate")]
    NotReached,
    /// Too slow.
    #[error("the feed's server did not answer within the deadline")]
    TooSlow,
    /// Not found, not allowed, or an error of the server.
    #[error("the feed's server answered with status {0}")]
    Status(u16),
    /// More bytes than allowed.
    #[error("the feed's server sent more than {0} bytes")]
    TooLarge(u64),
    /// The listing is not what nginx's `autoindex_format json` writes.
    #[error("the feed's listing is not a JSON array of name, type, mtime and size (nginx: autoindex_format json)")]
    BadListing,
    /// Too many files.
    #[error("the feed lists more than {0} files; move old ones away")]
    TooManyFiles(usize),
    /// The file changed while it was listed and read.
    #[error("the file has another length than the listing says; it is read again once it stands still")]
    OtherLength,
}

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The whole file was handed over.
    Whole,
    /// The taker wanted no more.
    Stopped,
}

/// Where files come from.
pub trait Feed {
    /// The listing, as JSON.
    ///
    /// # Errors
    /// [`FeedError`].
    fn list(&mut self) -> Result<Vec<u8>, FeedError>;

    /// Hands a file over piece by piece until `take` returns false. `size` is what the listing says of it, bytes: no more
    /// is taken, and no longer waited than a file of this size may take.
    ///
    /// # Errors
    /// [`FeedError`], of which [`FeedError::OtherLength`] says that `size` is not the file's; pieces handed over before it
    /// are good.
    fn fetch(&mut self, name: &str, size: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<Fetched, FeedError>;
}

/// A feed's address: `https://host[:port]/folder/`, or `http://` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedUrl(String);

impl FeedUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// [`FeedError::BadUrl`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FeedError> {
        let bad = |what| Err(FeedError::BadUrl(what));
        let (plain, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return bad("it must begin with https://, or with http:// on this machine"),
        };
        let Some((authority, path)) = rest.split_once('/') else {
            return bad("it must name a folder, with / at the end");
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return bad("it may only have printable ASCII characters");
        }
        if authority.contains('@') || path.contains(['?', '#']) {
            return bad("it must hold no user name, query or fragment");
        }
        if !path.is_empty() && !path.ends_with('/') {
            return bad("it must end with /");
        }
        if authority.is_empty() {
            return bad("it names no host");
        }
        if plain && !is_loopback(authority) {
            return bad("http:// is for this machine only; use https://");
        }
        Ok(Self(text.to_string()))
    }

    /// The address of a file of the folder: everything but letters, digits and `-._~` is percent-encoded.
    pub fn of_file(&self, name: &str) -> String {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0').into();
        let mut url = self.0.clone();
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                url.push(byte.into());
            } else {
                url.push('%');
                url.push(digit(byte >> 4));
                url.push(digit(byte & 15));
            }
        }
        url
    }

    /// The address of the folder.
    pub fn folder(&self) -> &str {
        &self.0
    }
}

/// Whether an authority (`host` or `host:port`) is this machine, whatever a resolver says: only the name `localhost` and
/// literal addresses count.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => return rest.split_once(']').is_some_and(|(address, port)| address == "::1" && is_port(port)),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    let port = authority.get(host.len()..).unwrap_or("?");
    let numbers = || host.split('.').map(str::parse::<u8>);
    let in_127 = host.starts_with("127.") && numbers().count() == 4 && numbers().all(|number| number.is_ok());
    (host == "localhost" || in_127) && is_port(port)
}

/// Nothing, or a colon and a port.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

/// A feed behind the node's HTTP client. Only usable in a worker.
#[derive(Clone, Debug)]
pub struct HttpFeed {
    url: FeedUrl,
}

impl HttpFeed {
    /// The feed at an address.
    ///
    /// # Errors
    /// [`FeedError::BadUrl`].
    pub fn new(url: &str) -> Result<Self, FeedError> {
        FeedUrl::parse(url).map(|url| Self { url })
    }
}

impl Feed for HttpFeed {
    fn list(&mut self) -> Result<Vec<u8>, FeedError> {
        let mut listing = Vec::new();
        let mut take = |piece: &[u8]| {
            listing.extend_from_slice(piece);
            true
        };
        get(self.url.folder(), MAX_LISTING_BYTES, 2 * WAIT_MILLISECONDS, &mut take)?;
        Ok(listing)
    }

    fn fetch(&mut self, name: &str, size: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<Fetched, FeedError> {
        let all = (2 * WAIT_MILLISECONDS).saturating_add(size / BYTES_PER_MILLISECOND).min(FILE_MILLISECONDS);
        match get(&self.url.of_file(name), size, all, take) {
            Ok(Body::Whole(bytes)) if bytes == size => Ok(Fetched::Whole),
            Ok(Body::Whole(_)) | Err(FeedError::TooLarge(_)) => Err(FeedError::OtherLength),
            Ok(Body::Stopped) => Ok(Fetched::Stopped),
            Err(error) => Err(error),
        }
    }
}

/// How a body ended.
enum Body {
    /// At its end, after this many bytes.
    Whole(u64),
    /// Where the taker wanted no more.
    Stopped,
}

/// Fetches `url`, at most `cap` bytes in at most `all` milliseconds.
fn get(url: &str, cap: u64, all: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<Body, FeedError> {
    let end = sp_io::offchain::timestamp().add(Duration::from_millis(all));
    let response = ask(url)?;
    let mut buffer = vec![0; PIECE_BYTES];
    let mut bytes = 0_u64;
    loop {
        let wait = soon();
        if wait >= end {
            return Err(FeedError::TooSlow);
        }
        let read = sp_io::offchain::http_response_read_body(response.id, &mut buffer, Some(wait));
        let count = read.map_err(|error| match error {
            sp_core::offchain::HttpError::DeadlineReached => FeedError::TooSlow,
            _ => FeedError::NotReached,
        })?;
        let piece = usize::try_from(count).ok().and_then(|count| buffer.get(..count)).unwrap_or_default();
        if piece.is_empty() {
            return Ok(Body::Whole(bytes));
        }
        bytes = bytes.saturating_add(u64::from(count));
        if bytes > cap {
            return Err(FeedError::TooLarge(cap));
        }
        if !take(piece) {
            return Ok(Body::Stopped);
        }
    }
}

/// Sends a GET and waits for the beginning of the answer.
fn ask(url: &str) -> Result<Response, FeedError> {
    let pending = Request::get(url).deadline(soon()).send().map_err(|_| FeedError::NotReached)?;
    let answer = pending.try_wait(soon()).map_err(|_| FeedError::TooSlow)?;
    let response = answer.map_err(|_| FeedError::NotReached)?;
    match response.code {
        200 => Ok(response),
        // Redirects too: the operator named one host, and no other gets the request.
        status => Err(FeedError::Status(status)),
    }
}

fn soon() -> Timestamp {
    sp_io::offchain::timestamp().add(Duration::from_millis(WAIT_MILLISECONDS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        for good in [
            "https://feed.example.org/smt/",
            "https://feed.example.org/",
            "https://feed.example.org:8443/a/b/",
            "http://localhost/",
            "http://localhost:8080/feed/",
            "http://127.0.0.1:8080/",
            "http://127.3.2.1/x/",
            "http://[::1]:80/",
        ] {
            assert_eq!(FeedUrl::parse(good).unwrap().folder(), good);
        }
        for bad in [
            "",
            "feed.example.org/",
            "ftp://localhost/",
            "http://feed.example.org/",
            "http://localhost.example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost@example.org/",
            "http://user:word@localhost/",
            "http://127.0.0.1:80@example.org/",
            "http://[::1].example.org/",
            "http://[::2]/",
            "http://128.0.0.1/",
            "http://127.0.0.1:99999/",
            "https://feed.example.org",
            "https:///smt/",
            "https://feed.example.org/smt",
            "https://feed.example.org/?a=/",
            "https://feed.example.org/#/",
            "https://feed.example.org/a b/",
            "https://feed.example.org/\u{e9}/",
        ] {
            assert!(matches!(FeedUrl::parse(bad), Err(FeedError::BadUrl(_))), "{bad}");
        }
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let url = FeedUrl::parse("https://feed.example.org/smt/").unwrap();
        assert_eq!(url.of_file("March 2022.csv"), "https://feed.example.org/smt/March%202022.csv");
        assert_eq!(url.of_file("../a?b#c%2F.csv"), "https://feed.example.org/smt/..%2Fa%3Fb%23c%252F.csv");
    }
}
