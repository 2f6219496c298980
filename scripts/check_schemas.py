"""Holds real files and lines of the binary against docs/schema, and damaged ones too: they must be refused.

    pip install jsonschema
    python3 scripts/check_schemas.py target/release/anomaly-train

Ends with an error at the first file that does not fit its schema, or damaged one that does.
"""

import copy
import json
import operator
import subprocess
import sys
import tempfile
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

SCHEMAS = Path(__file__).resolve().parent.parent / "docs" / "schema"
KINDS = ["model", "metrics", "summary", "prediction", "promotions"]
# Members that may be missing, by the kind of document and the place in it ("" is its top).
OPTIONAL = {
    ("model", "created_at"),
    ("model", "verdict"),
    ("prediction", "explanation"),
    ("prediction", "surprise"),
    ("promotions", "kind"),
}

# What is put in the place of a member, and must be refused there.
WRONG = {
    "model": {
        "digest": ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64],
        "created_at": ["yesterday", "2026-11-22", "2026-11-22T12:00:00+01:00", "2026-11-22 12:00:00Z", None],
        "verdict": [None],
        "verdict.promoted": [0, "yes"],
        "verdict.reasons": ["none", ["accuracy"]],
        "gate.max_ece": [-0.01, 1.01],
        "format_version": [7, 9, "8"],
        "model_type": ["other", "Anomaly"],
        "n": [0, 9, 2.5],
        "anomaly_threshold": [0, 1, -0.1, 1.5, None],
        "run.training.seed": [-1, 2**64, 0.5],
        "run.training.epochs": [0, 1_000_001],
        "run.training.l2": [0, 9e-7, 1.1e9],
        "run.training.learning_rate": [0, 1.01],
        "run.training.max_ngrams": [0, 10**9 + 1],
        "data.digest": ["0" * 63],
        "run.ece_bins": [0, 10_001],
        "run.source": [{}, {"files": {}}, {"synthetic": {"scenario": "other", "num_samples": 1}}],
        "run.validation": ["split", {"separate": {}}],
        "training_samples.normal": [-1, 0.5],
        "bias": [1.1e16, "0"],
        "dense.entropy.weight": [-1.1e16],
        "dense.length.high": [1.1e6],
        "vocabulary.0": [["a", 0.5, 1], ["a", 0.5, 1, 1, 1], [1, 0.5, 1, 1], ["a", "0.5", 1, 1], ["a", 0.5, -1, 1]],
        "vocabulary.0.0": ["x" * 1025],
        "ngrams.0": [[[0, 0], 0.5, 1], [[0, 0], 0.5, 1, 1, 1], [[0], 0.5, 1, 1], [[0] * 9, 0.5, 1, 1]],
        "ngrams.0.0.0": [-3, 0.5],
        "sequences": ["", {"bits": 1}, {"bits": 65, "steps": ""}, {"bits": 1, "steps": "="}],
    },
    "metrics": {
        "model_digest": ["0" * 63],
        "metrics.precision": [1.01, -0.01, "1"],
        "metrics.log_loss": [40, -0.01],
        "metrics.threshold": [0, 1],
        "metrics.confusion.tp": [-1, 0.5],
        "metrics.intervals.accuracy": [[0], [0, 0.5, 1], [0, 1.1], {}],
        "metrics.undefined": [{"other": "why"}, {"precision": 1}],
        "metrics.overlap": [-1, None],
    },
    "summary": {
        "promoted": [1],
        "digest": ["0" * 63],
        "seed": [-1],
        "samples.train": [-1],
        "config.ngram_size": [0, 9],
        "config.train_ratio": [0.5],
        "config.gate.min_accuracy": [1.1],
        "reasons": [[1], "none"],
    },
    "prediction": {
        "id": [[], {}],
        "label": [2, -1, "1", True, None, 0.5],
        "score": [-0.01, 1.01, "0.5", None],
        "confidence": [1.01],
        "explanation.unknown.action_share": [1.01],
        "explanation.evidence.0.positions": [[0]],
        "explanation.evidence.0.seen.normal": [2**32],
        "empty": [False, True],
        "line": [0, -1, 0.5, "1"],
    },
    "promotions": {
        "at": ["now", "2026-11-22T12:00:00"],
        "act": ["demoted", "Promoted"],
        "model": ["../anomaly_model_1.json", "current/anomaly_model_.json", "current/anomaly_model_1.json.exe"],
        "digest": ["0" * 63],
        "previous": ["0" * 63],
        "metrics.accuracy": [1.01],
        "champion": [{}],
    },
}


