//! The rows of a question in groups, and what may be shown of them.

use std::collections::HashMap;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch, UInt32Array,
    new_null_array,
};
use datafusion::arrow::compute::{SortColumn, SortOptions, concat, lexsort_to_indices, take};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Int64Type, Schema as ArrowSchema, SchemaRef,
};
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::error::DataFusionError;

use super::query::{AggregateQuery, Item, Order, REMAINDER};
use super::roster::{Key, Numbers, key};
use crate::LakeError;
use crate::error::{Limit, Refusal};
use crate::schema::PRECISION;

/// One entity may make up this share of a sum, in percent; two together that one. These are the customary bounds of
/// the dominance rule of official statistics: beyond them the greatest, or the second that knows itself, learns the
/// value of the other too well.
const ONE: i128 = 75;
const TWO: i128 = 85;
/// The most groups that are answered.
const MAX_GROUPS: usize = 500;
/// Digits behind the point that a mean has beyond those of its column.
const MEAN_DIGITS: u8 = 6;

/// The rows that a question counts, as they are read.
pub(super) struct Tally {
    converter: Option<RowConverter>,
    found: HashMap<OwnedRow, usize>,
    names: Vec<OwnedRow>,
    rows: Vec<Seen>,
    /// The summed cells of the rows, row by row.
    cells: Vec<i128>,
    scales: Vec<u8>,
    copies: Numbers,
    one_row: bool,
}

/// One row: its group, and the keys of itself and of its entity.
#[derive(Clone, Copy)]
struct Seen {
    group: usize,
    row: Key,
    entity: Key,
}

/// One group that is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Its rows, as places among all.
    rows: Vec<usize>,
    entities: usize,
    sums: Vec<i128>,
    dominated: bool,
    /// Which of the groups that were found; none is the remainder.
    name: Option<usize>,
}

impl Tally {
    /// For rows that have, from left to right: the columns of the groups, the summed columns, the key of the row
    /// and the key of the entity.
    pub(super) fn new(groups: &[DataType], summed: &[DataType], one_row: bool) -> Result<Self, LakeError> {
        let converter = match groups {
            [] => None,
            groups => Some(RowConverter::new(groups.iter().cloned().map(SortField::new).collect())?),
        };
        let scale = |kind: &DataType| match kind {
            DataType::Decimal128(_, scale) => u8::try_from(*scale).unwrap_or(0),
            _ => 0,
        };
        Ok(Self {
            converter,
            found: HashMap::new(),
            names: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            scales: summed.iter().map(scale).collect(),
            copies: Numbers::default(),
            one_row,
        })
    }

