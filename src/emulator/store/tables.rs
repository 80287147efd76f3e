//! The tables: one for the rows of all resources, and those that find rows.

use std::ops::RangeInclusive;

use prost::{Message, Name};
use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction,
};

use crate::emulator::check;
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;

/// A collection and the sequence number of a row's creation.
type RowKey = (&'static str, u64);
/// A collection and an identifier in it.
type IdKey = (&'static str, &'static str);
/// The name of an index, the key, and a number that orders the results.
type IndexKey = (&'static str, &'static str, u64);

/// Numbers about the store itself.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// The rows are messages; a collection is named after their type.
pub(super) const ROWS: TableDefinition<'static, RowKey, &[u8]> = TableDefinition::new("rows");
/// Sequence numbers. A row may be gone although its identifier is still known.
pub(super) const IDS: TableDefinition<'static, IdKey, u64> = TableDefinition::new("ids");
/// Sequence numbers.
pub(super) const INDEX: TableDefinition<'static, IndexKey, u64> = TableDefinition::new("index");

/// In [`META`]: the format of the rows.
pub(super) const FORMAT: &str = "format";
/// In [`META`]: the last issued sequence number.
const SEQUENCE: &str = "sequence";
/// In [`META`]: the number of changes.
const CHANGES: &str = "changes";
/// In [`META`]: the size of all rows.
const BYTES: &str = "bytes";
/// Separates types and identifiers in the names of collections. No identifier contains it.
const INSIDE: char = '\0';
const AFTER_INSIDE: char = '\u{1}';
/// The size of a row besides its value, estimated generously: keys, identifiers, index entries.
const ROW_BYTES: u64 = 256;

/// Reads rows, in a snapshot or during a change, for a call.
pub(crate) trait Read {
    /// What else the call depends on.
    fn environment(&self) -> &Environment;
    fn meta(&self) -> &impl ReadableTable<&'static str, u64>;
    fn rows(&self) -> &impl ReadableTable<RowKey, &'static [u8]>;
    fn ids(&self) -> &impl ReadableTable<IdKey, u64>;
    fn index(&self) -> &impl ReadableTable<IndexKey, u64>;

    /// Returns the sequence number of an identifier, even if its row is gone.
    fn sequence_of(&self, collection: &str, id: &str) -> Result<Option<u64>, Failure> {
        Ok(self.ids().get((collection, id))?.map(|sequence| sequence.value()))
    }

    /// Returns a row and its sequence number.
    fn find(&self, collection: &str, id: &str) -> Result<Option<(u64, Vec<u8>)>, Failure> {
        let Some(sequence) = self.sequence_of(collection, id)? else { return Ok(None) };
        let row = self.rows().get((collection, sequence))?;
        Ok(row.map(|row| (sequence, row.value().to_vec())))
    }

    /// Returns a resource of a type with a single collection, and its sequence number.
    ///
    /// # Errors
    ///
    /// Returns `NOT_FOUND`.
    fn get<M: Message + Name + Default>(&self, id: &str) -> Result<(u64, M), Failure> {
        let collection = M::full_name();
        match self.find(&collection, id)? {
            Some((sequence, row)) => Ok((sequence, M::decode(row.as_slice())?)),
            None => Err(Failure::not_found(&collection, id)),
        }
    }

    /// Returns the resource with a sequence number, if it exists.
    fn at<M: Message + Name + Default>(&self, sequence: u64) -> Result<Option<M>, Failure> {
        match self.rows().get((M::full_name().as_str(), sequence))? {
            Some(row) => Ok(Some(M::decode(row.value())?)),
            None => Ok(None),
        }
    }

    /// Returns the rows of a collection with their sequence numbers, starting at one.
    fn rows_from<'a>(
        &'a self,
        collection: &str,
        first: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Vec<u8>), Failure>> + use<'a, Self>, Failure>
    {
        let rows = self.rows().range((collection, first)..=(collection, u64::MAX))?;
        Ok(rows.map(|entry| {
            let (key, row) = entry?;
            Ok((key.value().1, row.value().to_vec()))
        }))
    }

    /// Returns a number about the store, such as the number of rows in a collection; 0 if there is none.
    fn number(&self, name: &str) -> Result<u64, Failure> {
        Ok(self.meta().get(name)?.map_or(0, |number| number.value()))
    }

    /// Returns the number of rows of a collection.
    fn len(&self, collection: &str) -> Result<u64, Failure> {
        self.number(&rows_of(collection))
    }

    /// Returns the sequence numbers that an index has for a key and these ordering numbers, in their order.
    fn indexed<'a>(
        &'a self,
        index: &str,
        key: &str,
        numbers: RangeInclusive<u64>,
    ) -> Result<impl DoubleEndedIterator<Item = Result<u64, Failure>> + use<'a, Self>, Failure>
    {
        let range = (index, key, *numbers.start())..=(index, key, *numbers.end());
        Ok(self.index().range(range)?.map(|entry| Ok(entry?.1.value())))
    }

    /// Returns the resources of a type whose sequence numbers an index has for a key, each with its number.
    fn linked<M: Message + Name + Default>(
        &self,
        index: &str,
        key: &str,
        numbers: RangeInclusive<u64>,
    ) -> Result<Vec<(u64, M)>, Failure> {
        let mut linked = Vec::new();
        for sequence in self.indexed(index, key, numbers)? {
            let sequence = sequence?;
            linked.extend(self.at(sequence)?.map(|resource| (sequence, resource)));
        }
        Ok(linked)
    }
}

