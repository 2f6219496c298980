"""The page on Python and the docstrings say what happens."""

import doctest
import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["anomaly_train", "anomaly_train.classifier", "anomaly_train.running", "anomaly_train.monitor"])
def test_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_examples_of_the_estimators_are_true():
    pytest.importorskip("sklearn")
    assert doctest.testmod(importlib.import_module("anomaly_train.sklearn")).failed == 0


def test_the_page_on_python_is_true():
    for needed in ("sklearn", "polars", "pyarrow"):
        pytest.importorskip(needed)
    page = Path(__file__).parents[2] / "docs" / "python.md"
    if not page.exists():
        pytest.skip("not in a checkout")
    result = doctest.testfile(str(page), module_relative=False, parser=_Fenced())
    assert result.failed == 0 and result.attempted > 15


class _Fenced(doctest.DocTestParser):
    """Examples between the fences of Markdown."""

    def parse(self, string, name="<string>"):
        return super().parse(string.replace("```python\n", "\n").replace("```\n", "\n"), name)
