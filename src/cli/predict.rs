//! `anomaly-train predict`: scores for sequences, one JSON line for each line of input.

use super::args::PredictArgs;
use super::failure::{Failure, shown};
use super::input;
use super::output::Output;
use super::progress::Progress;
use anomaly_train::{AnomalyModel, Label, LoadError, Prediction, Record, RecordReader};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// What is written for a line of input.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Prediction {
        id: Option<&'a RawValue>,
        #[serde(flatten)]
        prediction: Prediction,
    },
    /// No action, so nothing to judge: normal, without a score.
    Empty {
        id: Option<&'a RawValue>,
        label: Label,
        score: Option<f64>,
        confidence: Option<f64>,
        empty: bool,
    },
    Error {
        line: u64,
        error: String,
    },
}

pub(crate) fn run(args: &PredictArgs) -> Result<(), Failure> {
    let model = load(&args.model)?;
    let mut scorer = model.scorer();
    // Answers may go to the same terminal, so there is no progress to show.
    let mut reader = RecordReader::new(input::open(&args.input, Progress::new(-1))?);
    let mut record = Record::default();
    let mut output = Output::stdout();
    let mut refused = 0_u64;
    while let Some(read) = reader
        .read(&mut record)
        .map_err(|error| input::reading(&args.input, &error))?
    {
        output.json_line(&match read {
            Ok(()) if record.actions().len() == 0 => Answer::Empty {
                id: record.id(),
                label: Label::Normal,
                score: None,
                confidence: None,
                empty: true,
            },
            Ok(()) => Answer::Prediction {
                id: record.id(),
                prediction: scorer.predict(record.actions()),
            },
            Err(refusal) => {
                refused += 1;
                Answer::Error {
                    line: refusal.line,
                    error: refusal.problem,
                }
            }
        })?;
    }
    output.finish()?;
    if refused > 0 {
        return Err(Failure::refused(format_args!(
            "{}: {refused} of the lines are not samples; their answers say why",
            shown(&args.input)
        )));
    }
    Ok(())
}

fn load(path: &Path) -> Result<AnomalyModel, Failure> {
    let file = File::open(path).map_err(|error| Failure::at(path, "cannot open", &error))?;
    AnomalyModel::load(BufReader::new(file)).map_err(|error| match error {
        LoadError::Io(error) => Failure::at(path, "cannot read", &error),
        LoadError::Refused(problem) => Failure::refused(format_args!("{}: {problem}", shown(path))),
    })
}