/// All tables at one moment.
pub(super) struct Tables {
    meta: ReadOnlyTable<&'static str, u64>,
    rows: ReadOnlyTable<RowKey, &'static [u8]>,
    ids: ReadOnlyTable<IdKey, u64>,
    index: ReadOnlyTable<IndexKey, u64>,
}

impl Tables {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            rows: transaction.open_table(ROWS)?,
            ids: transaction.open_table(IDS)?,
            index: transaction.open_table(INDEX)?,
        })
    }

    /// Returns the number of changes so far.
    pub(super) fn changes(&self) -> Result<u64, Failure> {
        Ok(self.meta.get(CHANGES)?.map_or(0, |number| number.value()))
    }
}

/// All tables at one moment, for a call that only reads.
pub(crate) struct Snapshot<'a> {
    pub(super) tables: &'a Tables,
    pub(super) environment: &'a Environment,
}

/// All tables, open in a change.
pub(crate) struct Change<'t> {
    environment: &'t Environment,
    meta: Table<'t, &'static str, u64>,
    rows: Table<'t, RowKey, &'static [u8]>,
    ids: Table<'t, IdKey, u64>,
    index: Table<'t, IndexKey, u64>,
    /// The bytes that this change adds and removes.
    grown: u64,
    shrunk: u64,
}

macro_rules! read {
    ($type:ty $(, $tables:ident)?) => {
        impl Read for $type {
            fn environment(&self) -> &Environment {
                self.environment
            }

            fn meta(&self) -> &impl ReadableTable<&'static str, u64> {
                &self$(.$tables)?.meta
            }

            fn rows(&self) -> &impl ReadableTable<RowKey, &'static [u8]> {
                &self$(.$tables)?.rows
            }

            fn ids(&self) -> &impl ReadableTable<IdKey, u64> {
                &self$(.$tables)?.ids
            }

            fn index(&self) -> &impl ReadableTable<IndexKey, u64> {
                &self$(.$tables)?.index
            }
        }
    };
}

