//! Random messages of any type, generated from its descriptor.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

/// The types of `tests/added_service` and of the crate.
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut pool = DescriptorPool::new();
    for set in [eset_protect::proto::FILE_DESCRIPTOR_SET, added_service::FILE_DESCRIPTOR_SET] {
        pool.decode_file_descriptor_set(set).expect("descriptors");
    }
    pool
});

/// Returns the type with this name.
pub fn message(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name).unwrap_or_else(|| panic!("no type {name}"))
}

/// Generates random messages. The same seed gives the same messages.
pub struct Random(pub u64);

impl Random {
    /// Returns a number below `end` (SplitMix64).
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn integer(&mut self) -> i64 {
        let edges = [0, 1, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1, i64::from(u32::MAX)];
        let shift = self.below(64);
        match self.below(3) {
            0 => edges[self.below(8) as usize],
            _ => (self.below(u64::MAX) >> shift).cast_signed(),
        }
    }

    /// Returns a text that is not empty, `.` or `..`.
    pub fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a", "b7", "/", "?", "#", "%2F", ":do", "\n", "é", "🦀", " ", "+", "\"", "\\", "&", "=",
        ];
        let mut text = String::from(["x", "", "%"][self.below(3) as usize]);
        for _ in 0..=self.below(4) {
            text.push_str(PARTS[self.below(16) as usize]);
        }
        text
    }

    /// Returns a message; one for a query contains only what a query can represent.
    pub fn message(
        &mut self,
        of: &MessageDescriptor,
        in_query: bool,
        depth: u32,
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            let is_message = matches!(field.kind(), Kind::Message(_)) && !is_text(&field);
            let fits =
                !in_query || !(field.is_map() || is_free(&field) || field.is_list() && is_message);
            if !fits || is_message && depth == 0 || self.below(3) == 0 {
                continue;
            }
            // The last member of a oneof wins, so each of them occurs.
            let value = if field.is_list() {
                let count = self.below(3);
                Value::List((0..count).map(|_| self.value(&field, in_query, depth)).collect())
            } else if field.is_map() {
                self.map(&field, depth)
            } else {
                self.value(&field, in_query, depth)
            };
            let is_empty =
                matches!(&value, Value::Message(m) if is_message && m.encoded_len() == 0);
            if !(in_query && is_empty) {
                message.set_field(&field, value);
            }
        }
        message
    }

    fn map(&mut self, field: &FieldDescriptor, depth: u32) -> Value {
        let Kind::Message(entry) = field.kind() else { unreachable!("a map has entries") };
        let entries = (0..self.below(3)).map(|_| {
            let key = match self.value(&entry.map_entry_key_field(), false, 0) {
                Value::Bool(key) => MapKey::Bool(key),
                Value::I32(key) => MapKey::I32(key),
                Value::String(key) => MapKey::String(key),
                other => unreachable!("no key of ours is {other:?}"),
            };
            (key, self.value(&entry.map_entry_value_field(), false, depth.saturating_sub(1)))
        });
        Value::Map(entries.collect())
    }

    fn value(&mut self, field: &FieldDescriptor, in_query: bool, depth: u32) -> Value {
        match field.kind() {
            // No negative zero, which prost drops, and no NaN, which equals nothing.
            Kind::Double => Value::F64([0.0, 0.1, -1e300, f64::INFINITY][self.below(4) as usize]),
            Kind::Float => Value::F32([0.0, 0.1, -1e30, f32::NEG_INFINITY][self.below(4) as usize]),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.integer() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.integer()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.integer() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.integer().cast_unsigned()),
            Kind::Bool => Value::Bool(self.below(2) == 0),
            Kind::String => {
                Value::String(if self.below(4) == 0 { String::new() } else { self.text() })
            }
            Kind::Bytes => Value::Bytes(self.text().into_bytes().into()),
            Kind::Enum(of) => Value::EnumNumber(match self.below(4) {
                0 => self.integer() as i32 & i32::MAX,
                n => (n as i32) % of.values().len() as i32,
            }),
            Kind::Message(of) if of.package_name() == "google.protobuf" => {
                Value::Message(self.well_known(&of))
            }
            Kind::Message(of) => {
                Value::Message(self.message(&of, in_query, depth.saturating_sub(1)))
            }
        }
    }

    /// Returns a well-known type with a JSON form.
    fn well_known(&mut self, of: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        match of.name() {
            "Any" => {
                let name = "Era.Common.DataDefinition.Task.OS.ShutdownComputer";
                let params = self.message(&self::message(name), false, 2);
                let url = format!("type.googleapis.com/{name}");
                message.set_field_by_name("type_url", Value::String(url));
                message.set_field_by_name("value", Value::Bytes(params.encode_to_vec().into()));
            }
            "FieldMask" => {
                let paths = (0..self.below(3)).map(|n| Value::String(format!("a_b.c{n}")));
                message.set_field_by_name("paths", Value::List(paths.collect()));
            }
            "Timestamp" => {
                let seconds = self.below(200_000_000_000).cast_signed() - 60_000_000_000;
                message.set_field_by_name("seconds", Value::I64(seconds));
                let nanos = [0, 5_000_000, 123_456_789][self.below(3) as usize];
                message.set_field_by_name("nanos", Value::I32(nanos));
            }
            "Value" => match self.below(3) {
                0 => message.set_field_by_name("null_value", Value::EnumNumber(0)),
                1 => message.set_field_by_name("number_value", Value::F64(1.5)),
                _ => message.set_field_by_name("string_value", Value::String(self.text())),
            },
            _ => {
                for field in of.fields() {
                    let value = self.value(&field, false, 0);
                    message.set_field(&field, value);
                }
            }
        }
        message
    }
}

/// Whether the JSON of a message is free, or a map.
fn is_free(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(of) if of.package_name() == "google.protobuf"
        && matches!(of.name(), "Any" | "Value" | "Struct" | "ListValue" | "Empty"))
}

/// Whether the JSON of a well-known type is a scalar.
fn is_text(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(of) if of.package_name() == "google.protobuf")
        && !is_free(field)
}
