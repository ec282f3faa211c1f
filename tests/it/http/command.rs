//! `serve`, `token` and `demo --serve`, as they are started and stopped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::cli_support::{Place, mode, note};

/// The program, serving.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    hello: Value,
}

impl Serving {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command();
        command.arg("--json").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let hello = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{line}{said}")
        });
        Self { child, out, hello }
    }

    fn status(&self, path: &str, token: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("{}{path}", self.hello["url"].as_str().unwrap());
        agent.get(url).header("authorization", format!("Bearer {token}")).call().unwrap().status().as_u16()
    }

    /// Ends it with a signal. Returns its exit code and what it said.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

#[test]
fn the_first_start_makes_a_journal_and_a_token_and_shows_it_once() {
    let place = Place::new();
    let first = Serving::start(&place, &["serve", "--listen", "127.0.0.1:0"]);
    let token = first.hello["token"].as_str().unwrap().to_owned();
    assert!(first.hello["listening"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!((first.status("api/v1/trades", &token), first.status("api/v1/trades", "tf_x_y")), (200, 401));
    assert_eq!(mode(&place.path("journal/tokens.json")), 0o600);
    assert_eq!(first.end("-TERM"), (Some(0), String::new()));
    let second = Serving::start(&place, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.hello["token"], Value::Null);
    assert_eq!(second.status("api/v1/trades", &token), 200);
    // Tokens come and go while it runs.
    let made = place.json(["token", "add", "phone"]);
    let made_token = made["token"].as_str().unwrap();
    assert_eq!(second.status("api/v1/trades", made_token), 200);
    assert_eq!(place.json(["token", "list"])["tokens"][1]["scopes"], serde_json::json!(["read"]));
    place.run(["token", "revoke", made["id"].as_str().unwrap()]).ok();
    assert_eq!(second.status("api/v1/trades", made_token), 401);
    place.run(["token", "revoke", "none"]).fails(2, &["no token none"]);
    let (code, said) = second.end("-INT");
    assert_eq!((code, said.contains("tf_")), (Some(0), false));
}

#[test]
fn for_people_the_address_to_open_has_the_token_behind_its_hash() {
    let place = Place::new();
    let mut command = place.command();
    let mut child = command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap().rsplit(' ').next().unwrap().to_owned();
    lines.next();
    assert!(lines.next().unwrap().unwrap().starts_with(&format!("{url}#token=tf_")));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), ["stopped"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn beyond_loopback_it_listens_only_when_told_so() {
    let place = Place::new();
    let beyond = ["serve", "--listen", "0.0.0.0:0"];
    place.run(beyond).fails(2, &["0.0.0.0:0", "--tls-cert", "--plaintext-beyond-loopback"]);
    place.run(["serve", "--tls-cert", "x"]).fails(2, &["--tls-key"]);
    let key = place.write("key.pem", "nonsense");
    place.run(["serve", "--tls-cert", &key, "--tls-key", &key]).fails(2, &["key.pem"]);
    let open = Serving::start(&place, &["serve", "--listen", "0.0.0.0:0", "--plaintext-beyond-loopback"]);
    assert_eq!(open.end("-TERM").0, Some(0));
}

#[test]
fn while_it_runs_it_is_the_writer_and_others_read() {
    let place = Place::with_week();
    let serving = Serving::start(&place, &["serve", "--listen", "127.0.0.1:0"]);
    let pid = serving.child.id().to_string();
    place.feed(note(1), ["append"]).fails(3, &[&format!("process {pid}")]);
    assert_eq!(place.json(["status"])["events"], 587);
    assert!(place.run(["verify"]).ok().out.contains("587"));
    assert_eq!(serving.end("-TERM").0, Some(0));
    place.feed(note(1), ["append"]).ok();
}

#[test]
fn the_demo_is_served_and_gone_afterwards() {
    let place = Place::new();
    let demo = Serving::start(&place, &["demo", "--serve"]);
    let folder = std::path::PathBuf::from(demo.hello["journal"].as_str().unwrap());
    assert!(folder.join("events.db").exists());
    assert_eq!(demo.status("api/v1/trades/eval-0302-05", demo.hello["token"].as_str().unwrap()), 200);
    assert_eq!(demo.end("-INT").0, Some(0));
    assert!(!folder.exists());
    let kept = Serving::start(&place, &["--journal", "kept", "demo", "--serve"]);
    assert_eq!(kept.status("api/v1/trades", kept.hello["token"].as_str().unwrap()), 200);
    assert_eq!(kept.end("-INT").0, Some(0));
    assert!(place.path("kept/events.db").exists());
}
