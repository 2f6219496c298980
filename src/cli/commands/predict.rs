//! `anomaly-train predict`: scores for sequences, one answer for each line of input.

use crate::cli::failure::{Failure, shown};
use crate::cli::origin::Origin;
use crate::cli::output::{Output, json_line};
use crate::cli::progress::Progress;
use crate::cli::shared_args::{ModelsDir, Threads};
use crate::cli::threshold::{ThresholdArgs, as_given};
use crate::cli::{input, model, style, vocabulary};
use anomaly_train::command_only::{in_order, one_line};
use anomaly_train::events::Session;
use anomaly_train::files::ReadAhead;
use anomaly_train::files::{BadLines, Logs};
use anomaly_train::logs::{Format, Mapping, Recognised, normalize_name, recognise};
use anomaly_train::options::LogOptions;
use anomaly_train::options::count;
use anomaly_train::{
    Label, LineChunk, LineChunks, Model, ModelExplanation, ModelKind, ModelScorer, Prediction, Refusal, Unfamiliar,
};
use clap::{ArgAction, Args, ValueEnum};
use log::info;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::slice;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PredictArgs {
    /// The model file [default: the current model]; may be given twice, one that learned from labels and a normal-only one: each
    /// speaks for itself then
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) model: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// Score this sequence instead of a file: actions with commas between them, blanks around which do not count
    #[arg(long, value_name = "A,B,C", conflicts_with_all = ["input", "only_anomalies", "strict", "threads"])]
    pub(crate) sequence: Option<String>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,

    /// Say why: what each analysis contributes, and the actions and n-grams that weigh most
    #[arg(long)]
    pub(crate) explain: bool,

    /// How many actions and n-grams an explanation names
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    #[arg(hide_short_help = true)]
    pub(crate) top: usize,

    /// Write no answers for normal sequences
    #[arg(long)]
    pub(crate) only_anomalies: bool,

    /// Stop at the first line that is not a sample
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) strict: bool,

    /// How answers are written: "auto" is a table on a terminal and JSON lines elsewhere
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) format: FormatArg,

    /// Write JSON lines, whatever reads them
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) threads: Threads,

    #[command(flatten)]
    pub(crate) logs: LogOptions,

    /// Samples as JSON lines, or a log, to score, plain, gzip or zstd; a folder stands for the files in it, "-" for standard input. Each
    /// line of samples but blank ones gets an answer, and each session of a log. Logs are read as they were in training
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) input: PathBuf,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatArg {
    /// A table on a terminal, JSON lines elsewhere
    Auto,
    /// A table
    Table,
    /// JSON lines
    Json,
}

/// What is written for a line of input.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[cfg_attr(feature = "schema", schemars(title = "Prediction", deny_unknown_fields))]
pub(crate) enum Answer<'a> {
    /// The score of a sequence.
    Prediction {
        #[cfg_attr(feature = "schema", schemars(extend("type" = ["string", "number", "boolean", "null"])))]
        id: Option<&'a RawValue>,
        label: Label,
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
        score: f64,
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
        confidence: f64,
        /// In bits, of a normal-only model: ranks what scores the same.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "f64"))]
        surprise: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Reasoned"))]
        explanation: Option<Reasoned>,
        /// Why it is anomalous, in a few words for the table.
        #[serde(skip)]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Speaking<'_>"))]
        origin: Option<Box<Speaking<'a>>>,
    },
    /// What two models say of a sequence, each for itself.
    Both {
        #[cfg_attr(feature = "schema", schemars(extend("type" = ["string", "number", "boolean", "null"])))]
        id: Option<&'a RawValue>,
        /// The one that learned from labels.
        labelled: Box<Said>,
        /// The one that learned from normal sequences alone.
        normal_only: Box<Said>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Speaking<'_>"))]
        origin: Option<Box<Speaking<'a>>>,
    },
    /// No action, so nothing to judge: normal, without a score.
    Empty {
        #[cfg_attr(feature = "schema", schemars(extend("type" = ["string", "number", "boolean", "null"])))]
        id: Option<&'a RawValue>,
        #[cfg_attr(feature = "schema", schemars(extend("const" = 0)))]
        label: Label,
        #[cfg_attr(feature = "schema", schemars(with = "()"))]
        score: Option<f64>,
        #[cfg_attr(feature = "schema", schemars(with = "()"))]
        confidence: Option<f64>,
        #[cfg_attr(feature = "schema", schemars(extend("const" = true)))]
        empty: bool,
    },
    /// A line that is not a sample.
    Error {
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        line: u64,
        error: String,
    },
}

