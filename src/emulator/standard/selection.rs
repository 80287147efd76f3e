//! The resources that a request names by identifiers, or filters.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Filter, Standard, value_at};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Read, Snapshot};
use crate::proto::google::api::HttpBody;

/// A resource with its sequence number and identifier.
type Selected = (u64, String, DynamicMessage);

impl Standard {
    /// Returns the resources of the request's identifiers, each of which must be there, or those that its
    /// filter selects, without those that it excludes.
    pub(super) fn selected(
        &self,
        tables: &impl Read,
        request: &DynamicMessage,
    ) -> Result<Vec<Selected>, Failure> {
        let collection = self.resource.full_name();
        let (mut named, mut excluded) = (None, BTreeSet::new());
        for field in request.descriptor().fields().filter(|field| field.name().ends_with("_uuids"))
        {
            let ids = request.get_field(&field).into_owned();
            let ids = ids.as_list().unwrap_or_default().iter().filter_map(Value::as_str);
            match field.name().starts_with("excluded_") {
                true => excluded.extend(ids.map(str::to_owned)),
                false => named = Some(ids.map(str::to_owned).collect::<BTreeSet<_>>()),
            }
        }
        if let Some(named) = named {
            let found = |id: String| {
                let (sequence, row) = self.find(tables, collection, &id)?;
                Ok((sequence, id, DynamicMessage::decode(self.resource.clone(), row.as_slice())?))
            };
            return named.into_iter().map(found).collect();
        }
        let mut by = DynamicMessage::new(request.descriptor());
        if let Some(filter) = request.get_field_by_name("filter") {
            by.set_field_by_name("filter", filter.into_owned());
        }
        let filter = Filter::of(tables, &self.resource, &by)?;
        let mut selected = Vec::new();
        for row in self.fitting(tables, collection, &filter, 0)? {
            let (sequence, row) = row?;
            let resource = DynamicMessage::decode(self.resource.clone(), row.as_slice())?;
            let id = self.id.as_ref().map(|id| value_at(&resource, id.name())).unwrap_or_default();
            if !excluded.contains(&id) {
                selected.push((sequence, id, resource));
            }
        }
        Ok(selected)
    }

    /// Returns the selected resources as a ZIP archive (FACTS.md#quarantine-management), with a file for each.
    /// The emulator has no contents, so each file says what it stands for.
    pub(super) fn download(
        &self,
        snapshot: &Snapshot<'_>,
        request: &DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::internal(format!("no archive: {error}"));
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (_, id, resource) in self.selected(snapshot, request)? {
            // Identifiers are unique, names are not.
            let name = value_at(&resource, "display_name").replace(['/', '\\', '\0'], "_");
            archive.start_file(format!("{id}/{name}"), stored).map_err(|error| failed(&error))?;
            let text = format!("The emulator has no contents of `{name}`.\n");
            archive.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        }
        let data = archive.finish().map_err(|error| failed(&error))?.into_inner();
        let content_type = "application/zip".to_owned();
        Ok(HttpBody { content_type, data: data.into(), extensions: Vec::new() }.encode_to_vec())
    }
}
