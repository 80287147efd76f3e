//! The tables, and changing them.

use prost::Message;
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::emulator::failure::Failure;
use crate::emulator::ids::IdSource;

/// Numbers about the store itself.
pub(crate) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// Rows by the sequence number of their creation.
type Rows = TableDefinition<'static, u64, &'static [u8]>;
/// Sequence numbers by identifier.
type Ids = TableDefinition<'static, &'static str, u64>;

pub(crate) const TASKS: Rows = TableDefinition::new("tasks");
/// Also of deleted tasks, whose runs remain.
pub(crate) const TASK_IDS: Ids = TableDefinition::new("task_ids");
/// Fingerprint and founding task of each task template.
const TEMPLATES: TableDefinition<'static, (u64, u64), ()> = TableDefinition::new("templates");
/// Founding task of the template, and task.
const TEMPLATE_TASKS: TableDefinition<'static, (u64, u64), ()> =
    TableDefinition::new("template_tasks");
/// By task and sequence number of the run.
pub(crate) const RUNS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("runs");
pub(crate) const POLICIES: Rows = TableDefinition::new("policies");
pub(crate) const POLICY_IDS: Ids = TableDefinition::new("policy_ids");
pub(crate) const ASSIGNMENTS: Rows = TableDefinition::new("assignments");
pub(crate) const ASSIGNMENT_IDS: Ids = TableDefinition::new("assignment_ids");
/// The assignment at a target's rank.
const RANKS: TableDefinition<'static, (&str, u32), u64> = TableDefinition::new("ranks");
/// Policy and assignment.
const POLICY_ASSIGNMENTS: TableDefinition<'static, (u64, u64), ()> =
    TableDefinition::new("policy_assignments");

/// In [`META`]: the format of the rows.
pub(crate) const FORMAT: &str = "format";
/// In [`META`]: the last sequence number given out.
const SEQUENCE: &str = "sequence";
/// In [`META`]: how many changes there were.
pub(crate) const CHANGES: &str = "changes";
/// In [`META`]: the size of all rows.
const BYTES: &str = "bytes";
/// What a row takes beside its value: keys, identifiers, index entries. Rather too much.
const ROW_BYTES: u64 = 256;

/// All tables, open in one change.
pub(crate) struct Tables<'t> {
    pub(crate) meta: Table<'t, &'static str, u64>,
    pub(crate) tasks: Table<'t, u64, &'static [u8]>,
    pub(crate) task_ids: Table<'t, &'static str, u64>,
    pub(crate) templates: Table<'t, (u64, u64), ()>,
    pub(crate) template_tasks: Table<'t, (u64, u64), ()>,
    pub(crate) runs: Table<'t, (u64, u64), &'static [u8]>,
    pub(crate) policies: Table<'t, u64, &'static [u8]>,
    pub(crate) policy_ids: Table<'t, &'static str, u64>,
    pub(crate) assignments: Table<'t, u64, &'static [u8]>,
    pub(crate) assignment_ids: Table<'t, &'static str, u64>,
    pub(crate) ranks: Table<'t, (&'static str, u32), u64>,
    pub(crate) policy_assignments: Table<'t, (u64, u64), ()>,
    /// Bytes that this change puts and takes away.
    grown: u64,
    shrunk: u64,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            meta: transaction.open_table(META)?,
            tasks: transaction.open_table(TASKS)?,
            task_ids: transaction.open_table(TASK_IDS)?,
            templates: transaction.open_table(TEMPLATES)?,
            template_tasks: transaction.open_table(TEMPLATE_TASKS)?,
            runs: transaction.open_table(RUNS)?,
            policies: transaction.open_table(POLICIES)?,
            policy_ids: transaction.open_table(POLICY_IDS)?,
            assignments: transaction.open_table(ASSIGNMENTS)?,
            assignment_ids: transaction.open_table(ASSIGNMENT_IDS)?,
            ranks: transaction.open_table(RANKS)?,
            policy_assignments: transaction.open_table(POLICY_ASSIGNMENTS)?,
            grown: 0,
            shrunk: 0,
        })
    }

    /// A number that no change has been given before. They grow, so they order rows by creation.
    pub(crate) fn sequence(&mut self) -> Result<u64, Failure> {
        let last = self.number(SEQUENCE)?;
        let next = last.checked_add(1).ok_or_else(|| Failure::exhausted("no numbers are left"))?;
        self.meta.insert(SEQUENCE, next)?;
        Ok(next)
    }

    /// Counts this change, and says which one it is.
    pub(crate) fn count_change(&mut self) -> Result<u64, Failure> {
        let change = self.number(CHANGES)?.wrapping_add(1);
        self.meta.insert(CHANGES, change)?;
        Ok(change)
    }

    /// Whether nothing was ever stored.
    pub(crate) fn is_untouched(&self) -> Result<bool, Failure> {
        Ok(self.number(SEQUENCE)? == 0)
    }

    /// Notes that a row was put. A row that replaces another counts as both.
    pub(crate) fn put(&mut self, bytes: usize) {
        self.grown = self.grown.saturating_add(bytes as u64).saturating_add(ROW_BYTES);
    }

    /// Notes that a row was taken away.
    pub(crate) fn taken(&mut self, bytes: usize) {
        self.shrunk = self.shrunk.saturating_add(bytes as u64).saturating_add(ROW_BYTES);
    }

    /// Keeps the books. Fails if the change makes the store larger than it may be; one that makes it
    /// smaller is always fine.
    pub(crate) fn account(&mut self, max_bytes: u64) -> Result<(), Failure> {
        let held = self.number(BYTES)?;
        let bytes = held.saturating_add(self.grown).saturating_sub(self.shrunk);
        if bytes > max_bytes && bytes > held {
            return Err(Failure::exhausted(format!("the store is full: {max_bytes} bytes")));
        }
        if bytes != held {
            self.meta.insert(BYTES, bytes)?;
        }
        Ok(())
    }

    fn number(&self, name: &'static str) -> Result<u64, Failure> {
        Ok(self.meta.get(name)?.map_or(0, |number| number.value()))
    }
}

/// A new identifier, which the table does not have.
pub(crate) fn new_id(
    ids: &Table<'_, &'static str, u64>,
    source: &dyn IdSource,
    sequence: u64,
) -> Result<String, Failure> {
    let id = source.id(sequence);
    if crate::emulator::check::id("uuid", &id).is_err() {
        return Err(Failure::internal(
            "the id source made an id that is no uuid or fails on purpose",
        ));
    }
    if ids.get(id.as_str())?.is_some() {
        return Err(Failure::internal("the id source made an id twice"));
    }
    Ok(id)
}

/// The row of a number, if there is one.
pub(crate) fn row<M: Message + Default>(
    table: &impl ReadableTable<u64, &'static [u8]>,
    sequence: u64,
) -> Result<Option<M>, Failure> {
    match table.get(sequence)? {
        Some(row) => Ok(Some(M::decode(row.value())?)),
        None => Ok(None),
    }
}

/// A row of a range, with its number and its size.
pub(crate) fn decode<M: Message + Default>(
    entry: redb::Result<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &'static [u8]>)>,
) -> Result<(u64, usize, M), Failure> {
    let (sequence, row) = entry?;
    Ok((sequence.value(), row.value().len(), M::decode(row.value())?))
}
