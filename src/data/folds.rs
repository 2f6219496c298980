//! Folds: what is left out together, so that a model can be seen at work on what it does not know.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Deals units, of which no part may stand in two folds, to at most `most` folds, up to 256, of about the same size. `sizes` are those of the
/// units; one of size 0 is not dealt. Returns the fold of each unit, and how many folds there are.
pub(crate) fn deal(sizes: &[u64], most: usize, rng: &mut ChaCha8Rng) -> (Vec<u8>, usize) {
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&unit| sizes[unit] > 0).collect();
    order.shuffle(rng);
    // Large ones first, each to the fold that is smallest, so that folds differ by no more than a small one.
    order.sort_by_key(|&unit| std::cmp::Reverse(sizes[unit]));
    let count = order.len().min(most);
    let (mut filled, mut fold_of) = (vec![0_u64; count], vec![0; sizes.len()]);
    for unit in order {
        let fold = (0..count).min_by_key(|&fold| filled[fold]).unwrap_or(0);
        filled[fold] += sizes[unit];
        fold_of[unit] = fold as u8;
    }
    (fold_of, count)
}

/// The size of each unit, of `members` that say which unit they belong to and how much of it they are.
pub(crate) fn sizes(members: impl Iterator<Item = (u32, u64)>) -> Vec<u64> {
    let mut sizes = Vec::new();
    for (unit, size) in members {
        let unit = unit as usize;
        if unit >= sizes.len() {
            sizes.resize(unit + 1, 0);
        }
        sizes[unit] += size;
    }
    sizes
}
