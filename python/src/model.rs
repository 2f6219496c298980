//! A trained model, with everything that is kept beside it in its file.

use crate::failure::Failure;
use crate::samples::Samples;
use crate::sequences::{Sequences, bitmap};
use crate::training::{again, threads_of};
use anomaly_train::options::count;
use anomaly_train::registry::{load_file, replace};
use anomaly_train::{
    Artifact, DatasetBuilder, EvaluationOptions, Label, Model as AnyModel, ModelKind, Prediction, Threshold, Training,
    evaluate,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

/// A model.
#[pyclass(frozen, module = "anomaly_train._native")]
#[derive(Debug)]
pub(crate) struct Model {
    artifact: Artifact,
    digest: String,
}

impl From<Artifact> for Model {
    fn from(artifact: Artifact) -> Self {
        Self {
            digest: artifact.digest(),
            artifact,
        }
    }
}

impl Model {
    fn model(&self) -> &AnyModel {
        &self.artifact.model
    }

    /// What the model says of each sequence, in order.
    fn score(&self, sequences: &Sequences, threads: NonZeroUsize) -> Vec<Option<Prediction>> {
        let threads = threads.get();
        let size = sequences.len().div_ceil(threads).max(1);
        let score = |start: usize| {
            let mut scorer = self.model().scorer();
            let rows = start..(start + size).min(sequences.len());
            rows.map(|row| scorer.predict(sequences.actions(row)))
                .collect::<Vec<_>>()
        };
        if size >= sequences.len() {
            return score(0);
        }
        thread::scope(|scope| {
            let starts = (0..sequences.len()).step_by(size);
            let workers: Vec<_> = starts.map(|start| scope.spawn(move || score(start))).collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined
                .flat_map(|scored| scored.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }
}

/// The answer to a sequence, as the command line gives it.
fn answer<'py>(py: Python<'py>, said: Option<&Prediction>) -> PyResult<Bound<'py, PyDict>> {
    let answer = PyDict::new(py);
    let Some(said) = said else {
        answer.set_item(pyo3::intern!(py, "label"), 0)?;
        answer.set_item(pyo3::intern!(py, "score"), py.None())?;
        answer.set_item(pyo3::intern!(py, "confidence"), py.None())?;
        answer.set_item(pyo3::intern!(py, "empty"), true)?;
        return Ok(answer);
    };
    answer.set_item(pyo3::intern!(py, "label"), u8::from(said.label == Label::Anomalous))?;
    answer.set_item(pyo3::intern!(py, "score"), said.score)?;
    answer.set_item(pyo3::intern!(py, "confidence"), said.confidence)?;
    if let Some(surprise) = said.surprise {
        answer.set_item(pyo3::intern!(py, "surprise"), surprise)?;
    }
    Ok(answer)
}

/// Columns of answers: labels as bytes, scores and confidences as 64-bit floats, a bit for each that says whether there is a score, and
/// surprises of a normal-only model.
type Columns<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Option<Bound<'py, PyBytes>>,
);

#[pymethods]
impl Model {
    /// Reads a model file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> Result<Self, Failure> {
        py.detach(|| Ok(load_file(&path)?.into()))
    }

    /// Reads what `to_bytes` gave.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> Result<Self, Failure> {
        py.detach(|| Ok(Artifact::read(bytes)?.into()))
    }

    /// The model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Failure> {
        let bytes = py.detach(|| {
            let mut bytes = Vec::new();
            let written = self.artifact.write(&mut bytes);
            written
                .map(|_| bytes)
                .map_err(|source| Failure::System { source, path: None })
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes the model file in one step: whatever happens, the old or the new one stands there.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Result<(), Failure> {
        py.detach(|| {
            let mut bytes = Vec::new();
            self.artifact
                .write(&mut bytes)
                .and_then(|_| replace(&path, &bytes))
                .map_err(|source| Failure::at(&path, source))
        })
    }

    /// Scores one sample or sequence.
    fn predict<'py>(&self, py: Python<'py>, sample: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>, Failure> {
        let mut sequences = Sequences::default();
        sequences.push(0, sample)?;
        let said = self.model().predict(sequences.actions(0));
        Ok(answer(py, said.as_ref())?)
    }

    /// Scores samples or sequences, and gives a list of answers.
    #[pyo3(signature = (samples, threads=None))]
    fn predict_list<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        threads: Option<i64>,
    ) -> Result<Bound<'py, PyList>, Failure> {
        let threads = threads_of(threads)?;
        let sequences = Sequences::of_items(samples)?;
        let said = py.detach(|| self.score(&sequences, threads));
        let answers: PyResult<Vec<_>> = said.iter().map(|said| answer(py, said.as_ref())).collect();
        Ok(PyList::new(py, answers?)?)
    }

    /// Scores samples or sequences, and gives columns.
    #[pyo3(signature = (samples, threads=None))]
    fn predict_columns<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        threads: Option<i64>,
    ) -> Result<Columns<'py>, Failure> {
        let threads = threads_of(threads)?;
        let sequences = Sequences::of_items(samples)?;
        let said = py.detach(|| self.score(&sequences, threads));
        Ok(self.columns(py, &said))
    }

    /// Scores columns of Arrow, see `Samples.of_arrow`, and gives columns.
    #[pyo3(signature = (lengths, offsets, text, threads=None))]
    fn predict_arrow<'py>(
        &self,
        py: Python<'py>,
        lengths: &[u8],
        offsets: &[u8],
        text: &[u8],
        threads: Option<i64>,
    ) -> Result<Columns<'py>, Failure> {
        let threads = threads_of(threads)?;
        let said = py.detach(|| {
            let sequences = Sequences::of_arrow(lengths, offsets, text)?;
            Ok::<_, Failure>(self.score(&sequences, threads))
        })?;
        Ok(self.columns(py, &said))
    }

    /// Why a sample or sequence has its score, as JSON: what `predict --explain` writes.
    #[pyo3(signature = (sample, top=10))]
    fn explain(&self, sample: &Bound<'_, PyAny>, top: i64) -> Result<String, Failure> {
        let top = count(&top.to_string()).map_err(|problem| Failure::Refused(format!("top: {problem}")))?;
        let mut sequences = Sequences::default();
        sequences.push(0, sample)?;
        let explanation = self.model().scorer().explain(sequences.actions(0), top);
        let sentences = explanation.sentences();
        let mut members = serde_json::to_value(&explanation)?;
        if let Some(members) = members.as_object_mut() {
            members.insert("sentences".to_owned(), sentences.into());
        }
        Ok(serde_json::to_string(&members)?)
    }

    /// The figures on labelled samples, as JSON.
    #[pyo3(signature = (samples, ece_bins=10, threads=None))]
    fn evaluate(
        &self,
        py: Python<'_>,
        samples: &Samples,
        ece_bins: u64,
        threads: Option<i64>,
    ) -> Result<String, Failure> {
        py.detach(|| {
            let threads = threads_of(threads)?;
            let unlabelled = (self.model().kind() == ModelKind::NormalOnly).then_some(Label::Normal);
            let normalizes = self.artifact.run.reading.mapping.normalize_names;
            let mut data = DatasetBuilder::new().normalize_names(normalizes);
            samples.add_with(unlabelled, &mut data)?;
            let data = data.build_on(threads);
            if data.is_empty() {
                return Err(Failure::Refused(
                    "no samples to judge on; the data are empty".to_owned(),
                ));
            }
            let options = EvaluationOptions {
                threshold: None,
                ece_bins: ece_bins
                    .try_into()
                    .map_err(|error| Failure::Refused(format!("ece_bins: {error}")))?,
                threads,
            };
            let evaluation = evaluate(self.model(), &data, &data.all(), &options);
            Ok(serde_json::to_string(&evaluation.metrics)?)
        })
    }

    /// Trains again on the samples or files that it was trained on. The first thing that differs, or nothing.
    #[pyo3(signature = (samples=None, paths=vec![], validation=None, validation_paths=vec![], threads=None))]
    fn verify(
        &self,
        py: Python<'_>,
        samples: Option<&Samples>,
        paths: Vec<PathBuf>,
        validation: Option<&Samples>,
        validation_paths: Vec<PathBuf>,
        threads: Option<i64>,
    ) -> Result<Option<String>, Failure> {
        py.detach(|| {
            again(
                &self.artifact,
                (samples, &paths),
                (validation, &validation_paths),
                threads_of(threads)?,
            )
        })
    }

    /// The same model with another threshold, or one that is chosen for a wish.
    fn with_threshold(&self, asked: &str) -> Result<Self, Failure> {
        let asked: Threshold = asked
            .parse()
            .map_err(|error| Failure::Refused(format!("anomaly_threshold: {error}")))?;
        let resolved = self.artifact.threshold(asked, None)?;
        Ok(self.artifact.clone().with_threshold(resolved.threshold).into())
    }

    #[getter]
    fn digest(&self) -> &str {
        &self.digest
    }

    #[getter]
    fn threshold(&self) -> f64 {
        self.model().threshold().get()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.model().kind().name()
    }

    /// Longest n-gram.
    #[getter]
    fn n(&self) -> usize {
        match Training::from(self.model()) {
            Training::Labelled(config) => config.ngram_size.get(),
            Training::NormalOnly(config) => config.ngram_size.get(),
        }
    }

    /// How many normal and anomalous samples it was trained on.
    #[getter]
    fn training_samples(&self) -> (u64, u64) {
        let samples = self.model().training_samples();
        (samples.normal, samples.anomalous)
    }

    /// The names of the actions that it knows, ascending.
    #[getter]
    fn actions(&self) -> Vec<&str> {
        self.model().actions().map(|(name, _)| name).collect()
    }

    /// Its figures, as JSON; "null" for none.
    #[getter]
    fn metrics(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string(&self.artifact.metrics)?)
    }

    /// The run that made it, as JSON.
    #[getter]
    fn run(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string(&self.artifact.run)?)
    }

    /// What speaks most for an anomaly and against it, as JSON; nothing of a normal-only model.
    #[pyo3(signature = (most=10))]
    fn top_features(&self, most: usize) -> Result<String, Failure> {
        let features = self.model().labelled().map(|model| model.top_features(most));
        Ok(serde_json::to_string(&features.unwrap_or_default())?)
    }
}

impl Model {
    pub(crate) fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    fn columns<'py>(&self, py: Python<'py>, said: &[Option<Prediction>]) -> Columns<'py> {
        let floats = |of: &dyn Fn(&Prediction) -> f64| {
            let floats = said
                .iter()
                .flat_map(|said| said.as_ref().map_or(f64::NAN, of).to_ne_bytes());
            PyBytes::new(py, &floats.collect::<Vec<u8>>())
        };
        let is_anomalous = |said: &Option<Prediction>| said.is_some_and(|said| said.label == Label::Anomalous);
        let labels: Vec<u8> = said.iter().map(|said| u8::from(is_anomalous(said))).collect();
        let has_surprise = self.model().kind() == ModelKind::NormalOnly;
        (
            PyBytes::new(py, &labels),
            floats(&|said| said.score),
            floats(&|said| said.confidence),
            bitmap(py, said.iter().map(Option::is_some)),
            has_surprise.then(|| floats(&|said| said.surprise.unwrap_or(f64::NAN))),
        )
    }
}
