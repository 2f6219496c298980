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

/// A curve through `points`, each in 0..1 both ways; with a dashed diagonal if `diagonal`.
pub(super) fn curve(description: &str, labels: (&str, &str), points: &[(f64, f64)], diagonal: bool) -> String {
    let mut content = String::new();
    if diagonal {
        content.push_str(&line("dashed", (0.0, 0.0), (1.0, 1.0)));
    }
    let step = points.len().div_ceil(MAX_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .filter(|(index, _)| index % step == 0 || *index == last)
        .map(|(_, &(px, py))| format!("{:.1},{:.1}", x(px), y(py)))
        .collect();
    let _ = write!(content, "<polyline class=\"curve\" points=\"{}\"/>", path.join(" "));
    frame(description, labels.0, labels.1, ["0", "0.5", "1"], &content)
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

/// The reliability diagram: how often what was called likely was so. A point is the mean score and the share of anomalous
/// samples of a bin.
pub(super) fn reliability(points: &[(f64, f64)]) -> String {
    let mut content = line("dashed", (0.0, 0.0), (1.0, 1.0));
    for &(score, share) in points {
        content.push_str(&line("gap", (score, score), (score, share)));
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

/// Two histograms over the same bins, of normal and of anomalous samples, each as shares of its class.
pub(super) fn histogram(normal: &[u64], anomalous: &[u64]) -> String {
    let share = |counts: &[u64]| -> Vec<f64> {
        let total = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|&count| count as f64 / total).collect()
    };
    let mut content = String::new();
    let bins = normal.len() as f64;
    for (class, offset, shares) in [("normal", 0.1, share(normal)), ("anomalous", 0.5, share(anomalous))] {
        for (index, share) in shares.into_iter().enumerate() {
            let _ = write!(
                content,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                x((index as f64 + offset) / bins),
                y(share),
                x(0.4 / bins) - LEFT,
                y(0.0) - y(share)
            );
        }
    }
    frame(
        "Histogram of the scores of normal and anomalous samples",
        "score",
        "share of the class",
        ["0", "50%", "100%"],
        &content,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_both_ends() {
        let points: Vec<(f64, f64)> = (0..=10_000).map(|i| (f64::from(i) / 1e4, f64::from(i) / 1e4)).collect();
        let svg = curve("c", ("a", "b"), &points, true);
        let path = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let drawn: Vec<&str> = path.split(' ').collect();
        assert!(drawn.len() <= MAX_POINTS + 2, "{}", drawn.len());
        assert_eq!((drawn[0], drawn[drawn.len() - 1]), ("52.0,200.0", "308.0,12.0"));
    }

    #[test]
    fn drawings_without_data_are_still_drawings() {
        for svg in [
            curve("c", ("a", "b"), &[], false),
            reliability(&[]),
            histogram(&[0, 0], &[0, 0]),
        ] {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && !svg.contains("NaN"));
        }
    }
}