class Documents:
    """Real documents by kind, each with a name for messages."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.store = folder / "models"
        self.found = {kind: [] for kind in KINDS}

    def run(self, *arguments, code=0, text=None):
        command = [self.binary, *map(str, arguments), "-qq"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
        if done.returncode != code:
            sys.exit(f"{command} ended with {done.returncode}, not {code}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def add(self, kind, name, documents):
        self.found[kind] += [(f"{name} {number}", document) for number, document in enumerate(documents)]

    def train(self, name, promoted, *arguments):
        summary = self.run(*arguments, "--json", "--models-dir", self.store)
        if summary[0]["promoted"] != promoted:
            sys.exit(f"{name}: promoted is {not promoted}: {summary[0]['reasons']}")
        self.add("summary", name, summary)
        for kind, member in [("model", "model_path"), ("metrics", "metrics_path")]:
            self.add(kind, name, [json.loads(Path(summary[0][member]).read_text("utf-8"))])
        return summary[0]["model_path"]

    def file(self, name, rows):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    def make(self):
        first = self.train("documented", True, "--num-samples", 600)
        refused = self.train("documented, refused", False, "--num-samples", 600, "--promotion-max-ece", 0, "--ngram-size", 1)
        self.train("mixed", True, "--scenario", "mixed", "--num-samples", 1500, "--promotion-max-ece", 1, "--no-champion")
        self.train("mixed, refused", False, "--scenario", "mixed", "--num-samples", 200, "--promotion-min-accuracy", 1)
        rows = self.run("generate", "--scenario", "mixed", "--num-samples", 400)
        for number, row in enumerate(rows):
            row["task"] = number % 50
        mixed = self.file("mixed.jsonl", [*rows, {"sequence": [], "label": 0, "task": 1}])
        grouped = ["--split-strategy", "grouped", "--group-by", "task"]
        self.train("grouped", False, "--data", mixed, *grouped, "--promotion-max-ece", 0)
        for strategy in ["random", "temporal"]:
            self.train(strategy, False, "--data", mixed, "--split-strategy", strategy, "--promotion-max-ece", 0)
        more = self.file("more.jsonl", rows[:30])
        self.train("separate", False, "--data", mixed, "--validation-data", more, "--promotion-max-ece", 0)
        normal = self.file("normal.jsonl", [{"sequence": ["a", str(number % 7)], "label": 0} for number in range(60)])
        self.train("one class", False, "--data", normal, "--ngram-size", 8)
        one_class = self.found["metrics"][-1][1]["metrics"]
        if not one_class["undefined"] or one_class["recall"] is not None:
            sys.exit("one class left no figure undefined")

        unlabelled = ["--normal-only", "--drop-anomalous", "--data", mixed, "--group-by", "task"]
        normal_only = self.train("normal-only", True, *unlabelled, "--anomaly-threshold", "false-alarms=0.05", "--no-champion")

        lines = [json.dumps({"id": id, "sequence": ["read", "scan", "new"]}) for id in ["a", 5, -1.5, True, None, "\u202e"]]
        lines += ['["scan", "exploit"]', "[]", '{"sequence": []}', '{"sequence": ["read"]}']
        lines += ["nonsense", '{"id": "x", "sequence": ["a", 5]}']
        text = "\n".join(lines) + "\n"
        for name, options in [("plain", []), ("explained", ["--explain"]), ("anomalies", ["--only-anomalies"])]:
            predict = ["predict", "-", "--model", first, "--format", "json", *options]
            self.add("prediction", name, self.run(*predict, code=3, text=text))
            self.add("prediction", f"{name}, normal-only", self.run(*predict, "--model", normal_only, code=3, text=text))
            alone = ["predict", "-", "--model", normal_only, "--format", "json", *options]
            self.add("prediction", f"{name}, alone", self.run(*alone, code=3, text=text))
        self.add("prediction", "by hand", self.run("predict", "--model", first, "--format", "json", "--sequence", "read,exploit"))

        self.train("documented again", True, "--num-samples", 600, "--no-champion")
        self.add("promotions", "rollback", self.run("rollback", "--json", "--models-dir", self.store))
        self.add("promotions", "promote", self.run("promote", refused, "--json", "--models-dir", self.store))
        record = (self.store / "promotions.jsonl").read_text("utf-8").splitlines()
        self.add("promotions", "record", map(json.loads, record))
        self.add("promotions", "history", self.run("history", "--json", "--models-dir", self.store))
        acts = {entry["act"] for _, entry in self.found["promotions"]}
        if acts != {"promoted", "refused", "rolled_back", "promoted_by_hand"}:
            sys.exit(f"the record has only {acts}")


def places(value, path=()):
    """Every place in a document, but only the first two of each list."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from places(inner, (*path, index))


