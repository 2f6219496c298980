//! `anomaly-train predict`: scores for sequences, one answer for each line of input.

use crate::cli::failure::{Failure, shown};
use crate::cli::model::SavedModel;
use crate::cli::output::{Output, json_line};
use crate::cli::progress::Progress;
use crate::cli::read_ahead::ReadAhead;
use crate::cli::threshold::ThresholdArgs;
use crate::cli::values::{count, thread_count, threads};
use crate::cli::{input, model, vocabulary};
use anomaly_train::command_only::{in_order, one_line};
use anomaly_train::{
    AnomalyModel, Explanation, Label, LineChunk, LineChunks, OpenUnitInterval, Prediction, Refusal, Scorer, Unfamiliar,
};
use clap::{Args, ValueEnum};
use log::info;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) saved: SavedModel,

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
    pub(crate) top: usize,

    /// Write no answers for normal sequences
    #[arg(long)]
    pub(crate) only_anomalies: bool,

    /// Stop at the first line that is not a sample
    #[arg(long)]
    pub(crate) strict: bool,

    /// How answers are written: "auto" is a table on a terminal and JSON lines elsewhere
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) format: FormatArg,

    /// Most threads to use [default: all]; never changes a result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// JSON lines to score, plain or gzip; "-" is standard input. Each line but blank ones gets an answer
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
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Reasoned"))]
        explanation: Option<Reasoned>,
        /// Why it is anomalous, in a few words for the table.
        #[serde(skip)]
        reason: Option<String>,
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

/// An explanation for programs, and its evidence once more in sentences.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(crate) struct Reasoned {
    #[serde(flatten)]
    explanation: Explanation,
    /// The evidence in words.
    sentences: Vec<String>,
}

/// How answers are worked out and shown.
struct Answering<'m> {
    model: &'m AnomalyModel,
    threshold: OpenUnitInterval,
    /// Pieces of evidence in an explanation; 0 for none.
    evidence: usize,
    table: bool,
    strict: bool,
    only_anomalies: bool,
}

/// The answers to a chunk of lines.
#[derive(Default)]
struct Answered {
    text: Vec<u8>,
    refused: u64,
    /// What the model met.
    seen: Unfamiliar,
    /// With `strict`, the line that ended the work.
    stopped: Option<Refusal>,
}

pub(crate) fn run(args: &PredictArgs) -> Result<(), Failure> {
    let (artifact, path) = model::load(args.saved.model.as_deref(), &args.saved.models_dir)?;
    if args.saved.model.is_none() {
        info!("using {}", shown(&path));
    }
    let model = args.threshold.apply(&artifact)?;
    let by_hand = args.sequence.is_some();
    let table = match args.format {
        FormatArg::Auto => by_hand || io::stdout().is_terminal(),
        FormatArg::Table => true,
        FormatArg::Json => false,
    };
    let answering = Answering {
        model: &model,
        threshold: model.threshold(),
        evidence: if args.explain || by_hand { args.top } else { 0 },
        table,
        strict: args.strict,
        only_anomalies: args.only_anomalies,
    };
    match &args.sequence {
        Some(sequence) => {
            let mut text = Vec::new();
            let actions = sequence.split(',').map(str::trim).filter(|_| !sequence.is_empty());
            let mut scorer = model.scorer();
            let answer = answering.judge(&mut scorer, None, actions);
            let mut seen = Unfamiliar::default();
            scorer.note_unfamiliar(&mut seen);
            vocabulary::warn_of(&seen, &model);
            if table {
                // Writing to memory cannot fail.
                let _ = answer.write_alone(answering.threshold, &mut text);
            } else {
                answering.write(&answer, &mut text);
            }
            Output::stdout().show(&text)
        }
        None => follow(&answering, args),
    }
}

