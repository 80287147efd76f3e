//! The names of the variables.
#![cfg_attr(not(feature = "profiles"), expect(unreachable_pub, reason = "the command uses them"))]

pub const CREDENTIALS: &str = "ESET_PROTECT_CREDENTIALS";
pub const USERNAME: &str = "ESET_PROTECT_USERNAME";
pub const PASSWORD: &str = "ESET_PROTECT_PASSWORD";
pub const TOKEN: &str = "ESET_PROTECT_TOKEN";
pub const ENDPOINT: &str = "ESET_PROTECT_ENDPOINT";
pub const REGION: &str = "ESET_PROTECT_REGION";
pub const ON_PREM: &str = "ESET_PROTECT_ON_PREM";
pub const WIRE: &str = "ESET_PROTECT_WIRE";
pub const TOKEN_URL: &str = "ESET_PROTECT_TOKEN_URL";
pub const TIMEOUT: &str = "ESET_PROTECT_TIMEOUT";
pub const MAX_ATTEMPTS: &str = "ESET_PROTECT_MAX_ATTEMPTS";
pub const RATE: &str = "ESET_PROTECT_RATE";
pub const CA_CERT: &str = "ESET_PROTECT_CA_CERT";
pub const PIN_CERT: &str = "ESET_PROTECT_PIN_CERT";
pub const PIN_SHA256: &str = "ESET_PROTECT_PIN_SHA256";
pub const CLIENT_CERT: &str = "ESET_PROTECT_CLIENT_CERT";
pub const CLIENT_KEY: &str = "ESET_PROTECT_CLIENT_KEY";
pub const SERVER_NAME: &str = "ESET_PROTECT_SERVER_NAME";
pub const TENANT: &str = "ESET_PROTECT_TENANT";
pub const METADATA: &str = "ESET_PROTECT_METADATA";
