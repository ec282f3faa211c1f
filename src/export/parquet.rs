//! Owns rows as Parquet: counts as INT64, numbers as DOUBLE, texts as UTF-8; times as TIMESTAMP in microseconds of UTC
//! and dates as DATE, since that is what data frames make of them. Rows are gathered a group at a time, so that size
//! does not matter.

use std::io::{self, Write};
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{Type, TypePtr};
use projections::calendar::TradingDate;
use projections::cell::{Column, ColumnKind};
use projections::moment::Moment;

use super::{ExportError, Selection};
use crate::tables::{Connection, Value};

/// Rows held before they are written, some 10 MB of the widest table.
const GROUP_ROWS: usize = 16_384;

/// Writes the selected rows, and returns how many there were.
pub(super) fn write(
    conn: &Connection,
    selection: &Selection,
    output: &mut (impl Write + Send),
) -> Result<u64, ExportError> {
    let mut gathered: Vec<Gathered> = selection.columns.iter().map(Gathered::of).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // Equal tables give equal files, by whatever build of this program.
        .set_created_by("tradefold".to_owned())
        .build();
    let schema = schema(selection).map_err(failed)?;
    let mut writer = SerializedFileWriter::new(output, schema, Arc::new(properties)).map_err(failed)?;
    let mut held = 0;
    let rows = selection.each(conn, |row| {
        row.iter().zip(&mut gathered).for_each(|(value, column)| column.add(*value));
        held += 1;
        if held == GROUP_ROWS {
            held = 0;
            write_group(&mut writer, &mut gathered).map_err(failed)?;
        }
        Ok(())
    })?;
    if held > 0 {
        write_group(&mut writer, &mut gathered).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(rows)
}

fn failed(error: ParquetError) -> ExportError {
    ExportError::Output(io::Error::other(error))
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    gathered: &mut [Gathered],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in gathered {
        let Some(to) = group.next_column()? else { break };
        column.write(to)?;
    }
    group.close().map(drop)
}

fn schema(selection: &Selection) -> Result<TypePtr, ParquetError> {
    let fields = selection.columns.iter().map(|column| {
        let (physical, logical) = Kind::of(column).types();
        let field = Type::primitive_type_builder(column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    });
    let fields = fields.collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder(selection.table.name).with_fields(fields).build()?))
}

/// What a column is to whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Count,
    Number,
    Time,
    Date,
}

impl Kind {
    fn of(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Integer => Self::Count,
            ColumnKind::Real => Self::Number,
            ColumnKind::Text if column.name.starts_with("timestamp") || column.name == "updated_at" => Self::Time,
            ColumnKind::Text if column.name == "date" => Self::Date,
            ColumnKind::Text => Self::Text,
        }
    }

    fn types(self) -> (Physical, Option<LogicalType>) {
        let time = LogicalType::timestamp(true, TimeUnit::MICROS);
        match self {
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Count => (Physical::INT64, None),
            Self::Number => (Physical::DOUBLE, None),
            Self::Time => (Physical::INT64, Some(time)),
            Self::Date => (Physical::INT32, Some(LogicalType::Date)),
        }
    }
}

/// A column's values since the last group.
struct Gathered {
    kind: Kind,
    /// 1 where there is a value, 0 where it is absent.
    levels: Vec<i16>,
    texts: Vec<ByteArray>,
    numbers: Vec<f64>,
    counts: Vec<i64>,
    days: Vec<i32>,
}

impl Gathered {
    fn of(column: &Column) -> Self {
        let (texts, numbers, counts, days) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { kind: Kind::of(column), levels: Vec::new(), texts, numbers, counts, days }
    }

    /// A value that isn't of the column's kind is none: STRICT tables have no others.
    fn add(&mut self, value: Value<'_>) {
        let is_there = match (self.kind, value) {
            (Kind::Text, Value::Text(text)) => keep(&mut self.texts, Some(text.into())),
            (Kind::Number, value) => keep(&mut self.numbers, value.as_f64()),
            (Kind::Count, Value::Int(count)) => keep(&mut self.counts, Some(count)),
            (Kind::Time, Value::Text(text)) => keep(&mut self.counts, Moment::parse(text).ok().map(|moment| moment.0)),
            (Kind::Date, Value::Text(text)) => keep(&mut self.days, TradingDate::parse(text).map(|date| date.0)),
            _ => false,
        };
        self.levels.push(i16::from(is_there));
    }

    fn write(&mut self, mut to: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match self.kind {
            Kind::Text => to.typed::<ByteArrayType>().write_batch(&self.texts, levels, None)?,
            Kind::Number => to.typed::<DoubleType>().write_batch(&self.numbers, levels, None)?,
            Kind::Count | Kind::Time => to.typed::<Int64Type>().write_batch(&self.counts, levels, None)?,
            Kind::Date => to.typed::<Int32Type>().write_batch(&self.days, levels, None)?,
        };
        to.close()?;
        self.levels.clear();
        self.texts.clear();
        self.numbers.clear();
        self.counts.clear();
        self.days.clear();
        Ok(())
    }
}

fn keep<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    values.extend(value);
    is_there
}

#[cfg(test)]
mod tests {
    use projections::projection::table;

    use super::*;

    #[test]
    fn times_and_dates_are_known_by_their_names_in_every_table() {
        let kinds = |kind| {
            let columns = projections::TABLES.iter().flat_map(|table| table.all_columns());
            let mut names: Vec<_> =
                columns.filter(|column| Kind::of(column) == kind).map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        assert_eq!(kinds(Kind::Time), ["timestamp", "timestamp_entry", "timestamp_exit", "updated_at"]);
        assert_eq!(kinds(Kind::Date), ["date"]);
        // What a table is cut by in time is one of them.
        let times = projections::TABLES.iter().filter_map(|of| table(of.name)?.position(of.time?));
        assert!(times.count() > 5);
    }
}