/// Answers the input chunk by chunk, each shared by all threads.
fn follow(answering: &Answering<'_>, args: &PredictArgs) -> Result<(), Failure> {
    let threads = thread_count(args.threads);
    // Answers may go to the same terminal, so there is no progress to show.
    let reader = input::open(&args.input, Progress::new(-1))?;
    let mut output = Output::stdout();
    let mut refused = 0;
    let mut seen = Unfamiliar::default();
    let chunks = input::chunks(LineChunks::new(reader), &args.input);
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
            seen.join(answered.seen);
            match answered.stopped {
                Some(refusal) => Err(Failure::refused(format_args!("{}:{refusal}", shown(&args.input)))),
                None => Ok(()),
            }
        })?;
    }
    output.finish()?;
    vocabulary::warn_of(&seen, answering.model);
    if refused > 0 {
        let lines = match refused {
            1 => "1 line is not a sample; its answer says why".to_owned(),
            _ => format!("{refused} lines are not samples; their answers say why"),
        };
        return Err(Failure::refused(format_args!("{}: {lines}", shown(&args.input))));
    }
    Ok(())
}

impl Answering<'_> {
    fn answer(&self, chunk: &LineChunk) -> Answered {
        let mut answered = Answered::default();
        let mut scorer = self.model.scorer();
        let mut samples = chunk.samples();
        while let Some(read) = samples.read_unlabelled() {
            let answer = match read {
                Ok(sample) => {
                    let answer = self.judge(&mut scorer, sample.id(), sample.actions());
                    scorer.note_unfamiliar(&mut answered.seen);
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
        scorer: &mut Scorer<&AnomalyModel>,
        id: Option<&'r RawValue>,
        actions: impl Iterator<Item = &'a str> + Clone,
    ) -> Answer<'r> {
        let Some(prediction) = scorer.predict(actions.clone()) else {
            return Answer::Empty {
                id,
                label: Label::Normal,
                score: None,
                confidence: None,
                empty: true,
            };
        };
        let Prediction {
            label,
            score,
            confidence,
            ..
        } = Prediction::new(prediction.score, self.threshold);
        let wants_reason = self.table && self.evidence == 0 && label == Label::Anomalous;
        Answer::Prediction {
            id,
            label,
            score,
            confidence,
            reason: wants_reason.then(|| scorer.explain(actions.clone(), usize::MAX).main_reason()),
            explanation: (self.evidence > 0).then(|| Reasoned::new(scorer.explain(actions, self.evidence))),
        }
    }
}

impl Reasoned {
    fn new(explanation: Explanation) -> Self {
        Self {
            sentences: explanation.sentences(),
            explanation,
        }
    }

    /// Writes the explanation for people, a sentence a line.
    fn write(&self, text: &mut Vec<u8>) -> io::Result<()> {
        let (log_odds, parts) = (self.explanation.log_odds, self.explanation.contributions);
        writeln!(text, "  log odds {log_odds:.3} = {parts}")?;
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

impl Answer<'_> {
    /// Writes the answer to a sequence that was typed by hand.
    fn write_alone(&self, threshold: OpenUnitInterval, text: &mut Vec<u8>) -> io::Result<()> {
        let Self::Prediction {
            label,
            score,
            confidence,
            explanation: Some(reasoned),
            ..
        } = self
        else {
            return self.write_row(text);
        };
        let label = name(*label);
        writeln!(
            text,
            "{label}: P(anomalous) {score:.4}, threshold {threshold}, confidence {confidence:.2}"
        )?;
        reasoned.write(text)
    }

    fn is_normal(&self) -> bool {
        match self {
            Self::Prediction { label, .. } => *label == Label::Normal,
            Self::Empty { .. } => true,
            Self::Error { .. } => false,
        }
    }

    /// Writes the answer for people: a row, and below it the explanation if there is one.
    fn write_row(&self, text: &mut Vec<u8>) -> io::Result<()> {
        let shown_id = |id: &Option<&RawValue>| id.map_or_else(|| "-".to_owned(), |id| one_line(id.get()));
        match self {
            Self::Prediction {
                id,
                label,
                score,
                explanation,
                reason,
                ..
            } => {
                let label = name(*label);
                let reason = reason.as_deref().unwrap_or_default();
                let row = format!("{label:<9}  {score:.4}  {}  {reason}", shown_id(id));
                writeln!(text, "{}", row.trim_end())?;
                explanation.as_ref().map_or(Ok(()), |reasoned| reasoned.write(text))
            }
            Self::Empty { id, .. } => writeln!(text, "{:<9}  {:<6}  {}  no actions", "normal", "-", shown_id(id)),
            Self::Error { line, error } => writeln!(text, "{:<9}  {:<6}  line {line}: {error}", "error", "-"),
        }
    }
}
