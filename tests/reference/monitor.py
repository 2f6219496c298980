#!/usr/bin/env python3
"""Says what the monitor must say, in the simplest way that can be thought of: lists, no increments, nothing forgotten early.

usage: monitor.py events SEED COUNT            writes random events
       monitor.py alerts EVENTS [KEY=VALUE...]  writes type, agent, cohort, time and score of each alert, one JSON array a line
       monitor.py expected                      writes tests/reference/monitor.json, which tests/monitor.rs compares with
"""
import collections, hashlib, json, math, pathlib, sys

DEFAULTS = dict(ngram_size=3, ngram_window=10000, smoothing=1.0, sequence_threshold=0.8, frequency_events=30, frequency_window=60.0,
                frequency_threshold=0.75, behavioral_actions=10, behavioral_concentration=0.8, behavioral_entropy=0.2,
                behavioral_threshold=0.7, drift_psi=0.2, drift_kl=0.1, drift_js=0.1, drift_scores=30, drift_every=1000,
                drift_first=1000, cooldown=300.0)
# The option sets that are compared, each with the seed of its events.
RUNS = [
    (1, {}),
    (2, dict(ngram_size=2, ngram_window=500, smoothing=0.1, sequence_threshold=0.6, cooldown=20.0, drift_every=200, drift_first=300)),
    (3, dict(frequency_events=5, frequency_window=20.0, frequency_threshold=1.0, behavioral_actions=4, behavioral_concentration=0.5,
             behavioral_entropy=0.7, behavioral_threshold=0.4, sequence_threshold=0.95, cooldown=5.0, drift_scores=10, drift_every=40,
             drift_first=100, drift_psi=0.05, drift_kl=0.5, drift_js=0.3)),
    (4, dict(ngram_size=1, sequence_threshold=0.5, cooldown=0.0, drift_every=25, drift_first=50)),
]


