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
  1  a check found something (verify, reconcile, rebuild --verify)
  2  bad usage or input
  3  the journal is damaged or busy

Errors go to stderr, one message: what, where, and what would be right. With --json they are an object \
{\"error\": ...} there, and answers are JSON on stdout.

Examples:
  tradefold demo                                    a week of trading, shown
  tradefold append events.jsonl                     record a file (makes ./journal)
  orchestrator | tradefold append --acks            record a stream, told when each batch is safe
  tradefold import Fills.csv --account eval-50k     a broker's file
  tradefold reconcile Fills.csv --account eval-50k  does the broker agree?
  tradefold metrics --by strategy                   what pays
  tradefold export all --out csv/                   every table as CSV
  tradefold sql 'SELECT date, pl_net FROM daily_pnl'
  tradefold metrics --as-of 2026-03-03T15:31:00Z    what it said then
  tradefold restate --from 2026-03-02 --to 2026-03-06   what was restated since
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

`tables` is one digest of every row of every table: two journals with the same events up to the same position show the \
same one, whatever pages, restarts and rebuilds made their tables. --json has each table's own.

Examples:
  tradefold status
  tradefold --json status";

pub(crate) const EXPORT: &str = "\
Tables: trades, performance_metrics, performance_breakdown, system_state, risk_state, daily_pnl, fills, round_trips, \
market_data, rule_breaks, notes, accounts, limit_breaches, anomalies; or all. All are read at one moment, so that \
they agree.

RFC 4180 in UTF-8 with a head and CRLF. Numbers in the shortest form that reads back the same; what is absent is \
empty. Rows in a fixed order: equal tables give equal files. A file appears whole or not at all, with TABLE.manifest.json \
beside it: columns, rows, filters, position, chain head, SHA-256. Standard output has no manifest.

--from and --to are trading dates of each row's account (UTC dates where it has none): on daily_pnl its date, elsewhere \
the moment of entry, fill, exit or whatever the table is sorted by in time. With several tables each filter must fit \
every one; with all, it is left out where it can't (the manifest tells).

--as-of gives the tables as they were at a position, or after the last event recorded by a time: what was known then, \
byte for byte.

--preset names columns of trades: seed (all up to notes, what programs around a trades table expect), minimal, broker \
(what a statement has).

--format jsonl writes an object a line; --format parquet typed columns, with times as timestamps. Their manifests are \
TABLE.jsonl.manifest.json and TABLE.parquet.manifest.json.

--excel guards text columns only: ' before =, +, -, @ and their like, and before ' itself. Numbers are never touched.

Whether a file still follows from the log, verify --export FILE tells.

Examples:
  tradefold export trades > trades.csv
  tradefold export trades --preset seed --out seed.csv
  tradefold export all --format parquet --out frames/
  tradefold export trades --out reports/march.csv --from 2026-03-01 --to 2026-03-31
  tradefold export trades --columns trade_id,result_r --where strategy_used=orb --where win_loss=Loss
  tradefold export daily_pnl fills --account eval-50k --out csv/ --excel
  tradefold export daily_pnl --as-of 2026-03-02T22:05:00Z
  tradefold export all";

pub(crate) const VERIFY: &str = "\
Three checks: `chain` reads every event and reckons its hash again, and looks at the schema and the file; `positions` looks \
at the order of events, their streams' versions and ids, and for a lost tail; `tables` folds the log afresh and compares \
every cell, and each table's digest. Changes nothing. Exit code 1 when something is found, with the first bad position; \
--check runs one check alone, so that the exit code is about it.

--export FILE checks an exported file instead: that its manifest is about this log, and that every row is what the log \
gives at the manifest's position, folded afresh. Exit code 1 when a byte, a row or the manifest is not. It also counts \
rows that have changed since by later events, which is no fault.

It proves that the events are unaltered relative to the head it prints. Whether that is the head you once had, only \
a copy kept elsewhere can tell.

Examples:
  tradefold verify
  tradefold verify --check chain --check positions
  tradefold verify --export reports/march.csv
  tradefold --json verify";

pub(crate) const REPORT: &str = "\
One file that holds everything it shows and loads nothing: equity and drawdown, the days, the metrics with how sure they \
are, breakdowns, what was restated, the trades, and the chain's hash that all of it follows from. It is made to be \
printed, too. The same journal and dates give the same page.

Examples:
  tradefold report --account eval-50k --out report.html
  tradefold report --account eval-50k --from 2026-03-01 --to 2026-03-31 --out reports/march.html";

pub(crate) const REBUILD: &str = "\
The log is replayed into a file beside the live tables, while they are kept up to date and read; then the fresh tables \
take their place in one transaction, at the same position or a later one. Whoever reads sees the old generation or the \
new one. Killed or out of disk, it leaves the live tables as they were, and the next rebuild starts over. Tables folded \
together are rebuilt together: all but market_data. Tables that another version of tradefold made are rebuilt by \
whoever opens the journal.

What is replaced is kept as projections.previous.db until the next rebuild; --rollback puts it back, with what was recorded \
since. (Delete the file if you need its room.)

--verify compares before that: rows missing, rows too many, and each column that differs, with the event that last touched \
it. Nothing is replaced then unless --swap says so, and the exit code is 1. With --dry-run nothing is replaced in any case.

--into DIR makes DIR/projections.db, which export, metrics and sql read with --tables DIR; with --until they are as of then.

With --json, progress goes to stderr as lines \
{\"progress\":{\"done\":1000,\"total\":587000,\"per_second\":18000,\"seconds_left\":32.5}}.

Examples:
  tradefold rebuild
  tradefold rebuild --verify
  tradefold rebuild --verify --dry-run trades
  tradefold rebuild --until 2026-03-04T22:00:00Z --into wednesday
  tradefold metrics --tables wednesday";

/// After `audit --help`.
pub(crate) const AUDIT: &str = "\
Folds again what touched the row, from the log, and shows each event that changed it: fills recorded elsewhere, corrections \
and bars among them; of a trade also those of its own that changed nothing. For each: position, when it happened and \
when it was recorded, who sent it, why, its id and those of what caused it, and each column before and after.

Examples:
  tradefold audit trade eval-0302-05
  tradefold audit day eval-50k 2026-03-02
  tradefold audit account eval-50k
  tradefold audit column trades.exit_price --trade eval-0302-05
  tradefold audit column daily_pnl.pl_net --account eval-50k --date 2026-03-02
  tradefold audit trade eval-0302-05 --json | jq '.steps[] | select(.type == \"FillCorrected\")'";

pub(crate) const RESTATE: &str = "\
A trading day closes when the next one begins, in its account's zone. What was recorded after that (a late fill, a correction, \
a bust, an amendment, a void) restates it: for each such day the figures at the close and now, and each event that moved \
them, with its reason. Metrics are those of all trades closed up to and with that day. An empty answer says that nothing was \
restated. Days that closed before anything was recorded of their account, as those of an import, had no figures then; their \
events are not listed, since that would be all of them.

Examples:
  tradefold restate --from 2026-03-02 --to 2026-03-06
  tradefold restate --from 2026-03-01 --to 2026-03-31 --account eval-50k
  tradefold restate --from 2026-03-02 --to 2026-03-06 --all --json";

#[cfg(feature = "http")]
pub(crate) const SERVE: &str = "\
One process: while it runs it is the journal's writer, so that append and import from elsewhere wait and then say who \
writes; send events to POST /api/v1/events instead. Commands that read go on as ever. The journal is made where there is none.

On the first start a token is made that may do everything, and shown once, in the address to open. `tradefold token add` makes \
others. Everything but /, /docs, /healthz and /readyz asks for one: Authorization: Bearer tf_...

It answers by 127.0.0.1, localhost and [::1] with its port, by the address it listens on, and by --allow-host names; anything \
else is refused, so that no page in a browser gets here by a name of its own. SIGINT and SIGTERM end it in order: what is under \
way is answered, streams are told.

Examples:
  tradefold serve
  tradefold serve --listen 127.0.0.1:0 --json
  tradefold serve --listen 0.0.0.0:7878 --tls-cert cert.pem --tls-key key.pem --allow-host journal.example
  curl -H \"Authorization: Bearer $TOKEN\" 'http://127.0.0.1:7878/api/v1/trades?win_loss=Loss&sort=-timestamp_exit'";

#[cfg(feature = "http")]
pub(crate) const TOKEN: &str = "\
A token is shown when it is made and never again: tokens.json, in the journal's folder, has its hash alone. A change counts \
from the next request on, while the service runs.

Examples:
  tradefold token add orchestrator --scope read --scope append
  tradefold token add phone --expires 2027-01-01T00:00:00Z
  tradefold token list
  tradefold token revoke 5f0c2a91";

pub(crate) const METRICS: &str = "\
`at least` is the lower end of the 95 % Wilson interval: what the win rate can be relied on to be. R is the result \
over the initial risk. A dash means too few trades. --json has every metric in full. --as-of gives what they were.

Examples:
  tradefold metrics
  tradefold metrics --window 50 --account eval-50k
  tradefold metrics --by strategy
  tradefold metrics --by mental_state --from 2026-03-02 --to 2026-03-06
  tradefold metrics --as-of 2026-03-03T15:31:00Z";

pub(crate) const SQL: &str = "\
One statement that reads. Writing, ATTACH, PRAGMA settings and VACUUM are refused; a query that runs too long is \
stopped. Tables have the columns that export writes; log.history shows the log: seq, id, stream, stream_version, type, \
schema_version, occurred_at, recorded_at, data, meta, hash.

With --as-of the tables are as they were then, without search; live.trades and its like are the present beside them, and \
the log is the whole log.

Examples:
  tradefold sql 'SELECT rule, count(*) FROM rule_breaks GROUP BY rule'
  tradefold sql \"SELECT text FROM notes WHERE note_id IN
                 (SELECT rowid FROM notes_search WHERE notes_search MATCH 'patience')\"
  tradefold sql --csv 'SELECT type, count(*) AS events FROM log.history GROUP BY type'";

pub(crate) const DEMO: &str = "\
Makes ./demo-journal (or the --journal given) from a shipped week of trading, shows what can be seen in it, and writes \
all tables as CSV into it. Again, it shows the same: the events are there already. A journal that is not the demo's \
is left alone.

--serve shows it in a browser instead: it prints the address to open, and serves until it is interrupted; without --journal \
from a folder that is gone afterwards.

Examples:
  tradefold demo
  tradefold demo --serve
  tradefold --journal /tmp/demo demo";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  tradefold completions bash > ~/.local/share/bash-completion/completions/tradefold
  tradefold completions zsh > ~/.zfunc/_tradefold
  tradefold completions fish > ~/.config/fish/completions/tradefold.fish";

pub(crate) const IMPORT: &str = "\
Fills that the journal has are not recorded again: the same file twice adds nothing, a later file that overlaps adds the \
rest. A fill whose quantity, price or fees the broker has changed since becomes a FillCorrected. A row that can't be read \
is named by file, line and column, and nothing is recorded; rejected and unfilled orders are listed as rows without a \
fill. Symbols of CME Group's futures are known, with tick size and point value; for others --instrument says what they are.

Formats:
  tradovate-fills, tradovate-performance, tradovate-orders, tradovate-position-history, ninjatrader-executions, \
ninjatrader-trades, topstepx, ibkr-activity, rithmic-orders, quantower, binance-futures; generic with --map, whose TOML \
file says which column holds what:

  time_format = \"%d/%m/%Y %H:%M:%S\"      # where it is none of the usual ways
  decimal_mark = \",\"
  buy = [\"Kauf\"]
  sell = [\"Verkauf\"]
  only = { Status = [\"Filled\"] }
  [columns]
  time = \"Zeit\"
  symbol = \"Kontrakt\"
  side = \"Art\"
  quantity = \"Menge\"
  price = \"Kurs\"
  fill_id = \"Nr\"
  fees = [\"Kommission\", \"Gebuehr\"]

Examples:
  tradefold import Fills.csv --account eval-50k --dry-run
  tradefold import Performance.csv --account eval-50k --zone America/Chicago
  tradefold import trades.csv --format generic --map mybroker.toml --account live";

pub(crate) const RECONCILE: &str = "\
Each level is compared by itself: fills, field by field; round trips, paired first in, first out by time and fill id as \
brokers do, their profit in the broker's rounding (half to even to the cent); the realised net of each trading date; and \
the balance, where --balance gives it. A file without fees is compared before fees. What is compared is what lies between \
the file's first fill and its last. Exit code 0 when all ties out, 1 when not.

--fix shows what would settle the differences: fills that are missing here, corrections of those that differ, busts of \
those that the broker does not have. --yes records it.

Examples:
  tradefold reconcile Fills.csv --account eval-50k
  tradefold reconcile Performance.csv --account eval-50k --zone America/Chicago --balance 50123.45
  tradefold reconcile Fills.csv --account eval-50k --fix";