    /// Takes more rows.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let summed = self.scales.len();
        let columns = batch.columns();
        let (groups, rest) = columns.split_at(columns.len().saturating_sub(summed + 2));
        let (sums, keys) = rest.split_at(summed.min(rest.len()));
        let [rows, entities] = keys else { return Err(internal("the keys are missing")) };
        let (rows, entities) = (rows.as_fixed_size_binary(), entities.as_fixed_size_binary());
        let names = self.converter.as_ref().map(|converter| converter.convert_columns(groups)).transpose()?;
        if self.rows.len() + batch.num_rows() > super::roster::MAX_ROWS {
            return Err(LakeError::Limit(Limit::Memory));
        }
        for place in 0..batch.num_rows() {
            let group = match &names {
                None => 0,
                Some(names) => {
                    let name = names.row(place).owned();
                    let next = self.names.len();
                    let group = *self.found.entry(name.clone()).or_insert(next);
                    if group == next {
                        self.names.push(name);
                    }
                    group
                }
            };
            let mut row = key(rows.value(place));
            // Rows that are equal to the last cell are in the same sets; each counts.
            let copy = self.copies.entry(row).or_insert(0);
            if self.one_row && *copy > 0 {
                return Err(LakeError::Policy("an entity has more than one row".to_owned()));
            }
            row = row.wrapping_add(Key::from(*copy) << 64 | Key::from(*copy));
            *copy += 1;
            self.rows.push(Seen { group, row, entity: key(entities.value(place)) });
            for column in sums {
                self.cells.push(cell(column, place));
            }
        }
        Ok(())
    }

    /// The keys of the rows of a group and of their entities.
    pub(super) fn keys(&self, group: &Group) -> impl Iterator<Item = (Key, Key)> {
        group.rows.iter().filter_map(|row| self.rows.get(*row)).map(|seen| (seen.row, seen.entity))
    }

    /// Whether one of the groups is a remainder, which hides what its rows are grouped by.
    pub(super) fn has_remainder(&self, groups: &[Group]) -> bool {
        groups.iter().any(|group| group.name.is_none())
    }

    /// The groups that are answered: each covers `k` entities, and where sums are asked none of these makes up most of
    /// one. All others are one remainder, and so are as many of the smallest as it takes until that holds for
    /// the remainder as well. None at all, if there are fewer than `k` entities.
    pub(super) fn groups(&self, k: usize) -> Result<Vec<Group>, LakeError> {
        let mut all = vec![Group::default(); self.names.len().max(1)];
        for (place, seen) in self.rows.iter().enumerate() {
            if let Some(group) = all.get_mut(seen.group) {
                group.rows.push(place);
            }
        }
        let (mut shown, mut small) = (Vec::new(), Vec::new());
        for (number, mut group) in all.into_iter().enumerate() {
            self.reckon(&mut group)?;
            group.name = Some(number);
            let list = if group.entities >= k && !group.dominated { &mut shown } else { &mut small };
            list.push(group);
        }
        let name = |group: &Group| group.name.and_then(|name| self.names.get(name));
        // The greatest first, so that the next for the remainder stands last; by name among equals.
        shown.sort_by(|a, b| b.entities.cmp(&a.entities).then_with(|| name(a).cmp(&name(b))));
        if small.iter().any(|group| !group.rows.is_empty()) {
            let mut rest = Group::default();
            rest.rows.extend(small.into_iter().flat_map(|group| group.rows));
            self.reckon(&mut rest)?;
            while rest.entities < k || rest.dominated {
                match shown.pop() {
                    Some(next) => rest.rows.extend(next.rows),
                    None if rest.entities < k => return Ok(Vec::new()),
                    None => return Err(LakeError::Refused(Refusal::Dominated)),
                }
                self.reckon(&mut rest)?;
            }
            // Without groups to choose from, the rest is all, and no remainder.
            rest.name = self.converter.is_none().then_some(0);
            shown.push(rest);
        }
        if shown.len() > MAX_GROUPS {
            return Err(LakeError::Limit(Limit::Rows));
        }
        shown.sort_by(|a, b| (a.name.is_none(), name(a)).cmp(&(b.name.is_none(), name(b))));
        shown.retain(|group| !group.rows.is_empty());
        Ok(shown)
    }

    fn reckon(&self, group: &mut Group) -> Result<(), LakeError> {
        let width = self.scales.len();
        let mut entities: HashMap<Key, usize> = HashMap::new();
        let mut shares: Vec<i128> = Vec::new();
        group.sums = vec![0; width];
        for place in &group.rows {
            let Some(seen) = self.rows.get(*place) else { continue };
            let next = entities.len();
            let entity = *entities.entry(seen.entity).or_insert(next);
            if entity == next {
                shares.extend(std::iter::repeat_n(0, width));
            }
            let cells = self.cells.iter().skip(place * width).take(width);
            let of = shares.iter_mut().skip(entity * width).take(width);
            for ((cell, sum), share) in cells.zip(&mut group.sums).zip(of) {
                *sum = sum.checked_add(*cell).ok_or_else(overflow)?;
                *share = share.checked_add(*cell).ok_or_else(overflow)?;
            }
        }
        group.entities = entities.len();
        group.dominated = false;
        for column in 0..width {
            let each = shares.iter().skip(column).step_by(width).map(|share| share.unsigned_abs());
            group.dominated |= is_dominated(each).ok_or_else(overflow)?;
        }
        Ok(())
    }

    /// The answer: one row a group.
    pub(super) fn answer(
        &self,
        asked: &AggregateQuery,
        groups: &[Group],
        kinds: &ArrowSchema,
    ) -> Result<RecordBatch, LakeError> {
        let names: Vec<OwnedRow> = groups
            .iter()
            .filter_map(|group| group.name.and_then(|name| self.names.get(name)))
            .cloned()
            .collect();
        let named = match &self.converter {
            Some(converter) => converter.convert_rows(names.iter().map(OwnedRow::row))?,
            None => Vec::new(),
        };
        let summed: Vec<&str> = asked.summed().into_iter().collect();
        let place = |column: &str| summed.iter().position(|summed| *summed == column).unwrap_or(usize::MAX);
        let sum = |group: &Group, place: usize| group.sums.get(place).copied().unwrap_or(0);
        let mut columns: Vec<ArrayRef> = Vec::new();
        for output in &asked.columns {
            let counts = |count: fn(&Group) -> usize| -> ArrayRef {
                let counts = groups.iter().map(|group| i64::try_from(count(group)).unwrap_or(i64::MAX));
                std::sync::Arc::new(counts.collect::<Int64Array>())
            };
            columns.push(match &output.item {
                Item::Group(column) => {
                    let array = asked.groups.iter().position(|group| group == column);
                    let array =
                        array.and_then(|place| named.get(place)).ok_or_else(|| internal("a group"))?;
                    let missing = groups.len().saturating_sub(array.len());
                    concat(&[array, &new_null_array(array.data_type(), missing)])?
                }
                Item::Rows | Item::Filled(_) => counts(|group| group.rows.len()),
                Item::Entities => counts(|group| group.entities),
                Item::Sum(column) => {
                    let scale = self.scales.get(place(column)).copied().unwrap_or(0);
                    decimals(groups.iter().map(|group| Some(sum(group, place(column)))), scale)?
                }
                Item::Average(column) => {
                    let scale = self.scales.get(place(column)).copied().unwrap_or(0);
                    let digits = MEAN_DIGITS.min(PRECISION - 1 - scale);
                    let means = groups
                        .iter()
                        .map(|group| mean(sum(group, place(column)), group.rows.len(), digits))
                        .collect::<Vec<_>>();
                    decimals(means.into_iter(), scale + digits)?
                }
            });
        }
        if !asked.groups.is_empty() {
            let marks: BooleanArray = groups.iter().map(|group| Some(group.name.is_none())).collect();
            columns.push(std::sync::Arc::new(marks));
        }
        Ok(RecordBatch::try_new(schema(asked, kinds)?, columns)?)
    }
}

