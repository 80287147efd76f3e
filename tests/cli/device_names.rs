//! Devices by name, wherever ESET takes a UUID.

use crate::command::{Server, run};

/// Help says so wherever a device's name does for its UUID.
#[test]
fn help_offers_names_of_devices() {
    for (args, expected) in [
        ("devices rename", "name or UUID"),
        ("devices move", "name or UUID"),
        ("devices get", "name or UUID"),
        ("devices batch-get", "The devices, by name or UUID; "),
        ("patches list", "name or UUID"),
        ("assignments assign", "name or UUID"),
        ("tasks update-targets", "name or UUID"),
        ("policies effective", "name or UUID"),
    ] {
        let args: Vec<_> = args.split(' ').chain(["--help"]).collect();
        let help = run(&args, b"").ok();
        assert!(help.contains(expected), "{args:?}: {help}");
        assert!(!help.contains(" , by") && !help.contains("management.v1."), "{args:?}: {help}");
        assert!(!help.contains("--device <UUID>") && !help.contains("--devices <UUID>"), "{help}");
    }
}

#[test]
fn the_effective_settings_of_a_device_by_name() {
    let server = Server::seeded();
    let by = |device| server.run(&["policies", "effective", "--device", device, "-o", "json"]);
    let uuid = server.run(&["devices", "get", "LAPTOP-01", "-o", "name"]).ok();
    let (name, uuid) = (by("LAPTOP-01"), by(uuid.trim()));
    assert_eq!((name.code, &name.out), (0, &uuid.out), "{}", name.err);
    assert!(by("LAPTOP-0").fails(4).contains("no device has this name"));
}
