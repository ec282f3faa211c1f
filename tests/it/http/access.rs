//! Who gets in: tokens and their scopes, names and origins, and what every answer carries.

use projections::moment::Moment;
use tradefold::http::tokens::{self, Scope};

use super::support::Served;
use crate::cli_support::{mode, note};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[test]
fn a_scope_allows_what_it_says_and_no_more() {
    let served = Served::new();
    let token = |scopes: &[Scope]| tokens::add(&served.dir(), "x", scopes, None).unwrap().0;
    for (scopes, may_read, may_append) in [
        (&[Scope::Read][..], true, false),
        (&[Scope::Append], false, true),
        (&[Scope::Read, Scope::Append], true, true),
        (&[Scope::Admin], true, true),
    ] {
        let token = token(scopes);
        let read = served.get_as(Some(&token), "/api/v1/trades", &[]);
        let append = served.post_with(Some(&token), &JSON, &note(1));
        assert_eq!((read.status == 200, append.status < 300), (may_read, may_append), "{scopes:?}");
        for (answer, may) in [(read, may_read), (append, may_append)] {
            if !may {
                answer.fails(403, "out-of-scope", &["may not"]);
            }
        }
    }
}

#[test]
fn without_a_good_token_there_is_no_answer_and_no_hint() {
    let served = Served::new();
    let (expired, _) = tokens::add(&served.dir(), "old", &Scope::ALL, Some(Moment(0))).unwrap();
    let (revoked, entry) = tokens::add(&served.dir(), "gone", &Scope::ALL, None).unwrap();
    served.get_as(Some(&revoked), "/api/v1/trades", &[]).ok();
    tokens::revoke(&served.dir(), &entry.id).unwrap();
    let good = served.token.clone();
    let mut other_end = good.clone();
    other_end.replace_range(good.len() - 1.., if good.ends_with('0') { "1" } else { "0" });
    let cut = &good[..good.len() - 1];
    let said = [None, Some(""), Some("tf_"), Some(cut), Some(&other_end), Some(&expired), Some(&revoked)]
        .map(|token| served.get_as(token, "/api/v1/trades", &[]).fails(401, "unauthorized", &[]));
    assert!(said.iter().all(|problem| *problem == said[0]));
    served.get_as(None, &format!("/api/v1/trades?token={good}"), &[]).fails(401, "unauthorized", &[]);
    served.post_with(None, &JSON, &note(1)).fails(401, "unauthorized", &[]);
    assert_eq!(served.journal().status().unwrap().head.seq, 0);
}

#[test]
fn many_failed_attempts_are_answered_no_more_but_a_good_token_is() {
    let served = Served::new();
    let mut limited = None;
    for _ in 0..30 {
        let answer = served.get_as(Some("tf_00000000_0"), "/api/v1/trades", &[]);
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("a limit");
    assert!(limited.header("retry-after").is_some());
    limited.fails(429, "too-many-failures", &[]);
    served.get("/api/v1/trades").ok();
}

#[test]
fn tokens_are_kept_as_hashes_in_a_private_file() {
    let served = Served::new();
    let path = served.dir().join(tokens::TOKENS_FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&served.token) && !text.contains(served.token.rsplit('_').next().unwrap()), "{text}");
    assert_eq!(mode(&path), 0o600);
    // 256 bits of it are random.
    assert_eq!(served.token.rsplit('_').next().unwrap().len(), 64);
    assert_eq!(served.token.split('_').count(), 3);
    assert!(tokens::first(&served.dir()).unwrap().is_none(), "there is a first one already");
}

#[test]
fn it_answers_by_its_own_names_alone() {
    let served = Served::with(&[], tradefold::http::Limits::default(), |options| {
        options.allowed_hosts = vec!["journal.example".to_owned()];
    });
    let port = served.at.port();
    let good = [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")];
    for host in good.iter().chain(&["journal.example".to_owned(), format!("LOCALHOST:{port}")]) {
        assert!(served.ask("GET /healthz", &format!("Host: {host}\r\n")).starts_with("HTTP/1.1 200"), "{host}");
    }
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    for headers in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: localhost\r\n".to_owned(),
        format!("Host: localhost.:{port}\r\n"),
        format!("Host: user@localhost:{port}\r\n"),
        format!("Host: localhost:{port}.evil.example\r\n"),
        format!("{own}Host: evil.example\r\n"),
        format!("{own}{own}"),
        "Host:\r\n".to_owned(),
        String::new(),
    ] {
        for route in ["/", "/healthz", "/api/v1/trades", "/nowhere", "/dashboard/style.css"] {
            let answer = served.ask(&format!("GET {route}"), &headers);
            assert!(answer.starts_with("HTTP/1.1 421"), "{headers:?} {route}: {answer}");
            assert!(answer.contains("unknown-host"));
        }
    }
    let by_line = served.ask(&format!("GET http://evil.example:{port}/healthz"), &own);
    assert!(by_line.starts_with("HTTP/1.1 421"), "{by_line}");
}

#[test]
fn no_other_sites_page_can_write_or_ask_whether_it_may() {
    let served = Served::new();
    let own = format!("http://{}", served.at);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", &format!("{own}.evil.example")),
    ] {
        let headers = [JSON[0], (name, value)];
        served.post_with(Some(&served.token), &headers, &note(1)).fails(403, "cross-site", &[]);
    }
    assert_eq!(served.journal().status().unwrap().head.seq, 0);
    let headers = [JSON[0], ("sec-fetch-site", "same-origin"), ("origin", &own)];
    assert_eq!(served.post_with(Some(&served.token), &headers, &note(1)).status, 201);
    // A browser that asks first is told nothing that would let it go on.
    let host = format!("Host: {}\r\n", served.at);
    let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = served.ask("OPTIONS /api/v1/events", &format!("{host}{preflight}"));
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("access-control-allow"), "{answer}");
}

#[test]
fn every_answer_says_what_a_page_may_do() {
    let served = Served::new();
    for path in ["/", "/healthz", "/api/v1/trades", "/api/v1/nothing", "/nowhere", "/dashboard/style.css"] {
        let answer = served.get(path);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(answer.header("set-cookie").is_none());
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")));
    }
}