/// The columns of the answer. `kinds` are the columns that are asked of.
pub(super) fn schema(asked: &AggregateQuery, kinds: &ArrowSchema) -> Result<SchemaRef, LakeError> {
    let kind = |column: &str| kinds.field_with_name(column).map(|field| field.data_type().clone());
    let scale = |kind: DataType| match kind {
        DataType::Decimal128(_, scale) => scale,
        _ => 0,
    };
    let mut fields = Vec::new();
    for output in &asked.columns {
        let kind = match &output.item {
            Item::Group(column) => kind(column)?,
            Item::Rows | Item::Filled(_) | Item::Entities => DataType::Int64,
            Item::Sum(column) => DataType::Decimal128(PRECISION, scale(kind(column)?)),
            Item::Average(column) => {
                let scale = scale(kind(column)?);
                let digits = i8::try_from(MEAN_DIGITS).unwrap_or(0).min(37 - scale);
                DataType::Decimal128(PRECISION, scale + digits)
            }
        };
        fields.push(Field::new(&output.name, kind, true));
    }
    if !asked.groups.is_empty() {
        fields.push(Field::new(REMAINDER, DataType::Boolean, true));
    }
    Ok(std::sync::Arc::new(ArrowSchema::new(fields)))
}

/// The answer in the order that was asked for, and as many rows as were.
pub(super) fn laid_out(
    answer: &RecordBatch,
    order: &[Order],
    limit: Option<usize>,
) -> Result<RecordBatch, LakeError> {
    let mut ordered = answer.clone();
    if !order.is_empty() {
        let by: Vec<SortColumn> = order
            .iter()
            .filter_map(|order| {
                let options = SortOptions { descending: order.descending, nulls_first: false };
                let values = answer.columns().get(order.column)?.clone();
                Some(SortColumn { values, options: Some(options) })
            })
            .collect();
        let places: UInt32Array = lexsort_to_indices(&by, None)?;
        let columns = answer.columns().iter().map(|column| take(column, &places, None));
        ordered = RecordBatch::try_new(answer.schema(), columns.collect::<Result<_, _>>()?)?;
    }
    Ok(match limit {
        Some(limit) if limit < ordered.num_rows() => ordered.slice(0, limit),
        _ => ordered,
    })
}

