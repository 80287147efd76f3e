//! `eset-protect descriptors` and `eset-protect completions`.

use prost_reflect::{DescriptorPool, Value};

use crate::command::run;
use crate::support::directory::Directory;

#[test]
fn the_file_is_a_descriptor_set_with_http_rules() {
    let directory = Directory::new();
    let path = directory.join("eset.binpb");
    std::fs::write(&path, "an older one").unwrap();
    assert_eq!(run(&["descriptors", "-o", path.to_str().unwrap()], b"").ok(), "");
    let bytes = std::fs::read(&path).unwrap();
    // No temporary file is left behind.
    assert_eq!(std::fs::read_dir(&*directory).unwrap().count(), 1);

    let pool = DescriptorPool::decode(&*bytes).unwrap();
    let service = pool.get_service_by_name("eset.dotnod.automation.v1.DeviceTasks").unwrap();
    let method = service.methods().find(|method| method.name() == "GetTask").unwrap();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    let rule = options.get_extension(&http);
    let get = rule.as_message().unwrap().get_field_by_name("get").unwrap().into_owned();
    assert_eq!(get, Value::String("/v1/device_tasks/{task_uuid}".to_owned()));

    let out = run(&["descriptors", "-o", "-"], b"");
    assert_eq!((out.code, out.out == bytes), (0, true));
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let directory = Directory::new();
    let there = directory.join("there");
    std::fs::create_dir(&there).unwrap();
    let error = run(&["descriptors", "-o", there.to_str().unwrap()], b"").fails(1);
    assert!(error.starts_with("error: --output "), "{error}");
    assert_eq!(std::fs::read_dir(&*directory).unwrap().count(), 1);
    run(&["descriptors", "-o", "/no/such/directory/file"], b"").fails(1);
    assert!(run(&["descriptors"], b"").fails(2).contains("--output"));
}
