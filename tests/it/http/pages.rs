//! The dashboard's files: each that is in the folder is served as what it is, is asked for again for nothing, and brings
//! no other place with it. What they do in a browser is tests/browser's business.

use std::fs::{read_dir, read_to_string};
use std::path::Path;

use super::support::Served;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard"))
}

/// Paths below the folder, but for what is only there to be read on the way.
fn files(below: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in read_dir(folder().join(below)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if folder().join(&path).is_dir() {
            found.extend(files(&path));
        } else if path != "vendor/README.md" {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_served_as_what_it_is_to_whoever_asks() {
    let served = Served::new();
    let kind = |path: &str| match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let paths = files("");
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let answer = served.get_as(None, &format!("/dashboard/{path}"), &[]).ok();
        assert_eq!(answer.header("content-type"), Some(kind(&path)), "{path}");
        assert_eq!(answer.body, read_to_string(folder().join(&path)).unwrap(), "{path}");
    }
    let root = served.get_as(None, "/", &[]).ok();
    assert_eq!(root.body, read_to_string(folder().join("index.html")).unwrap());
    for absent in ["/dashboard/vendor/README.md", "/dashboard/../Cargo.toml", "/dashboard/js", "/dashboard/"] {
        assert_eq!(served.get_as(None, absent, &[]).status, 404, "{absent}");
    }
}

#[test]
fn what_is_known_already_is_not_sent_again() {
    let served = Served::new();
    let first = served.get_as(None, "/dashboard/style.css", &[]).ok();
    let tag = first.header("etag").unwrap();
    let weak = format!("\"other\", W/{tag}");
    for known in [tag, weak.as_str()] {
        let again = served.get_as(None, "/dashboard/style.css", &[("if-none-match", known)]);
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(tag));
        assert!(again.header("content-security-policy").is_some());
    }
    served.get_as(None, "/dashboard/js/main.js", &[("if-none-match", tag)]).ok();
}

#[test]
fn no_file_of_ours_names_another_place_or_brings_script_and_style_inline() {
    for path in files("").into_iter().filter(|path| !path.starts_with("vendor/")) {
        let text = read_to_string(folder().join(&path)).unwrap();
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        for (at, line) in lines {
            // Names of things, and a link that a reader may follow or not.
            let bare = line
                .replace("http://www.w3.org/2000/svg", "")
                .replace("<a href=\"https://www.tradingview.com/\" target=\"_blank\" rel=\"noopener noreferrer\">", "");
            for never in [
                "http://",
                "https://",
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                "style=\"",
                " onclick",
                " onload",
                "<style",
            ] {
                assert!(!bare.contains(never), "dashboard/{path}:{at} has {never}: {line}");
            }
        }
        if let Some(script) = text.split("<script").nth(1) {
            assert!(script.starts_with(" type=\"module\" src="), "{path}");
        }
    }
}

#[test]
fn scripts_say_what_they_own_and_are_short() {
    for path in files("js") {
        let text = read_to_string(folder().join(&path)).unwrap();
        assert!(text.starts_with("// Owns "), "{path} does not say what it owns");
        assert!(text.lines().count() <= 500, "{path} is too long");
    }
}