fn cell(column: &ArrayRef, place: usize) -> i128 {
    if column.is_null(place) {
        return 0;
    }
    match column.data_type() {
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value(place),
        DataType::Int64 => i128::from(column.as_primitive::<Int64Type>().value(place)),
        _ => 0,
    }
}

fn is_dominated(shares: impl Iterator<Item = u128>) -> Option<bool> {
    let (mut first, mut second, mut all) = (0_u128, 0_u128, 0_u128);
    for share in shares {
        all = all.checked_add(share)?;
        if share > first {
            (first, second) = (share, first);
        } else if share > second {
            second = share;
        }
    }
    let beyond = |part: u128, bound: i128| {
        Some(part.checked_mul(100)? > all.checked_mul(u128::try_from(bound).ok()?)?)
    };
    Some(beyond(first, ONE)? || beyond(first.checked_add(second)?, TWO)?)
}

/// The mean, rounded to the nearest; nothing if it does not fit.
fn mean(sum: i128, rows: usize, digits: u8) -> Option<i128> {
    let rows = i128::try_from(rows).ok().filter(|rows| *rows > 0)?;
    let scaled = sum.checked_mul(10_i128.checked_pow(digits.into())?)?;
    let half = rows / 2;
    Some(if scaled >= 0 { scaled.checked_add(half)? / rows } else { scaled.checked_sub(half)? / rows })
}

fn decimals(values: impl Iterator<Item = Option<i128>>, scale: u8) -> Result<ArrayRef, LakeError> {
    let array: Decimal128Array = values.collect();
    let scale = i8::try_from(scale).unwrap_or(0);
    Ok(std::sync::Arc::new(array.with_precision_and_scale(PRECISION, scale)?))
}

fn overflow() -> LakeError {
    LakeError::Run(Box::new(DataFusionError::Execution("a sum is too large".to_owned())))
}

fn internal(what: &str) -> LakeError {
    LakeError::Run(Box::new(DataFusionError::Internal(what.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_that_make_up_most_of_a_sum_are_found() {
        let dominated = |shares: &[u128]| is_dominated(shares.iter().copied()).unwrap();
        assert!(dominated(&[76, 12, 12]));
        assert!(!dominated(&[70, 15, 15]));
        assert!(dominated(&[50, 40, 10]));
        assert!(!dominated(&[0, 0, 0]));
        assert!(dominated(&[5, 0, 0]));
        assert!(!dominated(&[1, 1, 1, 1]));
    }

    #[test]
    fn a_mean_is_rounded_to_the_nearest() {
        assert_eq!(mean(10, 4, 0), Some(3));
        assert_eq!(mean(10, 4, 1), Some(25));
        assert_eq!(mean(-10, 4, 0), Some(-3));
        assert_eq!(mean(2, 3, 6), Some(666_667));
        assert_eq!(mean(1, 0, 0), None);
    }
}
