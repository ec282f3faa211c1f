//! Owns the question whether an id is recorded already, and if so, whether the event that comes again is the
//! same: field by field, as the log stores it, naming the first that differs. Two texts of the same JSON
//! (other order, other spacing) are the same.

use projections::draft::Draft;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params_from_iter};
use serde_json::Value;
use uuid::Uuid;

use super::rows::ROWS;

const FIND_ONE: &str = "SELECT seq, id, type, schema_version, occurred_at, data, meta FROM events WHERE id = ?1";

/// As [`FIND_ONE`], for [`ROWS`] ids; an absent one is NULL, which finds nothing.
const FIND_MANY: &str = "SELECT seq, id, type, schema_version, occurred_at, data, meta FROM events \
     WHERE id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What the log holds under an id that a draft has too.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    kind: String,
    schema_version: i64,
    occurred_at: i64,
    data: String,
    meta: Option<String>,
}

/// The greatest id recorded so far. Ids of version 7 grow: most are greater than all recorded ones, which is enough
/// to know them for new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest(Uuid);

impl Newest {
    /// Before anything is read, no id can be known for new.
    pub(super) const UNKNOWN: Self = Self(Uuid::max());

    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare_cached("SELECT max(id) FROM events")?;
        statement.query_row([], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Null => Self(Uuid::nil()),
                // A damaged one is no measure.
                value => value.as_blob().ok().and_then(|id| Uuid::from_slice(id).ok()).map_or(Self::UNKNOWN, Self),
            })
        })
    }

    /// Whether nothing that is recorded can have this id.
    pub(super) fn is_before(self, id: Uuid) -> bool {
        self.0 < id
    }

    /// Takes note of an event on its way into the log.
    pub(super) fn add(&mut self, id: Uuid) {
        self.0 = self.0.max(id);
    }
}

/// Which of the own ids of a chunk's drafts (at most [`ROWS`]) are recorded: one question, unless there is only one
/// to ask about, or none.
pub(super) fn find(conn: &Connection, newest: Newest, chunk: &[Draft]) -> rusqlite::Result<Vec<Recorded>> {
    let may_be = |draft: &Draft| draft.id.filter(|id| !newest.is_before(*id));
    let mut found = Vec::new();
    let mut ids = chunk.iter().filter_map(may_be);
    let Some(first) = ids.next() else { return Ok(found) };
    if ids.next().is_none() {
        found.extend(find_one(conn, first)?);
        return Ok(found);
    }
    let ids = (0..ROWS).map(|place| chunk.get(place).and_then(may_be).map(Uuid::into_bytes));
    let mut statement = conn.prepare_cached(FIND_MANY)?;
    let mut rows = statement.query(params_from_iter(ids))?;
    while let Some(row) = rows.next()? {
        found.push(Recorded::read(row)?);
    }
    Ok(found)
}

/// The event with this id.
pub(super) fn find_one(conn: &Connection, id: Uuid) -> rusqlite::Result<Option<Recorded>> {
    let mut statement = conn.prepare_cached(FIND_ONE)?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(Recorded::read).transpose()
}

impl Recorded {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: Uuid::from_bytes(row.get(1)?),
            kind: row.get(2)?,
            schema_version: row.get(3)?,
            occurred_at: row.get(4)?,
            data: row.get(5)?,
            meta: row.get(6)?,
        })
    }

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
