//! The options that shape a training run.

use super::OptionError;
use super::logs::LogOptions;
use super::values::{CalibrateArg, ScenarioArg, SplitArg, own_field, whole};
use crate::bounds::{
    BatchSize, Bins, Epochs, FoldCount, MaxNgrams, NgramSize, OpenUnitInterval, Penalty, SampleCount, StepSize,
    UnitInterval, WindowSize,
};
use crate::data::split::SplitStrategy;
use crate::evaluate::evaluation::DEFAULT_ECE_BINS;
use crate::evaluate::gate::Gate;
use crate::evaluate::threshold::{Threshold, Wish, WishError};
use crate::model::config::{Calibrate, TrainingConfig};
use crate::model::normal::config::NormalConfig;
use crate::run::{DEFAULT_SYNTHETIC, DEFAULT_TRAIN_RATIO, Reading, Run, Source, Training, Validation};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// Everything that can change the result of a training run.
#[derive(Debug, Clone, Args)]
pub struct TrainingOptions {
    /// Synthetic samples to draw, or most samples of --data to use, the first ones [default: 10000; all]
    #[arg(long, value_name = "N")]
    #[arg(help_heading = "Data")]
    pub num_samples: Option<SampleCount>,

    /// Which synthetic samples to draw
    #[arg(long, value_name = "NAME", value_enum, default_value_t = ScenarioArg::default(), conflicts_with = "data")]
    #[arg(help_heading = "Data", hide_short_help = true)]
    pub scenario: ScenarioArg,

    /// Labelled samples as JSON lines, or a log, to train on
    ///
    /// Plain, gzip or zstd; a folder stands for the files in it, "-" for standard input; may be repeated.
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    #[arg(help_heading = "Data")]
    pub data: Vec<PathBuf>,

    /// How logs are read.
    #[command(flatten)]
    pub logs: LogOptions,

