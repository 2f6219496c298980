//! Small drawings as SVG. They are made of numbers and fixed words only, so nothing in them needs escaping; colours come
//! from the style sheet of the page.

use std::fmt::Write;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// Most points that a curve is drawn with: more than there are pixels would be wasted.
const MAX_POINTS: usize = 400;

/// Maps 0..1 to the drawing area.
fn x(value: f64) -> f64 {
    LEFT + value * (WIDTH - LEFT - RIGHT)
}

fn y(value: f64) -> f64 {
    HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)
}

/// The frame of a drawing over 0..1 in both directions, with `marks` as the labels of the vertical axis.
fn frame(description: &str, x_label: &str, y_label: &str, marks: [&str; 3], content: &str) -> String {
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{description}\">\
         <rect class=\"area\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>",
        x(1.0) - LEFT,
        y(0.0) - TOP
    );
    for (value, mark) in [0.0, 0.5, 1.0].into_iter().zip(marks) {
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{2}\" y2=\"{2}\"/>\
             <text x=\"{1}\" y=\"{3}\" text-anchor=\"end\">{mark}</text>",
            x(1.0),
            LEFT - 5.0,
            y(value),
            y(value) + 4.0
        );
    }
    for (value, mark) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{mark}</text>",
            x(value),
            y(0.0) + 15.0
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{x_label}</text>\
         <text transform=\"translate(12 {}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>{content}</svg>",
        x(0.5),
        HEIGHT - 8.0,
        y(0.5)
    );
    svg
}

/// A curve through `points`, each in 0..1 both ways, beside the dashed line of knowing nothing from one point to another, and with
/// what the threshold in use does, if that is defined.
pub(super) fn curve(
    description: &str,
    labels: (&str, &str),
    points: &[(f64, f64)],
    nothing: [(f64, f64); 2],
    in_use: Option<(f64, f64)>,
) -> String {
    let mut content = line("dashed", nothing[0], nothing[1]);
    content.push_str(&polyline("curve", points));
    if let Some((px, py)) = in_use {
        let _ = write!(
            content,
            "<circle class=\"in-use\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"/>",
            x(px),
            y(py)
        );
    }
    frame(description, labels.0, labels.1, ["0", "0.5", "1"], &content)
}

/// Two curves over the threshold: the share of anomalous samples that is found, and that of normal ones that is reported, with the
/// threshold in use.
pub(super) fn by_threshold(recall: &[(f64, f64)], false_alarms: &[(f64, f64)], in_use: f64) -> String {
    let content = line("dashed", (in_use, 0.0), (in_use, 1.0))
        + &polyline("curve found", recall)
        + &polyline("curve", false_alarms);
    frame(
        "Recall and false alarms by threshold",
        "threshold",
        "share reported",
        ["0", "0.5", "1"],
        &content,
    )
}

/// A line through `points`, or through as many of them as can be seen.
fn polyline(class: &str, points: &[(f64, f64)]) -> String {
    let step = points.len().div_ceil(MAX_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .filter(|(index, _)| index % step == 0 || *index == last)
        .map(|(_, &(px, py))| format!("{:.1},{:.1}", x(px), y(py)))
        .collect();
    format!("<polyline class=\"{class}\" points=\"{}\"/>", path.join(" "))
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        x(from.0),
        y(from.1),
        x(to.0),
        y(to.1)
    )
}

/// A bin of the reliability diagram.
pub(super) struct ReliabilityPoint {
    /// The mean score.
    pub(super) score: f64,
    /// The share of anomalous samples.
    pub(super) share: f64,
    /// What that share may be as well.
    pub(super) interval: (f64, f64),
}

/// The reliability diagram: how often what was called likely was so.
pub(super) fn reliability(points: &[ReliabilityPoint]) -> String {
    let mut content = line("dashed", (0.0, 0.0), (1.0, 1.0));
    for &ReliabilityPoint {
        score,
        share,
        interval: (low, high),
    } in points
    {
        content.push_str(&line("gap", (score, low), (score, high)));
        let _ = write!(
            content,
            "<circle class=\"point\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>",
            x(score),
            y(share)
        );
    }
    frame(
        "Reliability diagram",
        "mean score",
        "anomalous share",
        ["0", "0.5", "1"],
        &content,
    )
}

/// Two histograms over the same bins, of normal and of anomalous samples. The scale is logarithmic, so that a bin with few samples can
/// be seen beside one with a million.
pub(super) fn histogram(normal: &[u64], anomalous: &[u64]) -> String {
    let most = normal.iter().chain(anomalous).copied().max().unwrap_or(0).max(1);
    let height = |count: u64| (count as f64 + 1.0).ln() / (most as f64 + 1.0).ln();
    let mut content = String::new();
    let bins = normal.len() as f64;
    for (class, offset, counts) in [("normal", 0.1, normal), ("anomalous", 0.5, anomalous)] {
        for (index, &count) in counts.iter().enumerate() {
            let _ = write!(
                content,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                x((index as f64 + offset) / bins),
                y(height(count)),
                x(0.4 / bins) - LEFT,
                y(0.0) - y(height(count))
            );
        }
    }
    let half = ((most as f64 + 1.0).sqrt() - 1.0).round();
    frame(
        "Histogram of the scores of normal and anomalous samples",
        "score",
        "samples (logarithmic)",
        ["0", &format!("{half}"), &format!("{most}")],
        &content,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_both_ends() {
        let points: Vec<(f64, f64)> = (0..=10_000).map(|i| (f64::from(i) / 1e4, f64::from(i) / 1e4)).collect();
        let svg = curve("c", ("a", "b"), &points, [(0.0, 0.0), (1.0, 1.0)], None);
        let path = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let drawn: Vec<&str> = path.split(' ').collect();
        assert!(drawn.len() <= MAX_POINTS + 2, "{}", drawn.len());
        assert_eq!((drawn[0], drawn[drawn.len() - 1]), ("52.0,200.0", "308.0,12.0"));
    }

    #[test]
    fn drawings_without_data_are_still_drawings() {
        for svg in [
            curve("c", ("a", "b"), &[], [(0.0, 0.5), (1.0, 0.5)], None),
            by_threshold(&[], &[], 0.3),
            reliability(&[]),
            histogram(&[0, 0], &[0, 0]),
        ] {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && !svg.contains("NaN"));
        }
    }
}