read!(Snapshot<'_>, tables);
read!(Change<'_>);

impl<'t> Change<'t> {
    pub(super) fn open(
        transaction: &'t WriteTransaction,
        environment: &'t Environment,
    ) -> Result<Self, redb::TableError> {
        Ok(Self {
            environment,
            meta: transaction.open_table(META)?,
            rows: transaction.open_table(ROWS)?,
            ids: transaction.open_table(IDS)?,
            index: transaction.open_table(INDEX)?,
            grown: 0,
            shrunk: 0,
        })
    }

    /// Returns a number that was never issued before. The numbers increase, so they order rows by creation.
    pub(crate) fn sequence(&mut self) -> Result<u64, Failure> {
        let last = self.number(SEQUENCE)?;
        let next = last.checked_add(1).ok_or_else(|| Failure::exhausted("no numbers are left"))?;
        self.meta.insert(SEQUENCE, next)?;
        Ok(next)
    }

    /// Returns a sequence number, and an identifier that is new to the collection.
    pub(crate) fn new_id(&mut self, collection: &str) -> Result<(u64, String), Failure> {
        let sequence = self.sequence()?;
        let id = self.environment.ids.id(sequence);
        if !check::is_id(&id) {
            return Err(Failure::internal(
                "the id source made an id that is no uuid or fails on purpose",
            ));
        }
        if self.sequence_of(collection, &id)?.is_some() {
            return Err(Failure::internal("the id source made an id twice"));
        }
        Ok((sequence, id))
    }

    /// Writes a new or changed row.
    ///
    /// # Errors
    ///
    /// Returns `RESOURCE_EXHAUSTED` if the row is too large to be returned.
    pub(crate) fn put(
        &mut self,
        collection: &str,
        sequence: u64,
        row: &[u8],
    ) -> Result<(), Failure> {
        check::item_size(row.len())?;
        self.grow(row.len());
        let old = self.rows.insert((collection, sequence), row)?.map(|old| old.value().len());
        if old.is_none() {
            self.count_up(&rows_of(collection))?;
        }
        self.shrink(old);
        Ok(())
    }

    /// Writes a new row with its identifier.
    pub(crate) fn add(
        &mut self,
        collection: &str,
        id: &str,
        sequence: u64,
        row: &[u8],
    ) -> Result<(), Failure> {
        self.ids.insert((collection, id), sequence)?;
        self.put(collection, sequence, row)
    }

    /// Writes a new resource of a type with a single collection. Returns its sequence number.
    pub(crate) fn insert<M: Message + Name>(
        &mut self,
        id: &str,
        resource: &M,
    ) -> Result<u64, Failure> {
        let sequence = self.sequence()?;
        self.add(&M::full_name(), id, sequence, &resource.encode_to_vec())?;
        Ok(sequence)
    }

    /// Writes a resource of a type with a single collection.
    pub(crate) fn write<M: Message + Name>(
        &mut self,
        sequence: u64,
        resource: &M,
    ) -> Result<(), Failure> {
        self.put(&M::full_name(), sequence, &resource.encode_to_vec())
    }

    /// Removes a row, its identifier and everything inside it.
    pub(crate) fn remove(
        &mut self,
        collection: &str,
        id: &str,
        sequence: u64,
    ) -> Result<(), Failure> {
        self.ids.remove((collection, id))?;
        let first = format!("{collection}{INSIDE}{id}{INSIDE}");
        let end = format!("{collection}{INSIDE}{id}{AFTER_INSIDE}");
        self.ids.retain_in((&*first, "")..(&*end, ""), |_, _| false)?;
        let mut inside = Vec::new();
        self.rows.retain_in((&*first, 0)..(&*end, 0), |(collection, _), row| {
            inside.push((rows_of(collection), row.len()));
            false
        })?;
        for (rows, bytes) in inside {
            self.count_down(&rows)?;
            self.shrink(Some(bytes));
        }
        self.remove_row(collection, sequence)
    }

    /// Removes a row without an identifier.
    pub(crate) fn remove_row(&mut self, collection: &str, sequence: u64) -> Result<(), Failure> {
        let old = self.rows.remove((collection, sequence))?.map(|old| old.value().len());
        if old.is_some() {
            self.count_down(&rows_of(collection))?;
        }
        self.shrink(old);
        Ok(())
    }

    /// Removes a row but keeps its identifier known, and subtracts its bytes.
    pub(crate) fn remove_but_id(&mut self, collection: &str, sequence: u64) -> Result<(), Failure> {
        self.remove_row(collection, sequence)?;
        self.grow(0);
        Ok(())
    }

    /// Sets the entry of an index for a key and number.
    pub(crate) fn link(
        &mut self,
        index: &str,
        key: &str,
        number: u64,
        sequence: u64,
    ) -> Result<(), Failure> {
        self.index.insert((index, key, number), sequence)?;
        Ok(())
    }

    /// Removes the entry of an index for a key and number.
    pub(crate) fn unlink(&mut self, index: &str, key: &str, number: u64) -> Result<(), Failure> {
        self.index.remove((index, key, number))?;
        Ok(())
    }

    /// Adds one to a number about the store.
    pub(crate) fn count_up(&mut self, name: &str) -> Result<(), Failure> {
        let number = self.number(name)?.saturating_add(1);
        self.meta.insert(name, number)?;
        Ok(())
    }

    /// Subtracts one from a number about the store, which is forgotten when it is 0.
    pub(crate) fn count_down(&mut self, name: &str) -> Result<(), Failure> {
        match self.number(name)?.saturating_sub(1) {
            0 => self.meta.remove(name)?.map(|_| ()),
            number => self.meta.insert(name, number)?.map(|_| ()),
        };
        Ok(())
    }

    /// Counts this change and returns its number.
    pub(super) fn count(&mut self) -> Result<u64, Failure> {
        let change = self.number(CHANGES)?.wrapping_add(1);
        self.meta.insert(CHANGES, change)?;
        Ok(change)
    }

    /// Whether nothing was ever stored.
    pub(crate) fn is_first(&self) -> Result<bool, Failure> {
        Ok(self.number(SEQUENCE)? == 0)
    }

    /// Adds up the bytes of the rows. Fails if the change makes the store exceed its maximum; changes that
    /// make it smaller always succeed.
    pub(super) fn account(&mut self, max_bytes: u64) -> Result<(), Failure> {
        let before = self.number(BYTES)?;
        let bytes = before.saturating_add(self.grown).saturating_sub(self.shrunk);
        if bytes > max_bytes && bytes > before {
            return Err(Failure::exhausted(format!("the store is full: {max_bytes} bytes")));
        }
        if bytes != before {
            self.meta.insert(BYTES, bytes)?;
        }
        Ok(())
    }

    fn grow(&mut self, bytes: usize) {
        self.grown = self.grown.saturating_add(bytes as u64).saturating_add(ROW_BYTES);
    }

    fn shrink(&mut self, old: Option<usize>) {
        if let Some(bytes) = old {
            self.shrunk = self.shrunk.saturating_add(bytes as u64).saturating_add(ROW_BYTES);
        }
    }
}

/// Returns the name of the collection of some resources that are inside others, of these types and with these
/// identifiers from the outermost on.
pub(crate) fn within(parents: &[String], ids: &[String], kind: &str) -> String {
    let parents = parents.iter().zip(ids);
    let above = parents.map(|(parent, id)| format!("{parent}{INSIDE}{id}{INSIDE}"));
    above.chain([kind.to_owned()]).collect()
}

/// In [`META`]: the number of rows of a collection.
fn rows_of(collection: &str) -> String {
    format!("rows {collection}")
}