    /// Judge on these labelled samples, or on this log, instead of on part of the samples
    #[arg(
        long,
        value_name = "FILE",
        requires = "data",
        conflicts_with_all = ["train_ratio", "split_strategy"]
    )]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub validation_data: Option<PathBuf>,

    /// Judge on all samples, in this many folds
    ///
    /// Each is scored by a model that has not seen its group (without --group-by: its sequence), and the model that is saved is trained on
    /// all of them.
    #[arg(
        long,
        value_name = "K",
        conflicts_with_all = ["validation_data", "train_ratio", "split_strategy"]
    )]
    #[arg(help_heading = "Training and judging")]
    pub folds: Option<FoldCount>,

    /// Share of the samples to train on; the others validate
    #[arg(long, value_name = "R", default_value_t = DEFAULT_TRAIN_RATIO)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub train_ratio: OpenUnitInterval,

    /// How samples are divided [default: stratified; grouped with --group-by or --normal-only]
    #[arg(long, value_name = "S", value_enum)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub split_strategy: Option<SplitArg>,

    /// Top-level field that names what belongs together, such as a task or a host
    ///
    /// It steers the split, what counts as new in training, and calibration.
    #[arg(long, value_name = "FIELD", requires = "data", value_parser = own_field)]
    #[arg(help_heading = "Data")]
    pub group_by: Option<String>,

    /// Top-level field that says how many samples a line stands for, from 1 to 2^53
    #[arg(long, value_name = "FIELD", requires = "data", value_parser = own_field)]
    #[arg(help_heading = "Data", hide_short_help = true)]
    pub count_field: Option<String>,

    /// Learn from normal samples alone, without labels
    ///
    /// The threshold is then a promise of a share of false alarms.
    #[arg(
        long,
        conflicts_with_all = [
            "epochs", "batch_size", "l2", "calibrate", "learning_rate", "ece_bins", "promotion_max_ece", "promotion_min_accuracy",
            "promotion_min_recall", "promotion_min_precision", "promotion_max_false_alarms", "promotion_min_average_precision"
        ]
    )]
    #[arg(help_heading = "Training and judging")]
    pub normal_only: bool,

    /// Leave samples with label 1 out instead of refusing them
    #[arg(long, requires = "normal_only")]
    #[arg(help_heading = "Data", hide_short_help = true)]
    pub drop_anomalous: bool,

    /// How many actions in a row are judged together [default: 10]
    #[arg(long, value_name = "N", requires = "normal_only")]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub window: Option<WindowSize>,

    /// Longest n-gram, 1 to 8 [default: 3; 4 with --normal-only]
    #[arg(long, value_name = "N")]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub ngram_size: Option<NgramSize>,

    /// Score from which on, or what for: f1, recall=R, precision=R, false-alarms=R [default: 0.3]
    ///
    /// A sequence is labelled anomalous from this score on. With --normal-only the default is 0.99, which is false-alarms=0.01.
    #[arg(long, value_name = "T")]
    #[arg(help_heading = "Training and judging")]
    pub anomaly_threshold: Option<Threshold>,

    /// Most passes over the training part
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().epochs)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub epochs: Epochs,

    /// Distinct sequences that an online fit visits together before the next ones
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().batch_size)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub batch_size: BatchSize,

    /// Where all randomness comes from: the same seed gives the same model
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().seed, value_parser = whole::<0, { u64::MAX }>)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub seed: u64,

    /// Strength of the L2 penalty on the weights [default: of 1, 2, 4, 8 and 16 the one with the lowest loss on what is left out]
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub l2: Option<Penalty>,

    /// What is left out together to calibrate scores: whole groups, identical sequences; "auto" is "group" with --group-by, else
    /// "sequence"
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = CalibrateArg::default())]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub calibrate: CalibrateArg,

    /// The part of the way to its optimum that each training step goes
    #[arg(long, value_name = "X", default_value_t = TrainingConfig::default().learning_rate)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub learning_rate: StepSize,

    /// Most n-grams to keep, the most frequent first
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().max_ngrams)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub max_ngrams: MaxNgrams,

    /// Highest calibration error with which a model is promoted
    #[arg(long, value_name = "X", default_value = "0.08")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_max_ece: UnitInterval,

    /// Lowest accuracy with which a model is promoted [default: 0.85; none with one of the next four]
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_min_accuracy: Option<UnitInterval>,

    /// Lowest recall with which a model is promoted
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_min_recall: Option<UnitInterval>,

    /// Lowest precision with which a model is promoted
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_min_precision: Option<UnitInterval>,

    /// Highest share of normal samples that a model which is promoted may report
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_max_false_alarms: Option<UnitInterval>,

    /// Lowest average precision with which a model is promoted
    #[arg(long, value_name = "X")]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_min_average_precision: Option<UnitInterval>,

    /// By how much, in nats, the log loss may surely be higher than that of the current model, on samples new to both
    #[arg(long, value_name = "X", default_value_t = Gate::default().max_regression)]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub promotion_max_regression: UnitInterval,

    /// Promote without comparing with the current model
    #[arg(long)]
    #[arg(help_heading = "Promotion", hide_short_help = true)]
    pub no_champion: bool,

    /// Bins of the calibration error
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ECE_BINS)]
    #[arg(help_heading = "Training and judging", hide_short_help = true)]
    pub ece_bins: Bins,
}

impl TrainingOptions {
    /// What the options mean.
    ///
    /// # Errors
    ///
    /// If they contradict each other.
    pub fn to_run(&self) -> Result<Run, OptionError> {
        let (training, threshold_for) = self.training()?;
        Ok(Run {
            source: self.source(),
            reading: Reading {
                count_field: self.count_field.clone(),
                drop_anomalous: self.drop_anomalous,
                mapping: self.logs.mapping()?,
                skip_bad_lines: self.logs.skip_bad_lines,
            },
            group_by: self.group_by.clone(),
            validation: self.validation()?,
            ece_bins: self.ece_bins,
            threshold_for,
            gate: self.gate(&training),
            training,
        })
    }