/// How many pieces of evidence say which events speak for an anomaly, if no explanation is asked for.
const EVENTS: usize = 5;

/// Where a session comes from, and what in it speaks for an anomaly.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Speaking<'a> {
    #[serde(flatten)]
    origin: Origin<'a>,
    /// Of an anomalous session, the ids of the events that speak for it, as far as events have ids.
    event_ids: Vec<&'a str>,
}

impl<'a> Speaking<'a> {
    /// `positions` are those of the events, counted from 1.
    fn new(session: Session<'a>, files: &[PathBuf], mut positions: Vec<usize>) -> Self {
        positions.sort_unstable();
        positions.dedup();
        let ids: Vec<&str> = session.event_ids().collect();
        let of_positions = positions.iter().filter_map(|&position| ids.get(position - 1).copied());
        Self {
            origin: Origin::of(session, files),
            event_ids: of_positions.filter(|id| !id.is_empty()).collect(),
        }
    }
}

/// What one of two models says of a sequence.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(crate) struct Said {
    label: Label,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    score: f64,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    confidence: f64,
    /// In bits, of a normal-only model: ranks what scores the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    surprise: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Reasoned"))]
    explanation: Option<Reasoned>,
    /// Why it is anomalous, in a few words for the table.
    #[serde(skip)]
    reason: Option<String>,
}

/// An explanation for programs, and its evidence once more in sentences.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(crate) struct Reasoned {
    #[serde(flatten)]
    explanation: ModelExplanation,
    /// The evidence in words.
    sentences: Vec<String>,
}

/// How answers are worked out and shown.
struct Answering<'m> {
    /// One, or one of each kind.
    models: &'m [Model],
    /// Pieces of evidence in an explanation; 0 for none.
    evidence: usize,
    table: bool,
    strict: bool,
    only_anomalies: bool,
    /// How logs are read.
    mapping: Mapping,
}

/// The answers to a chunk of lines.
#[derive(Default)]
struct Answered {
    text: Vec<u8>,
    refused: u64,
    /// What each model met.
    seen: Vec<Unfamiliar>,
    /// With `strict`, the line that ended the work.
    stopped: Option<Refusal>,
}

pub(crate) fn run(args: &PredictArgs) -> Result<(), Failure> {
    args.threshold.check_for(args.model.len())?;
    let (mut models, mut mapping) = (Vec::new(), None);
    if args.model.is_empty() {
        let (artifact, path) = model::load(None, &args.models_dir.path)?;
        info!("using {}", shown(&path));
        models.push(args.threshold.apply(&artifact)?);
        mapping = Some(artifact.run.reading.mapping);
    }
    for path in &args.model {
        let (artifact, _) = model::load(Some(path), &args.models_dir.path)?;
        models.push(args.threshold.apply(&artifact)?);
        mapping = mapping.or(Some(artifact.run.reading.mapping));
    }
    let mapping = mapping.unwrap_or_default().overridden_by(args.logs.mapping()?);
    model::check_kinds(models.iter().map(Model::kind))?;
    models.sort_by_key(Model::kind);
    let by_hand = args.sequence.is_some();
    let table = match args.format {
        _ if args.json => false,
        FormatArg::Auto => by_hand || io::stdout().is_terminal(),
        FormatArg::Table => true,
        FormatArg::Json => false,
    };
    let answering = Answering {
        models: &models,
        evidence: if args.explain || by_hand { args.top } else { 0 },
        table,
        strict: args.strict,
        only_anomalies: args.only_anomalies,
        mapping,
    };
    match &args.sequence {
        Some(sequence) => {
            let mut text = Vec::new();
            let actions = sequence.split(',').map(str::trim).filter(|_| !sequence.is_empty());
            let mut scorers = answering.scorers();
            let answer = answering.judge_named(&mut scorers, None, actions);
            let mut seen = answering.nothing_seen();
            note_unfamiliar(&scorers, &mut seen);
            answering.warn_of(&seen);
            if table {
                // Writing to memory cannot fail.
                let _ = answer.write_alone(&models, &mut text);
            } else {
                answering.write(&answer, &mut text);
            }
            Output::stdout().show(&text)
        }
        None => follow(&answering, args),
    }
}

