//! Compiles `proto/` into the types, their ProtoJSON form and the list of RPCs.

#[path = "build/mod.rs"]
mod codegen;

/// Every service of the crate and the part of its host name that says which service it is:
/// `https://{region}.{host}.eset.systems`. Adding a service is a `.proto` file and a line here.
const SERVICES: &[(&str, &str)] = &[
    ("eset.dotnod.automation.v1.DeviceTasks", "automation"),
    ("eset.dotnod.policy_management.v2.Policies", "policy-management"),
    ("eset.dotnod.policy_management.v2.PolicyAssignments", "policy-management"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    codegen::Generator::this_crate("proto", SERVICES).run()
}
