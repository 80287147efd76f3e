//! What holds for any bytes as JSON.

use std::fmt::Debug;

use eset_protect::JsonMessage;
use eset_protect::policy_management::v2::Policy;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{Any, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads the bytes as messages with members of every kind, of no known type, and of any value.
pub fn check(bytes: &[u8]) {
    check_as::<Policy>(bytes);
    check_as::<Any>(bytes);
    check_as::<Value>(bytes);
}

/// The reader and serde's agree, and so do the writers. What is read can be written and read again.
fn check_as<M: JsonMessage + Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let by_serde = serde_json::from_slice::<M>(bytes);
    let message = match Reader::new().read::<M>(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert!(by_serde.is_err(), "serde reads what is refused: {error}");
            return assert!(!error.to_string().is_empty());
        }
    };
    assert_eq!(by_serde.expect("serde refuses what is read"), message);
    let json = Writer::new().write(&message).expect("what is read can be written");
    assert_eq!(serde_json::to_vec(&message).expect("serde writes it, too"), json);
    assert_eq!(Reader::new().read::<M>(&json).expect("what is written can be read"), message);
}
