"""The notebook in docs/ runs from beginning to end with the starter model."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "blending.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_notebook_runs(starter_home):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "fairy-tale:\n" in printed
    assert "gained before it: 0.0" in printed
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("'8/8 of 8'" in output["data"].get("text/plain", "") for output in shown)
    assert any("<polyline" in output["data"].get("text/html", "") for output in shown)


def test_the_notebook_is_kept_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