    /// What the model learns from and how, and what its threshold is chosen for.
    fn training(&self) -> Result<(Training, Option<Wish>), OptionError> {
        if self.normal_only {
            let defaults = NormalConfig::default();
            let anomaly_threshold = match self.anomaly_threshold {
                None => defaults.anomaly_threshold,
                Some(Threshold::Fixed(threshold)) => threshold,
                Some(Threshold::Wish(Wish::FalseAlarms(promise))) => promise.complement(),
                Some(Threshold::Wish(wish)) => {
                    return Err(OptionError::Usage(format!(
                        "--anomaly-threshold: {}",
                        WishError::NoLabels(wish)
                    )));
                }
            };
            let config = NormalConfig {
                ngram_size: self.ngram_size.unwrap_or(defaults.ngram_size),
                window: self.window.unwrap_or(defaults.window),
                anomaly_threshold,
                seed: self.seed,
                max_ngrams: self.max_ngrams,
            };
            return Ok((Training::NormalOnly(config), None));
        }
        let defaults = TrainingConfig::default();
        let (anomaly_threshold, threshold_for) = match self.anomaly_threshold {
            None => (defaults.anomaly_threshold, None),
            Some(Threshold::Fixed(threshold)) => (threshold, None),
            Some(Threshold::Wish(wish)) => (defaults.anomaly_threshold, Some(wish)),
        };
        let config = TrainingConfig {
            ngram_size: self.ngram_size.unwrap_or(defaults.ngram_size),
            anomaly_threshold,
            seed: self.seed,
            epochs: self.epochs,
            batch_size: self.batch_size,
            l2: self.l2,
            calibrate: self.calibrate.0,
            learning_rate: self.learning_rate,
            max_ngrams: self.max_ngrams,
        };
        Ok((Training::Labelled(config), threshold_for))
    }

    fn gate(&self, training: &Training) -> Gate {
        if let Training::NormalOnly(config) = training {
            return Gate::of_promise(config.promise().into(), self.promotion_max_regression);
        }
        let gate = Gate {
            max_ece: Some(self.promotion_max_ece),
            min_accuracy: self.promotion_min_accuracy,
            min_recall: self.promotion_min_recall,
            min_precision: self.promotion_min_precision,
            max_false_alarms: self.promotion_max_false_alarms,
            min_average_precision: self.promotion_min_average_precision,
            max_regression: self.promotion_max_regression,
        };
        let Gate {
            min_recall,
            min_precision,
            max_false_alarms,
            min_average_precision,
            ..
        } = gate;
        let asks_otherwise = [min_recall, min_precision, max_false_alarms, min_average_precision]
            .iter()
            .any(Option::is_some);
        Gate {
            min_accuracy: gate.min_accuracy.or(if asks_otherwise {
                None
            } else {
                Gate::default().min_accuracy
            }),
            ..gate
        }
    }

    fn source(&self) -> Source {
        let num_samples = self.num_samples;
        if self.data.is_empty() {
            Source::Synthetic {
                scenario: self.scenario.0,
                num_samples: num_samples.unwrap_or(DEFAULT_SYNTHETIC),
            }
        } else {
            Source::Files { num_samples }
        }
    }

    fn validation(&self) -> Result<Validation, OptionError> {
        if self.calibrate.0 == Calibrate::Group && self.group_by.is_none() {
            return Err(OptionError::Usage("--calibrate group needs --group-by".to_owned()));
        }
        let strategy = match (self.split_strategy, &self.group_by) {
            (Some(strategy), _) => strategy.0,
            (None, Some(_)) => SplitStrategy::Grouped,
            // A promise is for sequences that were never seen.
            (None, None) if self.normal_only => SplitStrategy::Grouped,
            (None, None) => SplitStrategy::default(),
        };
        if self.count_field.is_some() && strategy == SplitStrategy::Temporal {
            return Err(OptionError::Usage(
                "--count-field does not go with --split-strategy temporal: samples that are counted have no order"
                    .to_owned(),
            ));
        }
        if self.count_field.is_some() && self.count_field == self.group_by {
            return Err(OptionError::Usage(
                "--count-field and --group-by need two fields".to_owned(),
            ));
        }
        if let Some(count) = self.folds {
            return Ok(Validation::Folds { count });
        }
        if self.validation_data.is_some() {
            return Ok(Validation::Separate);
        }
        Ok(Validation::Split {
            strategy,
            train_ratio: self.train_ratio,
        })
    }
}
