//! A set of fingerprints that takes little room in a file.
//!
//! Of each fingerprint so many leading bits are kept that they outnumber the set 2²⁴ to 2²⁵ times: one new sequence in sixteen million is
//! taken for one of them. In a file stands by how much each is larger than the one before, seven bits a byte, the lowest first, with the
//! highest bit set in all bytes but the last: four bytes mostly, however many there are.

use base64::engine::{Engine, general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize, Serializer};

/// By how many bits the fingerprints outnumber the set.
const SPARE: u32 = 24;

/// Different fingerprints, shortened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Spelled")]
pub(crate) struct FingerprintSet {
    /// How many leading bits of each are kept, from 1 to 64; 0 if there are none.
    bits: u32,
    /// These bits as numbers, ascending.
    kept: Vec<u64>,
}

/// A set as it stands in a file.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Spelled {
    /// How many leading bits of each fingerprint are kept; 0 without any.
    #[cfg_attr(feature = "schema", schemars(range(max = 64)))]
    bits: u32,
    /// By how much each of these numbers, ascending, is larger than the one before, and the first larger than 0: seven bits a byte, the
    /// lowest first, with the highest bit set in all bytes of a number but the last, in base64 without padding.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[A-Za-z0-9+/]*$")))]
    steps: String,
}

impl FingerprintSet {
    /// The set of these.
    pub(crate) fn of(mut fingerprints: Vec<u64>) -> Self {
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let Some(largest) = fingerprints.len().checked_ilog2() else {
            return Self::default();
        };
        let bits = (SPARE + largest + 1).min(u64::BITS);
        for fingerprint in &mut fingerprints {
            *fingerprint >>= u64::BITS - bits;
        }
        fingerprints.dedup();
        Self {
            bits,
            kept: fingerprints,
        }
    }

    /// Whether this fingerprint is one of them; of others, one in sixteen million is said to be.
    pub(crate) fn contains(&self, fingerprint: u64) -> bool {
        let kept = fingerprint.checked_shr(u64::BITS - self.bits);
        kept.is_some_and(|kept| self.kept.binary_search(&kept).is_ok())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }
}

impl Serialize for FingerprintSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(4 * self.kept.len());
        let mut before = 0;
        for &kept in &self.kept {
            let mut step = kept - before;
            before = kept;
            while step > 0x7f {
                bytes.push(step as u8 | 0x80);
                step >>= 7;
            }
            bytes.push(step as u8);
        }
        let spelled = Spelled {
            bits: self.bits,
            steps: STANDARD_NO_PAD.encode(bytes),
        };
        spelled.serialize(serializer)
    }
}

impl TryFrom<Spelled> for FingerprintSet {
    type Error = &'static str;

    fn try_from(Spelled { bits, steps }: Spelled) -> Result<Self, Self::Error> {
        const REFUSED: &str = "\"sequences\" are not ascending fingerprints";
        let bytes = STANDARD_NO_PAD.decode(steps).map_err(|_| REFUSED)?;
        let mut kept = Vec::with_capacity(bytes.len() / 4);
        let mut before: Option<u64> = None;
        let (mut step, mut shift) = (0_u64, 0);
        for byte in bytes {
            let part = u64::from(byte & 0x7f);
            if shift >= u64::BITS || part << shift >> shift != part {
                return Err(REFUSED);
            }
            step |= part << shift;
            shift += 7;
            if byte < 0x80 {
                let next = before
                    .unwrap_or(0)
                    .checked_add(step)
                    .filter(|&next| Some(next) > before);
                // One number is spelled in one way.
                let next = next.filter(|_| byte > 0 || shift == 7).ok_or(REFUSED)?;
                kept.push(next);
                before = Some(next);
                (step, shift) = (0, 0);
            }
        }
        let is_whole = shift == 0 && kept.is_empty() == (bits == 0);
        let fits = bits <= u64::BITS && before.is_none_or(|last| bits == u64::BITS || last >> bits == 0);
        if is_whole && fits {
            Ok(Self { bits, kept })
        } else {
            Err(REFUSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bits: u32, steps: &str) -> Option<Vec<u64>> {
        let text = serde_json::json!({ "bits": bits, "steps": steps }).to_string();
        serde_json::from_str(&text).ok().map(|set: FingerprintSet| set.kept)
    }

    proptest! {
        #[test]
        fn a_set_holds_what_it_was_made_of_and_is_read_as_it_was_written(
            fingerprints in proptest::collection::vec(any::<u64>(), 0..40),
            others in proptest::collection::vec(any::<u64>(), 20),
        ) {
            let set = FingerprintSet::of(fingerprints.clone());
            prop_assert!(fingerprints.iter().all(|&fingerprint| set.contains(fingerprint)));
            prop_assert!(!others.iter().any(|&other| set.contains(other)));
            prop_assert_eq!(set.len(), fingerprints.len());
            let text = serde_json::to_string(&set).unwrap();
            prop_assert_eq!(serde_json::from_str::<FingerprintSet>(&text).unwrap(), set);
        }
    }

    #[test]
    fn a_set_is_spelled_as_a_hand_spells_it() {
        // One fingerprint keeps 25 bits: those of 2^63 + 2^40 are 2^24 + 2, in groups of seven from below 2, 0, 0 and 8.
        let set = FingerprintSet::of(vec![1 << 63 | 1 << 40]);
        assert_eq!(set.kept, [1 << 24 | 2]);
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"{"bits":25,"steps":"goCACA"}"#);
        assert_eq!(read(25, "goCACA"), Some(vec![1 << 24 | 2]));
        assert_eq!(
            serde_json::to_string(&FingerprintSet::default()).unwrap(),
            r#"{"bits":0,"steps":""}"#
        );
        assert_eq!(FingerprintSet::of(Vec::new()), FingerprintSet::default());
    }

    #[test]
    fn what_is_no_ascending_set_is_refused() {
        // 0, 1 and 1 more; then twice the same, an unfinished number, one of too many bits, a longer spelling of 1, and no base64.
        assert_eq!(read(2, "AAEB"), Some(vec![0, 1, 2]));
        for (bits, steps) in [
            (2, "AAA"),
            (9, "gQ"),
            (1, "AAEB"),
            (2, "gQA"),
            (2, "!"),
            (0, "AA"),
            (5, ""),
            (65, "AA"),
        ] {
            assert_eq!(read(bits, steps), None, "{bits} {steps}");
        }
        let too_large = STANDARD_NO_PAD.encode([[0xff; 9].as_slice(), &[0x7f]].concat());
        assert_eq!(read(64, &too_large), None);
    }
}
