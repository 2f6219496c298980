//! Values of options: what they take, and the bounds that their messages name.

use crate::data::split::SplitStrategy;
use crate::data::synthetic::Scenario;
use crate::model::config::Calibrate;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// A whole number in a range that the message names.
pub fn whole<const LOW: u64, const HIGH: u64>(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|value| (LOW..=HIGH).contains(value))
        .ok_or_else(|| format!("expected a whole number from {LOW} to {HIGH}"))
}

/// A whole number from 1 to a million.
pub fn count(text: &str) -> Result<usize, String> {
    whole::<1, 1_000_000>(text).map(|value| value as usize)
}

/// A number of threads.
pub fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let value = whole::<1, 1024>(text)?;
    NonZeroUsize::try_from(value as usize).map_err(|error| error.to_string())
}

/// The name of a field that is none of those which make a sample.
pub fn own_field(text: &str) -> Result<String, String> {
    match text {
        "features" | "sequence" | "label" => {
            Err("needs a field of its own, not one that is part of the sample".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// [`Scenario`] as a value of the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScenarioArg(pub Scenario);

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
#[derive(Debug, Clone, Copy, Default)]
pub struct SplitArg(pub SplitStrategy);

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

/// [`Calibrate`] as a value of the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct CalibrateArg(pub Calibrate);

impl ValueEnum for CalibrateArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(Calibrate::Auto),
            Self(Calibrate::None),
            Self(Calibrate::Sequence),
            Self(Calibrate::Group),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            Calibrate::Auto => PossibleValue::new("auto"),
            Calibrate::None => PossibleValue::new("none"),
            Calibrate::Sequence => PossibleValue::new("sequence"),
            Calibrate::Group => PossibleValue::new("group"),
        })
    }
}

/// The number of threads that was asked for, or one for each processor.
pub fn thread_count(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    let all = || available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.unwrap_or_else(all)
}