/// Answers the files of the input one after the other: samples as they come, and sessions when all files have been read.
fn follow(answering: &Answering<'_>, args: &PredictArgs) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if answering.table {
        output.line(&style::paint(
            "label      score   id",
            style::HEADER,
            output.is_coloured(),
        ))?;
    }
    let mut seen = answering.nothing_seen();
    let mut logs = Logs::new(&answering.mapping).with_ids();
    let mut bad = BadLines::new(args.logs.skip_bad_lines);
    for path in input::expand(slice::from_ref(&args.input))? {
        // Answers may go to the same terminal, so there is no progress to show.
        let reader = input::open(&path, Progress::new(-1))?;
        let found = recognise(reader, &answering.mapping).map_err(|error| input::read_failure(&path, error))?;
        let Recognised { kind, reader } = found;
        if kind.format == Format::Samples {
            answer_samples(answering, args, (reader, &path), &mut seen, &mut output)?;
        } else {
            logs.read(kind, &answering.mapping, reader, &path, &mut bad)?;
        }
    }
    let files = logs.names().to_vec();
    let judged = bad.judge(logs.records());
    if args.strict && judged.is_err() {
        return Ok(judged?);
    }
    if let Some(sessions) = logs.finish() {
        let sessions: Vec<Session<'_>> = sessions.iter().collect();
        answering.answer_sessions(&sessions, &files, args, &mut seen, &mut output)?;
    }
    output.finish()?;
    answering.warn_of(&seen);
    Ok(judged?)
}

