//! Owns the question whether an event that comes again is the same: field by field, as the log stores it,
//! naming the first that differs. Two texts of the same JSON (other order, other spacing) are the same.

use projections::draft::Draft;
use serde_json::Value;

/// What the log holds under an id that a draft has too.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) seq: i64,
    pub(super) kind: String,
    pub(super) schema_version: i64,
    pub(super) occurred_at: i64,
    pub(super) data: String,
    pub(super) meta: Option<String>,
}

impl Recorded {
    /// The first field in which the draft is another event; `None` for the same.
    pub(super) fn differs_from(&self, draft: &Draft) -> Option<String> {
        if self.kind != draft.kind {
            return Some("type".to_owned());
        }
        if self.schema_version != i64::from(draft.schema_version) {
            return Some("schema_version".to_owned());
        }
        if self.occurred_at != draft.occurred_at.0 {
            return Some("occurred_at".to_owned());
        }
        if let Some(path) = json_differs(&self.data, &draft.data) {
            return Some(format!("data{path}"));
        }
        match (&self.meta, &draft.meta) {
            (None, None) => None,
            (Some(recorded), Some(new)) if json_differs(recorded, new).is_none() => None,
            _ => Some("meta".to_owned()),
        }
    }
}

/// Where two JSON texts differ first, as a path such as `.conditions.atr`; empty where they differ as a whole.
fn json_differs(recorded: &str, new: &str) -> Option<String> {
    if recorded == new {
        return None;
    }
    match (serde_json::from_str(recorded), serde_json::from_str(new)) {
        (Ok(recorded), Ok(new)) => value_differs(&recorded, &new),
        _ => Some(String::new()),
    }
}

fn value_differs(recorded: &Value, new: &Value) -> Option<String> {
    let (Value::Object(old_fields), Value::Object(new_fields)) = (recorded, new) else {
        return (recorded != new).then(String::new);
    };
    for (name, value) in new_fields {
        match old_fields.get(name) {
            None => return Some(format!(".{name}")),
            Some(old) => {
                if let Some(path) = value_differs(old, value) {
                    return Some(format!(".{name}{path}"));
                }
            }
        }
    }
    old_fields.keys().find(|name| !new_fields.contains_key(*name)).map(|name| format!(".{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        for (recorded, new, expected) in [
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#, None),
            (r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#, None),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#, Some(".b")),
            (r#"{"a":1}"#, r#"{"a":1,"b":3}"#, Some(".b")),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, Some(".b")),
            (r#"{"c":{"atr":"1"}}"#, r#"{"c":{"atr":"2"}}"#, Some(".c.atr")),
            (r#"{"c":[1,2]}"#, r#"{"c":[2,1]}"#, Some(".c")),
            (r#"{"c":null}"#, r"{}", Some(".c")),
            (r#"{"c":1.0}"#, r#"{"c":1.00}"#, Some(".c")),
            (r#"{"c":9007199254740993}"#, r#"{"c":9007199254740992}"#, Some(".c")),
            ("not json", "{}", Some("")),
        ] {
            assert_eq!(json_differs(recorded, new).as_deref(), expected, "{recorded} {new}");
        }
    }
}
