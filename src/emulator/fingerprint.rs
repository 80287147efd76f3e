//! A short hash of several texts.

/// FNV-1a over parts, each with its length, so that `["ab", "c"]` and `["a", "bc"]` differ. It is stored, so
/// it must be the same in every release and process, unlike the hashers of the standard library. Not
/// cryptographic: where a collision would do harm, the hashed data is compared too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn part(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let length = (bytes.len() as u64).to_be_bytes();
        let hash = length.iter().chain(bytes).fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash)
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}