/// Answers samples chunk by chunk, each shared by all threads.
fn answer_samples(
    answering: &Answering<'_>,
    args: &PredictArgs,
    (reader, path): (impl Read + Send + 'static, &Path),
    seen: &mut [Unfamiliar],
    output: &mut Output,
) -> Result<(), Failure> {
    let threads = args.threads.count();
    let mut refused: u64 = 0;
    let chunks = input::chunks(LineChunks::new(reader), path);
    for batch in ReadAhead::start(chunks, threads) {
        let mut batch = batch?;
        if batch.len() < threads.get() {
            let pieces = threads.get().div_ceil(batch.len());
            batch = batch.into_iter().flat_map(|chunk| chunk.split(pieces)).collect();
        }
        let answer = |chunk: &LineChunk| answering.answer(chunk);
        in_order(&batch, threads, answer, |answered: Answered| {
            output.show(&answered.text)?;
            refused += answered.refused;
            seen.iter_mut()
                .zip(answered.seen)
                .for_each(|(seen, new)| seen.join(new));
            match answered.stopped {
                Some(refusal) => Err(Failure::refused(format_args!("{}:{refusal}", shown(path)))),
                None => Ok(()),
            }
        })?;
    }
    if refused > 0 {
        output.finish()?;
        answering.warn_of(seen);
        let lines = match refused {
            1 => "1 line is not a sample; its answer says why".to_owned(),
            _ => format!("{refused} lines are not samples; their answers say why"),
        };
        return Err(Failure::refused(format_args!("{}: {lines}", shown(path))));
    }
    Ok(())
}

/// Notes what each scorer met in the latest sequence.
fn note_unfamiliar(scorers: &[ModelScorer<'_>], seen: &mut [Unfamiliar]) {
    for (scorer, seen) in scorers.iter().zip(seen) {
        scorer.note_unfamiliar(seen);
    }
}

impl Answering<'_> {
    fn scorers(&self) -> Vec<ModelScorer<'_>> {
        self.models.iter().map(Model::scorer).collect()
    }

    fn nothing_seen(&self) -> Vec<Unfamiliar> {
        vec![Unfamiliar::default(); self.models.len()]
    }

    /// Warns if much is unknown to a model.
    fn warn_of(&self, seen: &[Unfamiliar]) {
        for (model, seen) in self.models.iter().zip(seen) {
            vocabulary::warn_of(seen, model.actions().map(|(name, _)| name));
        }
    }

    fn answer(&self, chunk: &LineChunk) -> Answered {
        let mut answered = Answered {
            seen: self.nothing_seen(),
            ..Answered::default()
        };
        let mut scorers = self.scorers();
        let mut samples = chunk.samples();
        while let Some(read) = samples.read_unlabelled() {
            let answer = match read {
                Ok(sample) => {
                    let answer = self.judge_named(&mut scorers, sample.id(), sample.actions());
                    note_unfamiliar(&scorers, &mut answered.seen);
                    answer
                }
                Err(refusal) if self.strict => {
                    answered.stopped = Some(refusal);
                    break;
                }
                Err(refusal) => {
                    answered.refused += 1;
                    Answer::Error {
                        line: refusal.line,
                        error: refusal.problem,
                    }
                }
            };
            if self.only_anomalies && answer.is_normal() {
                continue;
            }
            self.write(&answer, &mut answered.text);
        }
        answered
    }

    /// Judges actions whose names are still as somebody wrote them.
    fn judge_named<'r, 'a>(
        &self,
        scorers: &mut [ModelScorer<'_>],
        id: Option<&'r RawValue>,
        actions: impl Iterator<Item = &'a str> + Clone,
    ) -> Answer<'r> {
        if !self.mapping.normalize_names {
            return self.judge(scorers, id, actions);
        }
        let names: Vec<Cow<'_, str>> = actions.map(normalize_name).collect();
        self.judge(scorers, id, names.iter().map(AsRef::as_ref))
    }

    /// Answers sessions, shared by all threads.
    fn answer_sessions(
        &self,
        sessions: &[Session<'_>],
        files: &[PathBuf],
        args: &PredictArgs,
        seen: &mut [Unfamiliar],
        output: &mut Output,
    ) -> Result<(), Failure> {
        let batches: Vec<&[Session<'_>]> = sessions.chunks(1000).collect();
        let answer = |batch: &&[Session<'_>]| {
            let mut answered = Answered {
                seen: self.nothing_seen(),
                ..Answered::default()
            };
            let mut scorers = self.scorers();
            for &session in *batch {
                let id = serde_json::value::to_raw_value(&session.id()).ok();
                let mut answer = self.judge(&mut scorers, id.as_deref(), session.actions());
                note_unfamiliar(&scorers, &mut answered.seen);
                let mut positions = Vec::new();
                for scorer in answer.alarmed(&mut scorers) {
                    let explanation = scorer.explain(session.actions(), self.evidence.max(EVENTS));
                    positions.extend(explanation.positions(session.actions()));
                }
                answer.set_origin(Speaking::new(session, files, positions));
                if !(self.only_anomalies && answer.is_normal()) {
                    self.write(&answer, &mut answered.text);
                }
            }
            answered
        };
        in_order(&batches, args.threads.count(), answer, |answered: Answered| {
            seen.iter_mut()
                .zip(answered.seen)
                .for_each(|(seen, new)| seen.join(new));
            output.show(&answered.text)
        })
    }

    fn write(&self, answer: &Answer<'_>, text: &mut Vec<u8>) {
        let written = if self.table {
            answer.write_row(text)
        } else {
            json_line(text, answer)
        };
        // Writing to memory cannot fail.
        debug_assert!(written.is_ok(), "{written:?}");
    }

    fn judge<'r, 'a>(
        &self,
        scorers: &mut [ModelScorer<'_>],
        id: Option<&'r RawValue>,
        actions: impl Iterator<Item = &'a str> + Clone,
    ) -> Answer<'r> {
        let empty = Answer::Empty {
            id,
            label: Label::Normal,
            score: None,
            confidence: None,
            empty: true,
        };
        let said = match scorers {
            [scorer] => self.ask(scorer, actions).map(|said| Answer::one(id, said)),
            [labelled, normal_only, ..] => self
                .ask(labelled, actions.clone())
                .zip(self.ask(normal_only, actions))
                .map(|(labelled, normal_only)| Answer::Both {
                    id,
                    labelled: Box::new(labelled),
                    normal_only: Box::new(normal_only),
                    origin: None,
                }),
            [] => None,
        };
        said.unwrap_or(empty)
    }

    /// What a model says of a sequence, if it has an action.
    fn ask<'a>(&self, scorer: &mut ModelScorer<'_>, actions: impl Iterator<Item = &'a str> + Clone) -> Option<Said> {
        let Prediction {
            label,
            score,
            confidence,
            surprise,
            ..
        } = scorer.predict(actions.clone())?;
        let wants_reason = self.table && self.evidence == 0 && label == Label::Anomalous;
        Some(Said {
            label,
            score,
            confidence,
            surprise,
            reason: wants_reason.then(|| scorer.explain(actions.clone(), usize::MAX).main_reason()),
            explanation: (self.evidence > 0).then(|| Reasoned::new(scorer.explain(actions, self.evidence))),
        })
    }
}

impl Reasoned {
    fn new(explanation: ModelExplanation) -> Self {
        Self {
            sentences: explanation.sentences(),
            explanation,
        }
    }

    /// Writes the explanation for people, a sentence a line.
    fn write(&self, text: &mut Vec<u8>) -> io::Result<()> {
        writeln!(text, "  {}", self.explanation.sum())?;
        self.sentences
            .iter()
            .try_for_each(|sentence| writeln!(text, "  {sentence}"))
    }
}

fn name(label: Label) -> &'static str {
    match label {
        Label::Normal => "normal",
        Label::Anomalous => "anomalous",
    }
}

