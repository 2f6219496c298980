import random

import pytest

from anomaly_train import AnomalyMLClassifier, run

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def trained(samples):
    return AnomalyMLClassifier().train(samples)


@pytest.fixture(scope="module")
def sequences(samples):
    found = [sample["features"]["sequence"] for sample in samples[:300]] + [[], ["größe", "日本", ""], ["unknown"] * 7]
    random.Random(1).shuffle(found)
    return found


def shapes(sequences):
    text = pa.array(sequences, pa.list_(pa.string()))
    yield "list", text
    yield "large", pa.array(sequences, pa.large_list(pa.large_string()))
    yield "large of small", text.cast(pa.large_list(pa.string()))
    yield "slice", pa.array([["x", "y"], *sequences, ["z"]], pa.list_(pa.string())).slice(1, len(sequences))
    yield "chunks", pa.chunked_array([text.slice(0, 7), text.slice(7, 0), text.slice(7)])
    yield "dictionary", pa.ListArray.from_arrays(text.offsets, text.values.dictionary_encode())
    yield "views", text.cast(pa.list_(pa.string_view()))
    yield "list view", pa.array(sequences, pa.list_view(pa.string()))
    yield "whole dictionary", pa.DictionaryArray.from_arrays(pa.array(range(len(text)), pa.int32()), text)
    yield "polars", pl.Series("sequence", sequences, dtype=pl.List(pl.String))
    yield "categorical", pl.Series("sequence", sequences, dtype=pl.List(pl.Categorical))
    yield "pandas", pd.Series(sequences, index=range(5, 5 + len(sequences)))
    yield "pandas of arrow", pd.Series(pd.arrays.ArrowExtensionArray(text), index=range(5, 5 + len(sequences)))


def test_every_shape_of_a_column_gives_what_one_by_one_gives(trained, sequences):
    expected = [trained.predict(sequence) for sequence in sequences]
    for name, column in shapes(sequences):
        table = trained.predict_many(column)
        if isinstance(table, pd.DataFrame):
            assert list(table.index) == list(column.index), name
            rows = table.astype(object).where(table.notna(), None).to_dict("records")
        else:
            assert isinstance(table, pl.DataFrame) == isinstance(column, pl.Series), name
            rows = table.to_dicts() if isinstance(table, pl.DataFrame) else table.to_pylist()
        said = [{name: answer[name] for name in ("label", "score", "confidence")} for answer in expected]
        assert rows == said, name


def test_tables_train_evaluate_and_run_as_lists_do(samples, trained):
    rows = {
        "sequence": [sample["features"]["sequence"] for sample in samples],
        "label": [sample["label"] for sample in samples],
        "task": [f"t{index % 9}" for index in range(len(samples))],
        "times": [1 + index % 3 for index in range(len(samples))],
    }
    expected = AnomalyMLClassifier().train(samples, groups=rows["task"], counts=rows["times"])
    grouped = run([{**sample, "task": rows["task"][index]} for index, sample in enumerate(samples)], group_by="task")
    for table in (pa.table(rows), pl.DataFrame(rows), pl.DataFrame(rows).lazy(), pd.DataFrame(rows)):
        assert AnomalyMLClassifier().train(table).digest == trained.digest
        trained_on_groups = AnomalyMLClassifier().train(table, group_by="task", count_field="times")
        assert trained_on_groups.predict(["read"]) == expected.predict(["read"])
        assert trained.evaluate(table) == trained.evaluate(samples)
        assert run(table, group_by="task").digest == grouped.digest
    for column in (pa.array(rows["sequence"]), pl.Series(rows["sequence"]), pd.Series(rows["sequence"])):
        for labels in (rows["label"], pa.array(rows["label"], pa.int32()), pl.Series(rows["label"])):
            assert AnomalyMLClassifier().train((column, labels)).digest == trained.digest
        counted = AnomalyMLClassifier().train((column, rows["label"]), groups=pa.array(rows["task"]), counts=pd.Series(rows["times"]))
        assert counted.digest == AnomalyMLClassifier().train(pa.table(rows), groups=rows["task"], counts=rows["times"]).digest


@pytest.mark.parametrize(
    ("sequences", "labels", "words"),
    [
        (pa.array([["a"], None]), [0, 1], "row 1: "),
        (pa.array([["a"], ["b", None]]), [0, 1], r"row 1: .*sequence\[1\]"),
        (pa.array([["a"], ["x" * 2000]]), [0, 1], r"row 1: .*sequence\[0\] is an action of 2000 bytes"),
        (pa.array([[1], [2]]), [0, 1], "row 0: "),
        (pa.array(["a", "b"]), [0, 1], "row 0: "),
        (pa.array([["a"], ["b"]]), [0, 7], "row 1: .*integer `7`"),
        (pa.array([["a"], ["b"]]), [0, 256], "row 1: .*integer `256`"),
        (pa.array([["a"], ["b"]]), [0, -1], "row 1: .*integer `-1`"),
        (pa.array([["a"], ["b"]]), [False, True], "row 0: .*boolean `false`"),
        (pa.array([["a"], ["b"]]), [0, None], "row 1: .*null"),
        (pa.array([["a"], ["b"]]), [0], "1 labels for 2 samples"),
        (pa.array([["a"], ["b"]]), None, 'row 0: "label" is missing'),
    ],
)
def test_columns_that_are_wrong_are_refused_with_the_row(sequences, labels, words):
    for given in (labels, None if labels is None else pa.array(labels)):
        with pytest.raises(ValueError, match=words):
            AnomalyMLClassifier().train((sequences, given))


def test_a_table_without_its_column_is_refused():
    with pytest.raises(ValueError, match='no column "sequence"; it has steps'):
        AnomalyMLClassifier().train(pa.table({"steps": [["a"]]}))


def test_surprises_of_a_normal_only_model_come_along(samples, sequences):
    normal = AnomalyMLClassifier(anomaly_threshold="false-alarms=0.05", normal_only=True, drop_anomalous=True).train(samples)
    table = normal.predict_many(pa.array(sequences, pa.list_(pa.string())))
    assert table.column_names == ["label", "score", "confidence", "surprise"]
    assert table["surprise"].to_pylist() == [normal.predict(sequence).get("surprise") for sequence in sequences]
