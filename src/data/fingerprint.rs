//! 64-bit fingerprints of sequences, by which a model remembers what it was trained on without keeping it.
//!
//! Two different sequences share a fingerprint with probability 2^-64, so among a million nothing is mistaken for anything.

use sha2::{Digest, Sha256};

/// The first eight bytes of the SHA-256 of the name, as a little-endian number.
pub(crate) fn of_action(name: &str) -> u64 {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter()
        .take(8)
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The fingerprint of a sequence from those of its actions.
pub(crate) fn of_sequence(actions: impl Iterator<Item = u64>) -> u64 {
    actions.fold(0, |state, action| {
        // Multiplying by an odd number is reversible and carries every bit upwards; the shift carries them down again.
        let mixed = (state ^ action).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_sequences_over_a_small_alphabet_differ() {
        let actions = ["a", "b", "ab", ""].map(of_action);
        let mut seen = BTreeSet::new();
        for length in 0..8 {
            for number in 0..4_usize.pow(length) {
                let sequence = (0..length).map(|place| actions[number / 4_usize.pow(place) % 4]);
                assert!(seen.insert(of_sequence(sequence)));
            }
        }
    }

    #[test]
    fn the_value_never_changes() {
        // Worked out in Python: int.from_bytes(hashlib.sha256(b"read").digest()[:8], "little") and so on.
        assert_eq!(of_action("read"), 0xb1b7_dfba_8d34_1633);
        assert_eq!(
            of_sequence(["read", "write"].map(of_action).into_iter()),
            0x0569_8ec4_d910_f6e4
        );
    }
}
