//! Values of options: what the command line takes, and the bounds that its messages name.

use anomaly_train::split::SplitStrategy;
use anomaly_train::synthetic::Scenario;
use anomaly_train::{MAX_EPOCHS, MAX_SYNTHETIC};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::thread::available_parallelism;

/// Most synthetic samples that can be asked for.
pub(crate) const MAX_SAMPLES: u64 = MAX_SYNTHETIC;

/// A whole number in a range that the message names.
pub(crate) fn whole<const LOW: u64, const HIGH: u64>(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|value| (LOW..=HIGH).contains(value))
        .ok_or_else(|| format!("expected a whole number from {LOW} to {HIGH}"))
}

pub(crate) fn nonzero_u32(text: &str) -> Result<NonZeroU32, String> {
    let value = whole::<1, { MAX_EPOCHS as u64 }>(text)?;
    NonZeroU32::try_from(value as u32).map_err(|error| error.to_string())
}

pub(crate) fn nonzero_u64(text: &str) -> Result<NonZeroU64, String> {
    // N-grams are numbered with 32 bits.
    let value = whole::<1, 1_000_000_000>(text)?;
    NonZeroU64::try_from(value).map_err(|error| error.to_string())
}

pub(crate) fn count(text: &str) -> Result<usize, String> {
    whole::<1, 1_000_000>(text).map(|value| value as usize)
}

pub(crate) fn bins(text: &str) -> Result<NonZeroU32, String> {
    let value = whole::<1, 10_000>(text)?;
    NonZeroU32::try_from(value as u32).map_err(|error| error.to_string())
}

pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let value = whole::<1, 1024>(text)?;
    NonZeroUsize::try_from(value as usize).map_err(|error| error.to_string())
}

/// [`Scenario`] as a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScenarioArg(pub(crate) Scenario);

impl ValueEnum for ScenarioArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Scenario::Documented), Self(Scenario::Mixed)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            Scenario::Documented => PossibleValue::new("documented").help("short workflows, separable by construction"),
            Scenario::Mixed => PossibleValue::new("mixed").help("sessions with hidden attacks and 2 % wrong labels"),
        })
    }
}

/// [`SplitStrategy`] as a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitArg(pub(crate) SplitStrategy);

impl ValueEnum for SplitArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(SplitStrategy::Stratified),
            Self(SplitStrategy::Random),
            Self(SplitStrategy::Temporal),
            Self(SplitStrategy::Grouped),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            SplitStrategy::Stratified => {
                PossibleValue::new("stratified").help("at random, the same share of anomalous samples in both parts")
            }
            SplitStrategy::Random => PossibleValue::new("random").help("at random"),
            SplitStrategy::Temporal => {
                PossibleValue::new("temporal").help("the first samples train, the last validate")
            }
            SplitStrategy::Grouped => PossibleValue::new("grouped").help("no group in both parts, see --group-by"),
        })
    }
}

/// The number of threads that was asked for, or one for each processor.
pub(crate) fn thread_count(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    let all = || available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.unwrap_or_else(all)
}
