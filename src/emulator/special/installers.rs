//! What installers do beside the standard methods ([facts](crate::facts#installer-management)).

use prost::{Message, Name};

use crate::emulator::api::{Answer, write};
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::store::Change;
use crate::emulator::time::later;
use crate::installer_management::v1::{
    CreateInstallerRequest, CreateInstallerResponse, GenerateGpoSccmFileRequest,
    GenerateGpoSccmFileResponse, Installer, PlatformComponent,
};
use crate::rpc::installers::{CreateInstaller, GenerateGpoSccmFile};

/// Windows and macOS.
const OPERATING_SYSTEMS: [u32; 2] = [1, 3];
const COMPONENTS: [u32; 12] = [13, 19, 20, 27, 29, 30, 167, 209, 210, 215, 230, 231];
/// The component that every installer has: the agent.
const AGENT: u32 = 13;
/// How long an installer can be used. Ours.
const INSTALLER_MILLIS: u64 = 180 * 24 * 60 * 60 * 1000;

pub(crate) fn methods() -> [(&'static str, Answer); 2] {
    [write::<CreateInstaller>(create), write::<GenerateGpoSccmFile>(generate)]
}

fn create(
    change: &mut Change<'_>,
    environment: &Environment,
    request: CreateInstallerRequest,
) -> Result<CreateInstallerResponse, Failure> {
    let mut installer =
        request.installer.ok_or_else(|| Failure::invalid("installer", "must be set"))?;
    let system = installer.operating_system_family_id;
    if !OPERATING_SYSTEMS.contains(&system) {
        let expected = format!("expected 1 (Windows) or 3 (macOS), found {system}");
        return Err(Failure::invalid("installer.operating_system_family_id", expected));
    }
    let mut components = request.requested_component_ids;
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
    let (sequence, uuid) = change.new_id(&Installer::full_name(), &*environment.ids)?;
    installer.download_url = format!("https://installers.example.com/{uuid}");
    installer.usable = true;
    installer.create_time = Some(environment.now());
    installer.expire_time = Some(later(environment.now(), INSTALLER_MILLIS));
    installer.uuid = uuid;
    let row = installer.encode_to_vec();
    change.add(&Installer::full_name(), &installer.uuid, sequence, &row)?;
    Ok(CreateInstallerResponse { installer: Some(installer) })
}

/// Returns a file that is stored nowhere.
fn generate(
    _: &mut Change<'_>,
    _: &Environment,
    request: GenerateGpoSccmFileRequest,
) -> Result<GenerateGpoSccmFileResponse, Failure> {
    let group = request.device_enrollment_settings.unwrap_or_default().security_group_uuid;
    let diagnostics = request.send_anonymous_diagnostic_data;
    let file = format!(
        "[ERA_AGENT_PROPERTIES]\r\nP_INITIAL_STATIC_GROUP={group}\r\nP_ENABLE_TELEMETRY={}\r\n",
        u8::from(diagnostics)
    );
    Ok(GenerateGpoSccmFileResponse { gpo_sccm_file: file.into() })
}
