//! How long each stage takes, on generated samples: `cargo bench` measures, `cargo test --bench stages` only runs each once.
//! docs/performance.md has whole runs and how they compare.

use anomaly_train::split::{SplitStrategy, split};
use anomaly_train::synthetic::{Scenario, generate};
use anomaly_train::{
    AnomalyModel, Artifact, Dataset, DatasetBuilder, EvaluationOptions, LineChunks, OpenUnitInterval, ReadOptions,
    TrainingConfig, evaluate, read_samples, train,
};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use std::num::NonZeroUsize;

fn main() {
    divan::main();
}

const SAMPLES: [u64; 2] = [1_000, 20_000];
const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn samples(count: u64) -> Dataset {
    generate(Scenario::Mixed, count, 42)
}

fn json_lines(count: u64) -> String {
    let data = samples(count);
    let line = |index: usize| {
        let actions: Vec<&str> = data.sequence(index).collect();
        let label = u8::from(data.label(index));
        format!(
            "{{\"features\": {{\"sequence\": [\"{}\"]}}, \"label\": {label}}}\n",
            actions.join("\", \"")
        )
    };
    (0..data.rows()).map(line).collect()
}

fn read(text: &str, threads: NonZeroUsize) -> Dataset {
    let mut data = DatasetBuilder::new();
    let read = read_samples(text.as_bytes(), &ReadOptions::default().threads(threads), &mut data);
    assert!(read.is_ok_and(|read| read.refused.count == 0));
    data.build()
}

fn model(data: &Dataset) -> AnomalyModel {
    train(data, &data.all(), &TrainingConfig::default()).expect("there are samples")
}

fn model_file(data: &Dataset) -> Vec<u8> {
    let mut file = Vec::new();
    Artifact::from(model(data)).write(&mut file).expect("memory takes it");
    file
}

#[divan::bench(args = SAMPLES)]
fn generate_mixed(bencher: Bencher, count: u64) {
    bencher.counter(ItemsCount::new(count)).bench(|| samples(count));
}

#[divan::bench(args = SAMPLES)]
fn read_json_lines(bencher: Bencher, count: u64) {
    let text = json_lines(count);
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(&text, ONE));
}

/// The same lines with an escape in each, which the usual reader leaves to the strict one.
#[divan::bench(args = SAMPLES)]
fn read_json_lines_with_escapes(bencher: Bencher, count: u64) {
    let text = json_lines(count)
        .replace("read", "\\u0072ead")
        .replace("label", "l\\u0061bel");
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(&text, ONE));
}

#[divan::bench(args = SAMPLES)]
fn split_by_groups(bencher: Bencher, count: u64) {
    let data = samples(count);
    let share = OpenUnitInterval::try_from(0.8).expect("within its bounds");
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| split(&data, SplitStrategy::Grouped, share, 42));
}

#[divan::bench(sample_count = 5, args = SAMPLES)]
fn choose_fit_and_calibrate(bencher: Bencher, count: u64) {
    let data = samples(count);
    bencher.counter(ItemsCount::new(count)).bench(|| model(&data));
}

#[divan::bench(args = SAMPLES)]
fn score_and_judge(bencher: Bencher, count: u64) {
    let data = samples(count);
    let (model, all, options) = (model(&data).into(), data.all(), EvaluationOptions::default());
    let judge = || evaluate(&model, &data, &all, &options);
    bencher.counter(ItemsCount::new(count)).bench(judge);
}

#[divan::bench(args = SAMPLES)]
fn digest_of_data(bencher: Bencher, count: u64) {
    let data = samples(count);
    bencher.counter(ItemsCount::new(count)).bench(|| data.digest());
}

#[divan::bench(args = SAMPLES)]
fn write_model(bencher: Bencher, count: u64) {
    let artifact = Artifact::from(model(&samples(count)));
    let size = BytesCount::new(model_file(&samples(count)).len());
    bencher.counter(size).bench(|| artifact.write(Vec::new()));
}

#[divan::bench(args = SAMPLES)]
fn load_model(bencher: Bencher, count: u64) {
    let file = model_file(&samples(count));
    bencher
        .counter(BytesCount::of_slice(&file))
        .bench(|| Artifact::read(&file[..]));
}

#[divan::bench(args = SAMPLES)]
fn read_and_score(bencher: Bencher, count: u64) {
    let (model, text) = (model(&samples(count)), json_lines(count));
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut scorer = model.scorer();
        let mut sum = 0.0;
        for chunk in LineChunks::new(text.as_bytes()) {
            let chunk = chunk.expect("memory can be read");
            let mut samples = chunk.samples();
            while let Some(Ok(sample)) = samples.read_unlabelled() {
                sum += scorer.log_odds(sample.actions());
            }
        }
        sum
    });
}

#[divan::bench(args = SAMPLES)]
fn explain(bencher: Bencher, count: u64) {
    let data = samples(count);
    let model = model(&data);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut scorer = model.scorer();
        let pieces = (0..data.rows()).map(|index| scorer.explain(data.sequence(index), 5).evidence.len());
        pieces.sum::<usize>()
    });
}
