//! What is said of actions that a model does not know.

use anomaly_train::Unfamiliar;
use anomaly_train::command_only::name;
use log::warn;

/// Share of unknown actions from which on it is said, among however few actions.
const MOST: f64 = 0.5;
/// The same among many, and how many unknown ones these are: so many of them decide more than a few scores.
const MUCH: f64 = 0.1;
const MANY: u64 = 100;
/// Most names that are listed.
const LISTED: usize = 3;
/// Names less alike than this have nothing to do with each other.
const ALIKE: f64 = 0.5;
/// Most known names that are compared with: finding the nearest of very many would take longer than scoring.
const COMPARED: usize = 10_000;

/// Warns if much of what a model was given is unknown to it, where it knows these names.
pub(crate) fn warn_of<'m>(seen: &Unfamiliar, known: impl Iterator<Item = &'m str>) {
    let share = seen.share();
    if share < MUCH || share < MOST && seen.unknown() < MANY {
        return;
    }
    let names = seen.names();
    let known: Vec<&str> = known.take(COMPARED).collect();
    let listed = names
        .iter()
        .take(LISTED)
        .map(|(unknown, _)| match nearest(unknown, &known) {
            Some(known) => format!("{} (it knows {})", name(unknown), name(known)),
            None => name(unknown),
        });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    warn!(
        "{:.0} % of the actions are unknown to this model, and raise the scores for that alone: {listed}{more}; if they are other names \
         for known ones, spell them as in training, else train again",
        100.0 * share
    );
}

/// The known name that is most like this one, by the pairs of letters that they have in common, if one is.
fn nearest<'m>(unknown: &str, known: &[&'m str]) -> Option<&'m str> {
    let alike = known
        .iter()
        .map(|&known| (strsim::sorensen_dice(unknown, known), known));
    let (alike, known) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (alike >= ALIKE).then_some(known)
}