impl<'a> Answer<'a> {
    fn one(id: Option<&'a RawValue>, said: Said) -> Self {
        let Said {
            label,
            score,
            confidence,
            surprise,
            explanation,
            reason,
        } = said;
        Self::Prediction {
            id,
            label,
            score,
            confidence,
            surprise,
            explanation,
            reason,
            origin: None,
        }
    }

    /// Writes the answer to a sequence that was typed by hand.
    fn write_alone(&self, models: &[Model], text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Prediction {
                label,
                score,
                confidence,
                explanation,
                ..
            } => models
                .iter()
                .try_for_each(|model| write_alone(model, (*label, *score, *confidence), explanation.as_ref(), text)),
            Self::Both {
                labelled, normal_only, ..
            } => models
                .iter()
                .zip([labelled, normal_only])
                .try_for_each(|(model, said)| {
                    let figures = (said.label, said.score, said.confidence);
                    write_alone(model, figures, said.explanation.as_ref(), text)
                }),
            Self::Empty { .. } | Self::Error { .. } => self.write_row(text),
        }
    }

    /// The scorers that take the sequence for anomalous.
    fn alarmed<'s, 'm>(&self, scorers: &'s mut [ModelScorer<'m>]) -> Vec<&'s mut ModelScorer<'m>> {
        let labels = match self {
            Self::Prediction { label, .. } => vec![*label],
            Self::Both {
                labelled, normal_only, ..
            } => vec![labelled.label, normal_only.label],
            Self::Empty { .. } | Self::Error { .. } => Vec::new(),
        };
        let said = scorers.iter_mut().zip(labels);
        said.filter(|(_, label)| *label == Label::Anomalous)
            .map(|(scorer, _)| scorer)
            .collect()
    }

    fn set_origin(&mut self, of: Speaking<'a>) {
        if let Self::Prediction { origin, .. } | Self::Both { origin, .. } = self {
            *origin = Some(Box::new(of));
        }
    }

    fn is_normal(&self) -> bool {
        match self {
            Self::Prediction { label, .. } => *label == Label::Normal,
            Self::Both {
                labelled, normal_only, ..
            } => labelled.label == Label::Normal && normal_only.label == Label::Normal,
            Self::Empty { .. } => true,
            Self::Error { .. } => false,
        }
    }

    /// Writes the answer for people: a row for each model, and below it the explanation if there is one.
    fn write_row(&self, text: &mut Vec<u8>) -> io::Result<()> {
        let shown_id = |id: &Option<&RawValue>| id.map_or_else(|| "-".to_owned(), |id| one_line(id.get()));
        let mut row =
            |id, (label, score): (Label, f64), whose: &str, reason: &Option<String>, explanation: &Option<Reasoned>| {
                let reason = reason.as_deref().unwrap_or_default();
                let row = format!("{:<9}  {score:.4}  {}  {whose}{reason}", name(label), shown_id(id));
                writeln!(text, "{}", row.trim_end())?;
                explanation.as_ref().map_or(Ok(()), |reasoned| reasoned.write(text))
            };
        match self {
            Self::Prediction {
                id,
                label,
                score,
                explanation,
                reason,
                ..
            } => row(id, (*label, *score), "", reason, explanation),
            Self::Both {
                id,
                labelled,
                normal_only,
                ..
            } => [(labelled, "labelled  "), (normal_only, "normal-only  ")]
                .into_iter()
                .try_for_each(|(said, whose)| {
                    row(id, (said.label, said.score), whose, &said.reason, &said.explanation)
                }),
            Self::Empty { id, .. } => writeln!(text, "{:<9}  {:<6}  {}  no actions", "normal", "-", shown_id(id)),
            Self::Error { line, error } => writeln!(text, "{:<9}  {:<6}  line {line}: {error}", "error", "-"),
        }
    }
}

/// Writes what a model says of a sequence that was typed by hand: the label, what it goes by, and why.
fn write_alone(
    model: &Model,
    (label, score, confidence): (Label, f64, f64),
    explanation: Option<&Reasoned>,
    text: &mut Vec<u8>,
) -> io::Result<()> {
    let (label, threshold) = (name(label), as_given(model.threshold().get()));
    let score = match model.kind() {
        ModelKind::Labelled => format!("P(anomalous) {score:.4}"),
        ModelKind::NormalOnly => format!("1 - p-value {score:.4}"),
    };
    writeln!(
        text,
        "{label}: {score}, threshold {threshold}, confidence {confidence:.2}"
    )?;
    explanation.map_or(Ok(()), |reasoned| reasoned.write(text))
}
