//! Devices by name, wherever ESET takes a UUID.

use crate::command::run;

/// Help says so wherever a device's name does for its UUID.
#[test]
fn help_offers_names_of_devices() {
    for (args, expected) in [
        ("devices rename", "name or UUID"),
        ("devices move", "name or UUID"),
        ("devices get", "names or UUIDs"),
        ("devices batch-get", "The devices, by name or UUID; "),
        ("patches list", "name or UUID"),
        ("assignments assign", "name or UUID"),
        ("tasks update-targets", "name or UUID"),
    ] {
        let args: Vec<_> = args.split(' ').chain(["--help"]).collect();
        let help = run(&args, b"").ok();
        assert!(help.contains(expected), "{args:?}: {help}");
        assert!(!help.contains("--device <UUID>") && !help.contains("--devices <UUID>"), "{help}");
    }
}
