//! Trains, judges and uses a detector of anomalous sequences of actions: tool calls of AI agents, system calls, audit and
//! log events.
//!
//! A sequence is scored by one logistic regression over four analyses (which actions and which n-grams it has, how evenly
//! its actions are spread, and how many of them differ), so every score is a sum whose parts can be looked at. Data flow one
//! way: [`Dataset`] → [`split`] → [`Trainer`] → [`AnomalyModel`] → [`metrics`] → [`Gate`] → [`Artifact`]. A
//! [`Monitor`](monitor::Monitor) goes from [`events`] to alerts.
//!
//! ```
//! use anomaly_train::split::{SplitStrategy, split};
//! use anomaly_train::synthetic::{Scenario, generate};
//! use anomaly_train::{AnomalyModel, Label, TrainingConfig, evaluate, train};
//!
//! let data = generate(Scenario::Documented, 2000, 42);
//! let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into()?, 42)?;
//! let model = train(&data, &parts.training, &TrainingConfig::default())?;
//!
//! let evaluation = evaluate(&model, &data, &parts.validation, model.threshold(), 10.try_into()?, 2.try_into()?);
//! assert!(evaluation.metrics.f1 > Some(0.99));
//!
//! let prediction = model.predict(["scan", "exploit", "inject"]);
//! assert_eq!(prediction.label, Label::Anomalous);
//!
//! let mut file = Vec::new();
//! model.save(&mut file)?;
//! let loaded = AnomalyModel::load(&file[..])?;
//! assert_eq!(loaded.predict(["scan", "exploit", "inject"]), prediction);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The library reads readers and writes writers; it knows no paths, no clock and no terminal. The same data, configuration
//! and seed give the same model to the last bit on every machine.

#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod advice;
mod artifact;
mod blocks;
mod bounds;
mod config;
mod dataset;
mod evaluation;
pub mod events;
mod explanation;
mod features;
mod few;
mod fingerprint;
mod gate;
mod history;
mod lookalikes;
pub mod metrics;
mod model;
pub mod monitor;
mod ngram_counter;
mod ngrams;
mod online;
mod optimizer;
mod packed;
mod page;
pub mod parallel;
mod random;
mod record;
pub mod split;
pub mod synthetic;
pub mod text;
mod trainer;
mod training_set;

pub use advice::{Findings, advice};
#[cfg(feature = "schema")]
pub use artifact::model_schema;
pub use artifact::{Artifact, Difference, FORMAT_VERSION, LoadError, MAX_MODEL_FILE, Promotion};
pub use blocks::{Block, Blocks};
pub use bounds::{Divergence, Limit, NgramSize, OutOfBounds, Penalty, Share, Smoothing, StepSize};
pub use config::{MAX_EPOCHS, MAX_SYNTHETIC, Provenance, Source, TrainingConfig, Validation};
pub use dataset::{ClassCounts, Dataset, Label};
pub use evaluation::{Evaluation, evaluate};
pub use explanation::{Contributions, Evidence, Explanation, Pattern, Unknown};
pub use gate::{Champion, Figures, Gate, MIN_SAMPLES, Verdict};
pub use history::{Act, Entry, History, HistoryError, ModelPath};
pub use lookalikes::lookalikes;
pub use model::{AnomalyModel, PatternWeight, Prediction, Scorer};
pub use page::Page;
pub use record::{MAX_ACTION, MAX_ACTIONS, Record, Records, Refusal, Refused, read_labelled};
pub use trainer::{Epoch, MANY_SEQUENCES, NoSamples, Trainer, train};
