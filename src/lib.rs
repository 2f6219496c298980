//! Trains, judges and uses a detector of anomalous sequences of actions: tool calls of AI agents, system calls, audit and
//! log events.
//!
//! A sequence is scored by one logistic regression over four analyses (which actions and which n-grams it has, how evenly
//! its actions are spread, and how many of them differ), so every score is a sum whose parts can be looked at. A [`NormalModel`]
//! learns without labels, from normal sequences alone, and promises a share of false alarms. Data flow one
//! way: [`Dataset`] → [`split`] → [`train`] or [`train_normal`] → [`Model`] → [`metrics`] → [`Gate`] → [`Artifact`]. A
//! [`Monitor`](monitor::Monitor) goes from [`events`] to alerts.
//!
//! ```
//! use anomaly_train::split::{SplitStrategy, split};
//! use anomaly_train::synthetic::{Scenario, generate};
//! use anomaly_train::{EvaluationOptions, Label, Model, TrainingConfig, evaluate, train};
//!
//! let data = generate(Scenario::Documented, 2000, 42);
//! let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into()?, 42)?;
//! let model = Model::from(train(&data, &parts.training, &TrainingConfig::default())?);
//!
//! let evaluation = evaluate(&model, &data, &parts.validation, &EvaluationOptions::default());
//! assert!(evaluation.metrics.f1 > Some(0.99));
//!
//! let prediction = model.predict(["scan", "exploit", "inject"]).ok_or("an empty sequence")?;
//! assert_eq!(prediction.label, Label::Anomalous);
//!
//! let mut file = Vec::new();
//! model.save(&mut file)?;
//! let loaded = Model::load(&file[..])?;
//! assert_eq!(loaded.predict(["scan", "exploit", "inject"]), Some(prediction));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The library reads readers and writes writers; it knows no paths, no clock and no terminal. The same data, configuration
//! and seed give the same model to the last bit on every machine.

#![forbid(unsafe_code)]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod artifact;
mod bounded_map;
mod bounds;
mod data;
mod entropy;
mod evaluate;
#[cfg(feature = "files")]
pub mod files;
mod input;
mod model;
pub mod monitor;
#[cfg(feature = "options")]
pub mod options;
// What the command uses of it and the rest of the library does not is left out with the command.
#[cfg_attr(not(feature = "cli"), allow(dead_code, unreachable_pub))]
mod parallel;
mod random;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "report")]
mod report;
mod run;
#[cfg_attr(not(feature = "cli"), allow(dead_code, unreachable_pub))]
mod text;
mod train;

#[cfg(feature = "schema")]
pub use artifact::model_schema;
pub use artifact::{Artifact, Difference, FORMAT_VERSION, LoadError, MAX_MODEL_FILE, Resolved};
pub use bounds::{
    BatchSize, Bins, CalibrationOffset, CalibrationSlope, Capacity, Count, Divergence, Epochs, FoldCount, MaxNgrams,
    Multiplicity, NgramSize, OpenUnitInterval, OutOfBounds, Penalty, SampleCount, Smoothing, StepSize, UnitInterval,
    WindowSize,
};
pub use data::confusables::confusables;
pub use data::dataset::{AnomalousSamples, Dataset, DatasetBuilder, MAX_ACTION, MAX_ACTIONS, SampleError};
pub use data::label::{ClassCounts, Label, MAX_SAMPLES};
pub use data::part::Part;
pub use data::profile::{Conflicts, Groups, Lengths, Profile};
pub use data::unit::Unit;
pub use data::{split, synthetic};
pub use evaluate::diagnostics::{DataFindings, Diagnostics, advice, data_advice};
pub use evaluate::drift::{Change, Drift, STABLE, UNSTABLE};
pub use evaluate::evaluation::{DEFAULT_ECE_BINS, Evaluation, EvaluationOptions, evaluate};
pub use evaluate::gate::{Bound, Champion, Gate, Judged, KeyMetrics, MIN_SAMPLES, Reason, ReasonCode, Verdict};
pub use evaluate::metrics;
pub use evaluate::session_scores::{Budget, BudgetError, Caution, FEW_GROUPS, SessionScores, WINDOW};
pub use evaluate::threshold::{Chosen, LeftOutScores, Threshold, Wish, WishError};
pub use input::events;
pub use input::line_chunks::{LineChunk, LineChunks};
pub use input::lines::{Refusal, Refused};
pub use input::logs;
pub use input::placeholders::names_without_parameters;
pub use input::samples::{GroupField, ReadOptions, ReadSummary, Sample, SampleReader, UnlabelledSample, read_samples};
pub use model::config::{Calibrate, TrainingConfig};
pub use model::explanation::{Contributions, Evidence, Explanation, Unknown};
pub use model::fitted::{Calibration, Fitted, Method};
pub use model::kind::{Model, ModelExplanation, ModelKind, ModelScorer};
pub use model::normal::config::NormalConfig;
pub use model::normal::conformal::fewest_to_promise;
pub use model::normal::explanation::{ExpectedAction, NormalExplanation, SurprisingAction, UnusualTimes, Window};
pub use model::normal::{NormalModel, NormalScorer};
pub use model::pattern::Pattern;
pub use model::unfamiliar::Unfamiliar;
pub use model::{AnomalyModel, PatternWeight, Prediction, Scorer};
#[cfg(feature = "registry")]
pub use registry::history::{Act, Entry, History, HistoryError, ModelPath};
#[cfg(feature = "report")]
pub use report::{CheckReport, HtmlReport, HtmlReportError, Place};
pub use run::{
    DEFAULT_SYNTHETIC, DEFAULT_TRAIN_RATIO, DataSummary, Origin, Outcome, Reading, Run, RunError, Samples, SideBySide,
    Source, Training, Validation,
};
pub use train::cross_validation::OutOfFold;
pub use train::normal::{TrainedNormal, train_normal};
pub use train::trainer::{Epoch, TrainError, Trained, train, train_on};

/// What the command shares with the library. It is no part of the library's interface and may change with every version.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod command_only {
    pub use crate::parallel::in_order;
    pub use crate::text::{is_harmful, name, one_line, path};
}