def events(seed, count):
    """Agents of different habits: some repeat themselves, some hurry, risks fall in the end; times go back now and then. All draws
    are whole numbers, so that tests/monitor.rs can draw the same."""
    state = seed

    def draw(limit):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % limit

    now, actions = 1795341600000, ["read", "write", "list", "open", "close", "send", "fetch", "delete"]
    for index in range(count):
        agent = draw(40) * draw(40) // 40
        now += 50 if draw(10) < 9 else draw(200) * draw(100)
        if agent % 5 == 0:
            action = actions[agent % 8] if draw(100) < 93 else actions[draw(8)]
        else:
            action = actions[draw(8) * draw(8) // 8]
        if draw(500) == 0:
            action = "rare-%d" % draw(50)
        event = {"agent_id": "a%d" % agent, "action_type": action}
        if draw(10) < 8:
            risk = draw(1101) - 50
            event["risk_score"] = min(max(risk // 2 if draw(count) < index // 2 else risk, 0), 1000) / 1000
        if agent % 3:
            event["cohort"] = "c%d" % (agent % 3)
        event["timestamp"] = (now - (draw(10000) if draw(20) == 0 else 0)) / 1000
        yield event


def histogram(scores):
    counts = [0] * 10
    for score in scores:
        counts[min(int(math.floor(min(max(score, 0.0), 1.0) * 10)), 9)] += 1
    return counts


def drift(current, baseline):
    shares = lambda counts: [(count + 1e-6) / (sum(counts) + 10e-6) for count in counts]
    c, b = shares(current), shares(baseline)
    m = [(x + y) / 2 for x, y in zip(c, b)]
    kl = lambda p, q: sum(x * math.log(x / y) for x, y in zip(p, q))
    psi = sum((x - y) * math.log(x / y) for x, y in zip(c, b))
    return psi, kl(c, b), min(1.0, math.sqrt(max(0.0, 0.5 * kl(c, m) + 0.5 * kl(b, m))))


def alerts(lines, **options):
    o = {**DEFAULTS, **options}
    history, latest, times = collections.defaultdict(list), {}, collections.defaultdict(list)
    window, quiet = [], {}
    baseline, current, since, last = collections.defaultdict(list), collections.defaultdict(list), collections.Counter(), {}

    def is_quiet(kind, agent, cohort, time):
        before = quiet.get((kind, agent, cohort))
        return before is not None and abs(time - before) < o["cooldown"]

    def compare(cohort):
        if len(baseline[cohort]) < o["drift_first"] or len(current[cohort]) < o["drift_scores"]:
            return None
        psi, kl, js = drift(histogram(current[cohort]), histogram(baseline[cohort]))
        if psi > o["drift_psi"] or kl > o["drift_kl"] or js > o["drift_js"]:
            return max(psi, kl, js)

    for event in lines:
        agent, action, cohort = event["agent_id"], event["action_type"], event.get("cohort", "")
        time = event["timestamp"]
        time = latest[agent] = max(time, latest.get(agent, time))
        history[agent].append(action)
        ngram = tuple(history[agent][-o["ngram_size"]:])
        if len(ngram) == o["ngram_size"]:
            window = window[-(o["ngram_window"] - 1):] + [ngram] if o["ngram_window"] > 1 else [ngram]

        if "risk_score" in event:
            last[cohort] = time
            if len(baseline[cohort]) < o["drift_first"]:
                baseline[cohort].append(event["risk_score"])
            else:
                current[cohort].append(event["risk_score"])
                since[cohort] += 1
                if since[cohort] >= o["drift_every"]:
                    since[cohort] = 0
                    if len(current[cohort]) >= o["drift_scores"]:
                        score = compare(cohort)
                        current[cohort] = []
                        if score is not None and not is_quiet("distributional", "", cohort, time):
                            quiet["distributional", "", cohort] = time
                            yield ["distributional", None, cohort or None, time, score]

        times[agent] = [t for t in times[agent] if round(time - t, 6) <= o["frequency_window"]] + [time]
        k = min(len(times[agent]), 10 * o["frequency_events"])
        found = None
        score = min(1.0, k / o["frequency_events"])
        if k >= o["frequency_events"] and score >= o["frequency_threshold"] and not is_quiet("frequency", agent, cohort, time):
            found = "frequency", score
        if found is None and len(ngram) == o["ngram_size"]:
            c, n, v, alpha = window.count(ngram), len(window), max(1, len(set(window))), o["smoothing"]
            least = math.log(alpha / (n + alpha * (v + 1)))
            score = 0.0 if least == 0 else min(1.0, math.log((c + alpha) / (n + alpha * v)) / least)
            score = min(1.0, score + 0.1) if c < 2 else score
            if score >= o["sequence_threshold"] and not is_quiet("sequence", agent, cohort, time):
                found = "sequence", score
        if found is None and len(history[agent]) >= o["behavioral_actions"]:
            shares = [count / len(history[agent]) for count in collections.Counter(history[agent]).values()]
            entropy = -sum(p * math.log(p) for p in shares) / math.log(len(shares)) if len(shares) > 1 else 0.0
            score = max(max(shares), 1 - entropy)
            if (max(shares) > o["behavioral_concentration"] or entropy < o["behavioral_entropy"]) \
                    and score >= o["behavioral_threshold"] and not is_quiet("behavioral", agent, cohort, time):
                found = "behavioral", score
        if found:
            quiet[found[0], agent, cohort] = time
            yield [found[0], agent, cohort or None, time, found[1]]
    for cohort in sorted(last):
        score = compare(cohort)
        if score is not None and not is_quiet("distributional", "", cohort, last[cohort]):
            yield ["distributional", None, cohort or None, last[cohort], score]


def expected():
    """For each run its options, how many events and alerts there are, and every alert: a digest of their types, agents and cohorts
    and times, and the scores with twelve digits as differences would need many bytes."""
    runs = []
    for seed, options in RUNS:
        stream = list(events(seed, 10000))
        found = list(alerts(stream, **options))
        text = "".join(json.dumps(a[:3] + [round(a[3] * 1000)] if len(a) > 1 else a) + "\n" for a in found)
        runs.append({"seed": seed, "options": options, "alerts": len(found), "kinds": dict(collections.Counter(a[0] for a in found)),
                     "digest": hashlib.sha256(text.encode()).hexdigest(), "scores": [float("%.12g" % a[4]) for a in found if len(a) > 1]})
    return runs


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "events":
        for event in events(int(rest[0]), int(rest[1])):
            print(json.dumps(event))
    elif command == "alerts":
        options = {key: type(DEFAULTS[key])(value) for key, value in (pair.split("=") for pair in rest[1:])}
        for alert in alerts(map(json.loads, open(rest[0])), **options):
            print(json.dumps(alert))
    else:
        path = pathlib.Path(__file__).with_suffix(".json")
        path.write_text("[\n" + ",\n".join(json.dumps(run, separators=(",", ":")) for run in expected()) + "\n]\n")
