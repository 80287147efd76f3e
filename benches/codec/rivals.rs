//! prost-reflect: messages by descriptor at run time.

use eset_protect::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

/// Messages of one type.
pub struct Reflected(MessageDescriptor);

impl Reflected {
    pub fn new(full_name: &str) -> Self {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the crate's descriptors");
        Self(pool.get_message_by_name(full_name).expect("a message of the crate"))
    }

    pub fn read_binary(&self, binary: &[u8]) -> DynamicMessage {
        DynamicMessage::decode(self.0.clone(), binary).expect("binary")
    }

    pub fn read_json(&self, json: &[u8]) -> DynamicMessage {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let message = DynamicMessage::deserialize(self.0.clone(), &mut deserializer);
        let message = message.expect("JSON");
        deserializer.end().expect("no data after the JSON");
        message
    }
}
