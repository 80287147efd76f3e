//! Hand-written serde models for exactly this JSON: the practical lower bound.
//!
//! They are a bound, not an alternative: they know one type of `Any`, one spelling of each name and one form
//! of each number, drop unknown members, and have no binary form.

use std::collections::BTreeMap;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct ListTasksResponse {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<DeviceTask>,
    #[serde(skip_serializing_if = "String::is_empty")]
    next_page_token: String,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceTask {
    #[serde(skip_serializing_if = "String::is_empty")]
    uuid: String,
    #[serde(with = "long", skip_serializing_if = "is_zero")]
    version_id: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<DeviceTaskTargets>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    triggers: Vec<Trigger>,
    #[serde(skip_serializing_if = "DeviceTaskSource::is_default")]
    source: DeviceTaskSource,
    #[serde(skip_serializing_if = "String::is_empty")]
    asset_group_uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Action {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<OnDemandScan>,
}

/// The tag is a member, since serde's own `tag = "@type"` would buffer the other members when reading.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnDemandScan {
    #[serde(rename = "@type")]
    tag: ScanTag,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_profile: Option<ScanProfile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scan_targets: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleaning_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shutdown_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_profile_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shutdown_locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    power_actions: Option<AllowedActions>,
}

#[derive(Serialize, Deserialize)]
enum ScanTag {
    #[serde(rename = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan")]
    OnDemandScan,
}

#[derive(Serialize, Deserialize)]
enum ScanProfile {
    InDepth,
    Smart,
    ContextMenu,
    MyProfile,
    Custom,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AllowedActions {
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_action: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postpone: Option<Postpone>,
}

#[derive(Serialize, Deserialize)]
enum Postpone {
    Cannot,
    OneHour,
    ThreeHours,
    FiveHours,
    OneDay,
    ThreeDays,
    SevenDays,
    FifteenDays,
    TwentyDays,
    ThirtyDays,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DeviceTaskTargets {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices_uuids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    device_groups_uuids: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trigger {
    #[serde(skip_serializing_if = "Option::is_none")]
    manual: Option<ManualTrigger>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManualTrigger {
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
enum DeviceTaskSource {
    #[default]
    #[serde(rename = "DEVICE_TASK_SOURCE_UNSPECIFIED")]
    Unspecified,
    #[serde(rename = "DEVICE_TASK_SOURCE_INTERNAL_AUTOMATION")]
    InternalAutomation,
    #[serde(rename = "DEVICE_TASK_SOURCE_EXTERNAL_AUTOMATION")]
    ExternalAutomation,
    #[serde(rename = "DEVICE_TASK_SOURCE_INTERNAL_USER")]
    InternalUser,
    #[serde(rename = "DEVICE_TASK_SOURCE_EXTERNAL_USER")]
    ExternalUser,
}

impl DeviceTaskSource {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Serialize, Deserialize)]
pub struct CreatePolicyRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Policy {
    #[serde(skip_serializing_if = "String::is_empty")]
    uuid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    built_in: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    features: Vec<FeaturePolicy>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct FeaturePolicy {
    feature_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<PolicyData>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    flags: BTreeMap<String, SettingFlags>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SettingFlags {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    apply_forcefully: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
}

#[derive(Serialize, Deserialize)]
struct PolicyData {
    #[serde(rename = "@type")]
    tag: PolicyTag,
    #[serde(with = "base64")]
    data: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum PolicyTag {
    #[serde(rename = "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData")]
    PolicyData,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Parses a string without copying it.
struct FromText<F>(F);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for FromText<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(format!("unexpected {text:?}")))
    }
}

/// 64-bit integers as strings.
mod long {
    use super::*;

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(*value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_str(FromText(|text: &str| text.parse().ok()))
    }
}

mod base64 {
    use super::*;

    pub fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let decode = |text: &str| base64_simd::STANDARD.decode_to_vec(text).ok();
        deserializer.deserialize_str(FromText(decode))
    }
}

/// UTC only, like the responses.
struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, second / 3600),
            (14, 2, second / 60 % 60),
            (17, 2, second % 60),
            (20, 9, i64::from(self.nanos)),
        ];
        for (at, digits, mut number) in parts {
            for digit in text[at..at + digits].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        let end = match self.nanos {
            0 => 19,
            nanos if nanos % 1_000_000 == 0 => 23,
            nanos if nanos % 1000 == 0 => 26,
            _ => 29,
        };
        text[end] = b'Z';
        serializer.serialize_str(std::str::from_utf8(&text[..=end]).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(|text: &str| {
            let text = text.strip_suffix('Z')?.as_bytes();
            let number = |at: usize, digits: usize| {
                text.get(at..at + digits)?.iter().try_fold(0_i64, |number, byte| {
                    byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
                })
            };
            let day = day(number(0, 4)?, number(5, 2)?, number(8, 2)?);
            let second = number(11, 2)? * 3600 + number(14, 2)? * 60 + number(17, 2)?;
            let nanos = match text.len() {
                19 => 0,
                23 => number(20, 3)? * 1_000_000,
                26 => number(20, 6)? * 1000,
                _ => number(20, 9)?,
            };
            Some(Self { seconds: day * 86_400 + second, nanos: u32::try_from(nanos).ok()? })
        }))
    }
}

/// Converts days since 1970 to year, month and day. Months count from March, so that leap days end a year.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

fn day(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
