//! Lists, counts and batches of resources.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use super::{Filter, Standard, push, push_number, value_at};
use crate::descriptors::Order;
use crate::emulator::failure::Failure;
use crate::emulator::paging::Page;
use crate::emulator::store::{Read, Snapshot};

/// A row with its sequence number.
type Numbered = (u64, Vec<u8>);

impl Standard {
    /// Lists in pages (AIP-158), in the order of creation or as `order_by` asks (AIP-132).
    pub(super) fn list(
        &self,
        snapshot: &Snapshot<'_>,
        mut request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let collection = self.collection(snapshot, &request, &self.path)?;
        let page = Page::of(snapshot.environment().pages, &mut request)?;
        let order = request.take_field_by_name("order_by");
        let order = order.as_ref().and_then(Value::as_str).unwrap_or_default();
        let order = Order::parse(order, &self.resource)
            .map_err(|problem| Failure::invalid("order_by", problem))?;
        let total = self.total(&mut request);
        let filter = self.filter(snapshot, request)?;
        let mut response = Vec::new();
        let (rows, next) = if order.is_empty() {
            let first = page.start().unwrap_or(u64::MAX);
            let fitting = self.fitting(snapshot, &collection, &filter, first)?;
            page.take(fitting.map(|row| row.map(|(sequence, row)| (sequence, row.len(), row))))?
        } else {
            let decoded = |row: Result<Numbered, Failure>| {
                let (_, row) = row?;
                let resource = DynamicMessage::decode(self.resource.clone(), row.as_slice())?;
                Ok::<_, Failure>((row, resource))
            };
            let fitting = self.fitting(snapshot, &collection, &filter, 0)?;
            let mut all: Vec<_> = fitting.map(decoded).collect::<Result<_, _>>()?;
            all.sort_by(|(_, one), (_, other)| order.compare(one, other));
            // A page of a sorted list begins at a position.
            let positions = (0..).zip(all);
            page.take(positions.map(|(at, (row, _))| Ok((at, row.len(), row))))?
        };
        rows.iter().for_each(|row| self.push_item(&mut response, row));
        if !next.is_empty() {
            let Some(token) = self.response.get_field_by_name("next_page_token") else {
                return Err(Failure::exhausted("the list does not fit into one response"));
            };
            push(&mut response, &token, next.as_bytes());
        }
        if let Some(total) = total {
            let count = match filter.is_empty() {
                true => snapshot.len(&collection)?,
                false => self.fitting(snapshot, &collection, &filter, 0)?.count() as u64,
            };
            push_number(&mut response, &total, count);
        }
        Ok(response)
    }

    /// Returns the response's field for the number of all items, if the request wants it.
    fn total(&self, request: &mut DynamicMessage) -> Option<FieldDescriptor> {
        let is_wanted = match request.descriptor().get_field_by_name("include_total_size") {
            Some(field) => request.take_field(&field) == Some(Value::Bool(true)),
            None => true,
        };
        self.response.get_field_by_name("total_size").filter(|_| is_wanted)
    }

    /// Returns what a request filters by.
    fn filter(&self, tables: &impl Read, mut request: DynamicMessage) -> Result<Filter, Failure> {
        self.path.iter().for_each(|variable| request.clear_field_by_name(variable));
        Filter::of(tables, &self.resource, &request)
    }

    /// Returns the rows of a collection that fit, starting at a sequence number.
    pub(super) fn fitting<'a, T: Read>(
        &'a self,
        tables: &'a T,
        collection: &str,
        filter: &'a Filter,
        first: u64,
    ) -> Result<impl Iterator<Item = Result<Numbered, Failure>> + use<'a, T>, Failure> {
        let rows = tables.rows_from(collection, first)?;
        let fitting = |row: Result<Numbered, Failure>| {
            let (sequence, row) = row?;
            if filter.is_empty() {
                return Ok(Some((sequence, row)));
            }
            let resource = DynamicMessage::decode(self.resource.clone(), row.as_slice())?;
            Ok(filter.fits(&resource).then_some((sequence, row)))
        };
        Ok(rows.map(fitting).filter_map(Result::transpose))
    }

    /// Counts what a request filters.
    pub(super) fn count(
        &self,
        snapshot: &Snapshot<'_>,
        request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let collection = self.collection(snapshot, &request, &self.path)?;
        let filter = self.filter(snapshot, request)?;
        let count = self.fitting(snapshot, &collection, &filter, 0)?.count();
        let mut response = Vec::new();
        for field in self.response.fields() {
            push_number(&mut response, &field, count as u64);
        }
        Ok(response)
    }

    /// Lists what was created since a token (FACTS.md#incident-management). Without one, or with `latest`, that
    /// is nothing yet.
    pub(super) fn list_delta(
        &self,
        snapshot: &Snapshot<'_>,
        request: &DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let Some(field) = self.response.get_field_by_name("next_delta_token") else {
            return Err(Failure::internal("no token"));
        };
        let token = value_at(request, "delta_token");
        let last = match token.as_str() {
            "" | "latest" => None,
            token => Some(u64::from_str_radix(token, 16).map_err(|_| {
                let expected = "expected `latest` or a token of the response before";
                Failure::invalid("delta_token", expected)
            })?),
        };
        let filter = self.filter(snapshot, DynamicMessage::new(request.descriptor()))?;
        let first = last.unwrap_or_default().saturating_add(1);
        let (mut response, mut newest) = (Vec::new(), last.unwrap_or_default());
        let max = usize::try_from(snapshot.environment().pages.max_size).unwrap_or(usize::MAX);
        let limit = if last.is_some() { max } else { usize::MAX };
        for row in self.fitting(snapshot, self.resource.full_name(), &filter, first)?.take(limit) {
            let (sequence, row) = row?;
            newest = sequence;
            if last.is_some() {
                self.push_item(&mut response, &row);
            }
        }
        push(&mut response, &field, format!("{newest:x}").as_bytes());
        Ok(response)
    }

    /// Gets all resources, or fails if one is missing (AIP-231), in the order of the request.
    pub(super) fn batch_get(
        &self,
        snapshot: &Snapshot<'_>,
        request: &DynamicMessage,
        ids: &FieldDescriptor,
    ) -> Result<Vec<u8>, Failure> {
        let ids_value = request.get_field(ids);
        let wanted = ids_value.as_list().unwrap_or_default();
        let max = usize::try_from(snapshot.environment().pages.max_size).unwrap_or(usize::MAX);
        if wanted.len() > max {
            let limit = format!("{}: expected at most {max} identifiers", ids.name());
            return Err(Failure::out_of_range(limit));
        }
        let mut response = Vec::new();
        let mut seen = BTreeSet::new();
        for id in wanted.iter().filter_map(Value::as_str).filter(|id| seen.insert(*id)) {
            let (_, row) = self.find(snapshot, self.resource.full_name(), id)?;
            self.push_item(&mut response, &row);
        }
        Ok(response)
    }
}
