//! Owns `/metrics`: what has been counted since the service began, and how far things are now, in the text that Prometheus
//! reads. Names say the unit; nothing here is about trades.

use std::fs;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::app::App;
use super::problem::Problem;
use crate::log::{AppendError, Receipt, TABLES_FILE};
use crate::projector;
use crate::tables::side_path;

/// What is counted.
pub(super) struct Numbers {
    registry: Registry,
    appends: IntCounterVec,
    events: IntCounterVec,
    batch_events: Histogram,
    append_seconds: Histogram,
    head: IntGauge,
    position: IntGaugeVec,
    lag_events: IntGaugeVec,
    lag_seconds: GaugeVec,
    stopped: IntGaugeVec,
    streams: IntGauge,
    rebuild_running: IntGauge,
    rebuild_bytes: Gauge,
    tables_bytes: Gauge,
}

impl Numbers {
    pub(super) fn new() -> prometheus::Result<Self> {
        let seconds = vec![0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
        let events = vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];
        let opts = |name: &str, help: &str| Opts::new(format!("tradefold_{name}"), help);
        let histogram = |name: &str, help: &str, buckets| {
            Histogram::with_opts(HistogramOpts::from(opts(name, help)).buckets(buckets))
        };
        let of_each = |name, help| IntGaugeVec::new(opts(name, help), &["projection"]);
        let numbers = Self {
            registry: Registry::new(),
            appends: IntCounterVec::new(
                opts("appends_total", "Batches handed over, by what became of them."),
                &["outcome"],
            )?,
            events: IntCounterVec::new(opts("events_total", "Events of batches that are on disk."), &["outcome"])?,
            batch_events: histogram("batch_events", "Events of a batch that is on disk.", events)?,
            append_seconds: histogram("append_seconds", "From handing a batch over until it is on disk.", seconds)?,
            head: IntGauge::with_opts(opts("log_head", "The log's last position."))?,
            position: of_each("projection_position", "Up to where the log is in the tables.")?,
            lag_events: of_each("projection_lag_events", "Events recorded that are not in the tables.")?,
            lag_seconds: GaugeVec::new(
                opts("projection_lag_seconds", "Since the first of those was recorded."),
                &["projection"],
            )?,
            stopped: of_each("projection_stopped", "1 where it met an event that this program cannot read.")?,
            streams: IntGauge::with_opts(opts("streams", "Streams and CSV answers under way."))?,
            rebuild_running: IntGauge::with_opts(opts("rebuild_running", "1 while some process rebuilds tables."))?,
            rebuild_bytes: Gauge::with_opts(opts("rebuild_bytes", "How large the tables being made are by now."))?,
            tables_bytes: Gauge::with_opts(opts("tables_bytes", "How large the tables in place are."))?,
        };
        numbers.register()?;
        Ok(numbers)
    }

    fn register(&self) -> prometheus::Result<()> {
        self.registry.register(Box::new(self.appends.clone()))?;
        self.registry.register(Box::new(self.events.clone()))?;
        self.registry.register(Box::new(self.batch_events.clone()))?;
        self.registry.register(Box::new(self.append_seconds.clone()))?;
        self.registry.register(Box::new(self.head.clone()))?;
        self.registry.register(Box::new(self.position.clone()))?;
        self.registry.register(Box::new(self.lag_events.clone()))?;
        self.registry.register(Box::new(self.lag_seconds.clone()))?;
        self.registry.register(Box::new(self.stopped.clone()))?;
        self.registry.register(Box::new(self.streams.clone()))?;
        self.registry.register(Box::new(self.rebuild_running.clone()))?;
        self.registry.register(Box::new(self.rebuild_bytes.clone()))?;
        self.registry.register(Box::new(self.tables_bytes.clone()))
    }

    /// Counts a batch.
    pub(super) fn count(&self, appended: &Result<Receipt, AppendError>, took: Duration) {
        let outcome = match appended {
            Ok(_) => "recorded",
            Err(AppendError::Unknown { .. }) => "unknown",
            Err(AppendError::Conflict { .. } | AppendError::VersionMismatch { .. }) => "conflict",
            Err(_) => "refused",
        };
        self.appends.with_label_values(&[outcome]).inc();
        if let Ok(receipt) = appended {
            self.events.with_label_values(&["appended"]).inc_by(receipt.appended() as u64);
            self.events.with_label_values(&["duplicate"]).inc_by(receipt.duplicates() as u64);
            #[expect(clippy::cast_precision_loss, reason = "a bucket")]
            self.batch_events.observe(receipt.answers.len() as f64);
            self.append_seconds.observe(took.as_secs_f64());
        }
    }
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let numbers = &app.numbers;
    let lags = app.progress.lags(&app.desk).await?;
    numbers.head.set(signed(*app.progress.head.borrow()));
    for lag in &lags {
        let of = &[lag.state.name];
        numbers.position.with_label_values(of).set(signed(lag.state.cursor.position));
        numbers.lag_events.with_label_values(of).set(signed(lag.events));
        numbers.lag_seconds.with_label_values(of).set(lag.seconds);
        numbers.stopped.with_label_values(of).set(i64::from(lag.state.is_stopped()));
    }
    let streams = app.limits.streams.saturating_sub(app.streams.available_permits());
    numbers.streams.set(signed(streams as u64));
    let dir = app.desk.dir();
    numbers.rebuild_running.set(i64::from(projector::is_rebuilding(dir)));
    numbers.rebuild_bytes.set(bytes(&side_path(dir)));
    numbers.tables_bytes.set(bytes(&dir.join(TABLES_FILE)));
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    let families = numbers.registry.gather();
    encoder.encode(&families, &mut text).map_err(|error| Problem::broken(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response())
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn bytes(path: &std::path::Path) -> f64 {
    fs::metadata(path).map_or(0.0, |meta| meta.len() as f64)
}
