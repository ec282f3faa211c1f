//! The manual's words: what `--help` says beyond each argument's own line. No behaviour.

pub(crate) const ABOUT: &str = "An event-sourced trading journal";

pub(crate) const LONG_ABOUT: &str = "\
An event-sourced trading journal.

Every fill, exit, rule break and state change is appended to a log that is never changed. Everything else - trades, \
days, win rates, drawdowns - is folded from that log into tables, which can be thrown away and come back identical.";

pub(crate) const HINT: &str = "`tradefold help` is the manual; `tradefold demo` shows what it is about.";

pub(crate) const MANUAL: &str = "\
The journal:
  A folder (--journal, else TRADEFOLD_JOURNAL, else ./journal) with events.db, the log, and projections.db, the \
tables. Both are SQLite files. One program records at a time; any number read beside it. The tables are brought up \
to date by whoever reads them, so nothing has to run in the background.

Events:
  One JSON object a line, such as
    {\"type\":\"FillRecorded\",\"id\":\"0197b6ce-...\",\"occurred_at\":\"2026-03-02T14:31:07.250Z\",
     \"data\":{\"fill_id\":\"F-1\",\"symbol\":\"MESH6\",\"side\":\"buy\",\"quantity\":\"2\",\"price\":\"6872.25\"}}
  (on one line). The id is yours: append the same event twice and it is recorded once. A mistake is corrected by \
another event, never by changing one.

Exit codes:
  0  done
  1  a check found something
  2  bad usage or input
  3  the journal is damaged or busy

Errors go to stderr, one message: what, where, and what would be right. With --json they are an object \
{\"error\": ...} there, and answers are JSON on stdout.

Examples:
  tradefold demo                                    a week of trading, shown
  tradefold append events.jsonl                     record a file (makes ./journal)
  orchestrator | tradefold append --acks            record a stream, told when each batch is safe
  tradefold metrics --by strategy                   what pays
  tradefold export all --out csv/                   every table as CSV
  tradefold sql 'SELECT date, pl_net FROM daily_pnl'
  tradefold verify                                  nobody changed anything";

pub(crate) const INIT: &str = "\
The folder is made private (0700, its files 0600). Other commands make none, except append and demo.

Examples:
  tradefold init
  tradefold --journal ~/trading/journal init";

pub(crate) const APPEND: &str = "\
Each batch is recorded as a whole or not at all, and is on disk before it is answered. A malformed line refuses its \
batch and ends the input; the message names FILE:LINE, the field, and what was recorded before. Running the same \
file again is safe: events with an id that is recorded already are counted as duplicates. A byte-order mark, CRLF \
and blank lines are tolerated; a line has at most 1 MiB.

Answer (--json; with --acks one such line for each batch):
  {\"appended\":587,\"duplicates\":0,\"first_seq\":1,\"last_seq\":587,\"head\":\"5c1e...\"}

Examples:
  tradefold append events.jsonl
  cat day1.jsonl day2.jsonl | tradefold append --batch 5000
  orchestrator | tradefold append --acks | confirm
  tradefold --journal old tail | tradefold --journal new append";

pub(crate) const TAIL: &str = "\
Each line is the event as it was appended plus seq, stream, stream_version, recorded_at and hash, which append \
ignores: the output can be appended to another journal.

Examples:
  tradefold tail --after 1000
  tradefold tail --follow --type RuleBroken
  tradefold tail --stream trade/eval-0302-05";

pub(crate) const STATUS: &str = "\
Tables that are behind, missing or made by another version are brought up to date first: delete projections.db and \
status makes it anew.

Examples:
  tradefold status
  tradefold --json status";

pub(crate) const EXPORT: &str = "\
Tables: trades, performance_metrics, performance_breakdown, system_state, risk_state, daily_pnl, fills, round_trips, \
market_data, rule_breaks, notes, accounts, anomalies; or all. All are read at one moment, so that they agree.

RFC 4180 in UTF-8 with a head and CRLF. Numbers in the shortest form that reads back the same; what is absent is \
empty. Rows in a fixed order: equal tables give equal files. A file appears whole or not at all, with TABLE.manifest.json \
beside it: columns, rows, filters, position, chain head, SHA-256. Standard output has no manifest.

--from and --to are trading dates of each row's account (UTC dates where it has none): on daily_pnl its date, elsewhere \
the moment of entry, fill, exit or whatever the table is sorted by in time. With several tables each filter must fit \
every one; with all, it is left out where it can't (the manifest tells).

--excel guards text columns only: ' before =, +, -, @ and their like, and before ' itself. Numbers are never touched.

Examples:
  tradefold export trades > trades.csv
  tradefold export trades --out reports/march.csv --from 2026-03-01 --to 2026-03-31
  tradefold export trades --columns trade_id,result_r --where strategy_used=orb --where win_loss=Loss
  tradefold export daily_pnl fills --account eval-50k --out csv/ --excel
  tradefold export all";

pub(crate) const VERIFY: &str = "\
Reads every event and reckons its hash again; looks at positions, streams, ids and the schema; then folds the log \
afresh and compares every cell of the tables. Changes nothing. Exit code 1 when something is found.

It proves that the events are unaltered relative to the head it prints. Whether that is the head you once had, only \
a copy kept elsewhere can tell.

Examples:
  tradefold verify
  tradefold --json verify";

pub(crate) const REBUILD: &str = "\
The live tables stay as they are until the fresh ones take their place, all at once. Tables folded together are \
rebuilt together: all but market_data. With --into they go to a folder of your choice, which export, metrics and sql \
read with --tables DIR; with --until they are as of then. --verify exits with 1 when something differed.

With --json, progress goes to stderr as lines {\"progress\":{\"done\":1000,\"total\":587000}}.

Examples:
  tradefold rebuild
  tradefold rebuild --verify
  tradefold rebuild --until 2026-03-04T22:00:00Z --into wednesday
  tradefold metrics --tables wednesday";

/// After `audit --help`.
pub(crate) const AUDIT: &str = "\
Folds the trade again from the log, and shows each event that is its own or changed its row: fills
recorded elsewhere, corrections and bars among them.

Examples:
  tradefold audit trade eval-0302-05
  tradefold audit trade eval-0302-05 --json | jq '.steps[] | select(.type == \"FillCorrected\")'";

pub(crate) const METRICS: &str = "\
`at least` is the lower end of the 95 % Wilson interval: what the win rate can be relied on to be. R is the result \
over the initial risk. A dash means too few trades. --json has every metric in full.

Examples:
  tradefold metrics
  tradefold metrics --window 50 --account eval-50k
  tradefold metrics --by strategy
  tradefold metrics --by mental_state";

pub(crate) const SQL: &str = "\
One statement that reads. Writing, ATTACH, PRAGMA settings and VACUUM are refused; a query that runs too long is \
stopped. Tables have the columns that export writes; log.history shows the log: seq, id, stream, stream_version, type, \
schema_version, occurred_at, recorded_at, data, meta, hash.

Examples:
  tradefold sql 'SELECT rule, count(*) FROM rule_breaks GROUP BY rule'
  tradefold sql \"SELECT text FROM notes WHERE note_id IN
                 (SELECT rowid FROM notes_search WHERE notes_search MATCH 'patience')\"
  tradefold sql --csv 'SELECT type, count(*) AS events FROM log.history GROUP BY type'";

pub(crate) const DEMO: &str = "\
Makes ./demo-journal (or the --journal given) from a shipped week of trading, shows what can be seen in it, and writes \
all tables as CSV into it. Again, it shows the same: the events are there already. A journal that is not the demo's \
is left alone.

Examples:
  tradefold demo
  tradefold --journal /tmp/demo demo";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  tradefold completions bash > ~/.local/share/bash-completion/completions/tradefold
  tradefold completions zsh > ~/.zfunc/_tradefold
  tradefold completions fish > ~/.config/fish/completions/tradefold.fish";