def changed(document, path, change):
    """The document with `change` applied to the list or object that holds the last step of `path`, and that step."""
    document = copy.deepcopy(document)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return document


def is_optional(kind, path):
    name = path[-1]
    inside = [step for step in path[:-1] if isinstance(step, str)]
    if inside and inside[-1] in ("undefined", "intervals", "effective_groups", "spread"):
        return True
    if name == "false_alarm_rate" and kind == "promotions" or name in ("surprise", "explanation") and kind == "prediction":
        return True
    if name in ("overlap", "unseen") and inside and inside[-1] in ("metrics", "unseen"):
        return True
    return not inside and (kind, name) in OPTIONAL


def damaged(kind, document):
    """Damaged versions of a document, each with a name."""
    for path, value in places(document):
        where = ".".join(map(str, path))
        if isinstance(value, dict):
            yield f"{where}: an extra member", changed(document, (*path, "extra"), lambda holder, key: holder.update({key: 1}))
        if not path:
            continue
        for wrong in ([{}], {"wrong": []}):
            yield f"{where}: of another type", changed(document, path, lambda holder, key: operator.setitem(holder, key, wrong))
        if isinstance(path[-1], str) and not is_optional(kind, path):
            yield f"{where}: missing", changed(document, path, lambda holder, key: holder.pop(key))
    if "empty" in document:
        yield "label: of an empty sequence", {**document, "label": 1}
    for where, values in WRONG[kind].items():
        path = tuple(int(step) if step.isdigit() else step for step in where.split("."))
        for wrong in values:
            try:
                version = changed(document, path, lambda holder, key: operator.setitem(holder, key, wrong))
            except (KeyError, IndexError, TypeError):
                continue
            if version != document:
                yield f"{where}: {str(wrong)[:40]}", version


def trimmed(document):
    """A model with short tables: the damage is no other, and found sooner."""
    if "vocabulary" not in document:
        return document
    return {**document, "vocabulary": document["vocabulary"][:2], "ngrams": document["ngrams"][:2], "sequences": {"bits": 0, "steps": ""}}


def main():
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        documents = Documents(binary, Path(folder))
        documents.make()
    total = 0
    for kind in KINDS:
        schema = json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        refused, tried = 0, set()
        for name, document in documents.found[kind]:
            for error in validator.iter_errors(document):
                sys.exit(f"{kind}: {name}: {error.json_path}: {error.message}")
            if not validator.is_valid(trimmed(document)):
                sys.exit(f"{kind}: {name}: refused with short tables")
            for damage, version in damaged(kind, trimmed(document)):
                if validator.is_valid(version):
                    sys.exit(f"{kind}: {name}: accepted although damaged: {damage}")
                tried.add(damage)
                refused += 1
        wanted = {f"{where}: {str(wrong)[:40]}" for where, values in WRONG[kind].items() for wrong in values}
        if not wanted <= tried:
            sys.exit(f"{kind}: never tried: {sorted(wanted - tried)}")
        fit = len(documents.found[kind])
        print(f"{kind}: {fit} documents fit, {refused} damaged ones are refused ({len(tried)} kinds of damage)")
        total += refused
    print(f"all good: {sum(map(len, documents.found.values()))} documents, {total} damaged ones")


if __name__ == "__main__":
    main()
