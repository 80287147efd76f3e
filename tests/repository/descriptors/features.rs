//! A cargo feature for each host of ESET's services.

use super::*;

/// The hosts that the `.proto` files name, whatever is on.
fn hosts() -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/eset")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let found = text.split("(google.api.default_host) = \"eu.").skip(1);
            hosts.extend(found.map(|rest| rest.split('.').next().unwrap().to_owned()));
        }
    }
    hosts
}

#[test]
fn every_host_has_a_feature() {
    let manifest = include_str!("../../../Cargo.toml");
    let all = manifest.split("\nall-services = [").nth(1).unwrap();
    let all = all.split(']').next().unwrap();
    let hosts = hosts();
    assert!(hosts.len() >= 2, "{hosts:?}");
    for host in &hosts {
        assert!(manifest.contains(&format!("\n{host} = [")), "Cargo.toml has no feature {host}");
        assert!(all.contains(&format!("\"{host}\"")), "all-services lacks {host}");
    }
    assert_eq!(all.matches('"').count(), 2 * hosts.len(), "{all}");
}
