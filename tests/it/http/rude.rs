//! Those who say little, much, or nothing: each is let go in time, and nobody else waits for it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tradefold::http::{Limits, TlsFiles};

use super::support::{Served, until_closed};
use crate::cli_support::{note, note_saying};

/// Short, so that waiting for the end of each is quick.
const SHORT: Duration = Duration::from_millis(300);

fn impatient() -> Served {
    let limits = Limits { head_time: SHORT, request_time: 2 * SHORT, ..Limits::default() };
    Served::with(&[], limits, |_| {})
}

#[test]
fn a_silent_connection_and_a_half_sent_head_are_closed() {
    let served = impatient();
    let host = format!("Host: {}\r\n", served.at);
    let beginnings = [
        String::new(),
        "G".to_owned(),
        "GET /healthz HTTP/1.1\r\n".to_owned(),
        format!("GET /healthz HTTP/1.1\r\n{host}X-More: "),
    ];
    for said in beginnings {
        let mut stream = served.raw();
        stream.write_all(said.as_bytes()).unwrap();
        let answer = until_closed(&mut stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{said:?}: {answer}");
    }
}

#[test]
fn a_head_that_drips_does_not_last_for_as_long_as_it_drips() {
    let served = impatient();
    let mut stream = served.raw();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nX-Drip: {}", served.at, "x".repeat(10_000));
    let closed = head.bytes().any(|byte| {
        thread::sleep(Duration::from_millis(10));
        stream.write_all(&[byte]).is_err()
    });
    assert!(closed, "10,000 bytes were taken one by one");
}

#[test]
fn an_idle_connection_is_closed_after_its_answer() {
    let served = impatient();
    let mut stream = served.raw();
    stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", served.at).as_bytes()).unwrap();
    let answer = until_closed(&mut stream);
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(answer.ends_with("alive\n"));
}

#[test]
fn a_body_that_drips_is_answered_in_time_and_nothing_is_recorded() {
    let served = impatient();
    let mut stream = served.raw();
    let body = note(1);
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        served.at,
        served.token,
        body.len(),
        &body[..10]
    );
    stream.write_all(head.as_bytes()).unwrap();
    let answer = until_closed(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(served.journal().status().unwrap().head.seq, 0);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read_and_others_go_on() {
    let limits = Limits { body_bytes: 10_000, ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let long = note_saying(1, &"x".repeat(20_000));
    served.post("application/json", &long).fails(413, "too-large", &[]);
    let head = format!(
        "Host: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n",
        served.at, served.token
    );
    assert!(served.ask("POST /api/v1/events", &head).starts_with("HTTP/1.1 413"));
    let chunked = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n{}\r\n",
        served.at,
        served.token,
        "x".repeat(20_000)
    );
    assert!(served.say(chunked).starts_with("HTTP/1.1 413"));
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    assert!(served.ask("GET /healthz", &format!("Host: {}\r\n{many}", served.at)).starts_with("HTTP/1.1 431"));
    let wide = format!("Host: {}\r\nX-Wide: {}\r\n", served.at, "y".repeat(1 << 20));
    let answer = served.ask("GET /healthz", &wide);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(served.post("application/json", &note(1)).status, 201);
}

#[test]
fn nonsense_is_answered_or_closed_and_the_service_goes_on() {
    let served = Served::new();
    for said in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /api/v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let mut stream = served.raw();
        stream.write_all(said).unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        let answer = until_closed(&mut stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{said:?}: {answer}");
    }
    served.get_as(None, "/healthz", &[]).ok();
}

#[test]
fn beyond_its_number_connections_wait_their_turn() {
    let limits = Limits { connections: 2, head_time: Duration::from_secs(2), ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let (first, second) = (served.raw(), served.raw());
    // Accepted before the next one comes.
    thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    let mut third = served.raw();
    third
        .write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.at).as_bytes())
        .unwrap();
    third.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(third.read(&mut [0]).is_err(), "it was served beside two others");
    drop(first);
    third.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert!(until_closed(&mut third).starts_with("HTTP/1.1 200"));
    assert!(began.elapsed() >= Duration::from_millis(500));
    drop(second);
}

#[test]
fn who_takes_nothing_of_an_answer_is_let_go_and_lets_the_tables_go() {
    let limits = Limits { stall_time: SHORT, streams: 1, ..Limits::default() };
    let texts: Vec<String> = (0..400).map(|number| note_saying(number, &"x".repeat(60_000))).collect();
    let served = Served::with(&texts.iter().map(String::as_str).collect::<Vec<_>>(), limits, |_| {});
    let mut stream = served.raw();
    let head = format!(
        "GET /api/v1/notes HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/csv\r\n\r\n",
        served.at, served.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning).unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    let csv = || served.get_with("/api/v1/accounts", &[("accept", "text/csv")]).status;
    let deadline = Instant::now() + Duration::from_secs(30);
    // There is room for one; it is taken until the one who stalls is let go.
    while csv() != 200 {
        assert!(Instant::now() < deadline, "the one who stalls keeps its place");
        thread::sleep(Duration::from_millis(50));
    }
    let rest = until_closed(&mut stream);
    assert!(rest.len() < 20 << 20, "all of it was sent to who took nothing");
}

#[test]
fn no_more_streams_than_allowed_are_open_at_a_time() {
    let limits = Limits { streams: 1, ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let mut first = served.raw();
    let head =
        format!("GET /api/v1/stream HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n", served.at, served.token);
    first.write_all(head.as_bytes()).unwrap();
    first.read_exact(&mut [0; 12]).unwrap();
    let busy = served.get("/api/v1/stream");
    assert_eq!(busy.header("retry-after"), Some("1"));
    busy.fails(503, "busy", &["streams"]);
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(30);
    // Its end is noticed, and then there is room again.
    loop {
        let mut next = served.raw();
        next.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        next.read_exact(&mut status).unwrap();
        if &status == b"HTTP/1.1 200" {
            break;
        }
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(20));
    }
}

fn tls_files() -> TlsFiles {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/http/tls");
    TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let served = Served::with(&[], Limits { head_time: SHORT, ..Limits::default() }, |options| {
        options.tls = Some(tls_files());
    });
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls_files().certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(served.at).unwrap());
    let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", served.at.port());
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    // In clear text there is no answer; nor for who begins a handshake and leaves it at that.
    assert!(!served.ask("GET /healthz", &format!("Host: localhost:{}\r\n", served.at.port())).contains("HTTP"));
    let mut half = served.raw();
    half.write_all(b"\x16\x03\x01\x02\x00").unwrap();
    assert!(!until_closed(&mut half).contains("HTTP"));
}

#[test]
fn what_is_under_way_when_it_stops_is_answered() {
    let served = Served::new();
    let mut streams: Vec<TcpStream> = (0..8).map(|_| served.raw()).collect();
    let body = |number: u32| note(number);
    for (number, stream) in (0..).zip(&mut streams) {
        let body = body(number);
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            served.at,
            served.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..20]).unwrap();
    }
    // Each is being read by now.
    thread::sleep(Duration::from_millis(300));
    let at = served.at;
    let stopping = thread::spawn(move || served.stop());
    thread::sleep(Duration::from_millis(100));
    assert!(TcpStream::connect(at).is_err(), "it still takes connections");
    for (number, stream) in (0..).zip(&mut streams) {
        stream.write_all(&body(number).as_bytes()[20..]).unwrap();
        let answer = until_closed(stream);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    let folder = stopping.join().unwrap();
    let again = Served::over(folder);
    assert_eq!(again.json("/api/v1/status")["events"], json!(8));
    assert_eq!(again.json("/api/v1/notes?limit=100")["rows"].as_array().unwrap().len(), 8);
}
