//! One seed, one stream of random numbers per purpose.
//!
//! The streams are independent: a draw added to one of them shifts no other. ChaCha8 is used because its output is a
//! published standard, the same on every machine and in every version.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Drawing synthetic samples.
    Generate = 1,
    /// Assigning samples to the training and the validation part.
    Split = 2,
    /// The order in which training visits the samples.
    Shuffle = 3,
    /// Which samples are left out together to see how a model does without them.
    Folds = 4,
    /// Which samples of a large training part the choice of how to fit looks at.
    Sample = 5,
    /// Which samples a model is judged on that was trained on all others.
    CrossValidation = 6,
    /// Which groups a budget of false alarms is tried on.
    Budget = 7,
}

/// The stream of random numbers that belongs to `purpose` under `seed`.
pub(crate) fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// Stream `number` of those that belong to `purpose`, for things that are worked out side by side.
pub(crate) fn numbered_stream(seed: u64, purpose: Purpose, number: u32) -> ChaCha8Rng {
    let mut rng = stream(seed, purpose);
    rng.set_stream(purpose as u64 | (u64::from(number) + 1) << 32);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use rand::seq::SliceRandom;

    /// The models of every earlier release depend on these draws. If a new version of `rand` or `rand_chacha`
    /// changes one of them, the same seed no longer gives the same bytes: keep the old version or say so in the
    /// changelog.
    #[test]
    fn draws_are_the_ones_that_every_release_has_made() {
        let draws = |purpose| {
            let mut rng = stream(42, purpose);
            let mut order: Vec<u32> = (0..8).collect();
            order.shuffle(&mut rng);
            (order, rng.random_range(0..1000_u32), rng.random::<f64>())
        };
        let (order, integer, real) = draws(Purpose::Generate);
        assert_eq!(order, [6, 4, 5, 3, 2, 1, 0, 7]);
        assert_eq!((integer, real), (716, 0.166_910_339_762_922_13));
        assert_ne!(draws(Purpose::Split), (order.clone(), integer, real));
        assert_ne!(draws(Purpose::Shuffle), (order, integer, real));
    }
}
