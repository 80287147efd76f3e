//! What installers do beyond the standard methods ([facts](crate::facts#installer-management)).

use prost::{Message, Name};

use crate::emulator::api::{Special, write};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::emulator::time::later;
use crate::installer_management::v1::{GenerateGpoSccmFileResponse, Installer, PlatformComponent};
use crate::rpc::installers::{CreateInstaller, GenerateGpoSccmFile};

/// Windows and macOS.
const OPERATING_SYSTEMS: [u32; 2] = [1, 3];
const COMPONENTS: [u32; 12] = [13, 19, 20, 27, 29, 30, 167, 209, 210, 215, 230, 231];
/// The component that every installer has: the agent.
const AGENT: u32 = 13;
/// How long an installer can be used. Ours.
const INSTALLER_MILLIS: u64 = 180 * 24 * 60 * 60 * 1000;

pub(crate) fn methods() -> [Special; 2] {
    [
        write::<CreateInstaller, _>(|change, request| {
            let components = request.requested_component_ids;
            create(change, request.installer.unwrap_or_default(), components)
        }),
        // Returns a file that is stored nowhere.
        write::<GenerateGpoSccmFile, _>(|_, request| {
            let group = request.device_enrollment_settings.unwrap_or_default().security_group_uuid;
            let diagnostics = u8::from(request.send_anonymous_diagnostic_data);
            let file = format!(
                "[ERA_AGENT_PROPERTIES]\r\nP_INITIAL_STATIC_GROUP={group}\r\nP_ENABLE_TELEMETRY={diagnostics}\r\n"
            );
            Ok(GenerateGpoSccmFileResponse { gpo_sccm_file: file.into() })
        }),
    ]
}

fn create(
    change: &mut Change<'_>,
    mut installer: Installer,
    mut components: Vec<u32>,
) -> Result<Installer, Failure> {
    let system = installer.operating_system_family_id;
    if !OPERATING_SYSTEMS.contains(&system) {
        let expected = format!("expected 1 (Windows) or 3 (macOS), found {system}");
        return Err(Failure::invalid("installer.operating_system_family_id", expected));
    }
    for (index, component) in components.iter().enumerate() {
        if !COMPONENTS.contains(component) {
            let expected = format!("expected a known component, found {component}");
            return Err(Failure::invalid(format!("requested_component_ids[{index}]"), expected));
        }
    }
    if !components.contains(&AGENT) {
        components.insert(0, AGENT);
    }
    let component = |id| PlatformComponent { id, ..PlatformComponent::default() };
    installer.installed_components = components.into_iter().map(component).collect();
    let (sequence, uuid) = change.new_id(&Installer::full_name())?;
    installer.download_url = format!("https://installers.example.com/{uuid}");
    installer.usable = true;
    let now = change.environment().now();
    installer.create_time = Some(now);
    installer.expire_time = Some(later(now, INSTALLER_MILLIS));
    installer.uuid = uuid;
    let row = installer.encode_to_vec();
    change.add(&Installer::full_name(), &installer.uuid, sequence, &row)?;
    Ok(installer)
}
