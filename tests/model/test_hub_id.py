import pytest
from helpers.tiny_models import tiny_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from billy_mlx.errors import UsageError
from billy_mlx.model import hub
from billy_mlx.model.hub import hint
from billy_mlx.model.load import load
from billy_mlx.text import sanitize

MISTAKEN = {
    "": "name is empty; .*billy model list",
    " \t\n": "name is empty",
    "https://huggingface.co/org/x": "is an address, no hub id; write its hub id: org/x$",
    "https://huggingface.co/org/x/": "write its hub id: org/x$",
    "https://huggingface.co/org/x/tree/main": "write its hub id: org/x$",
    "https://huggingface.co/org/x/tree/main/": "write its hub id: org/x$",
    "https://huggingface.co/org/x/blob/main/config.json": "write its hub id: org/x$",
    "http://www.HuggingFace.co/org/x?library=mlx": "write its hub id: org/x$",
    "https://hf.co/org/x#files": "write its hub id: org/x$",
    "hf.co/org/x": "write its hub id: org/x$",
    "hf.co/org/x:Q4_K_M": "write its hub id: org/x$",
    "https://huggingface.co/org/x.git": "write its hub id: org/x$",
    "git@hf.co:org/x": "write its hub id: org/x$",
    "https://huggingface.co/org/x/tree/v1.0": "run: billy model get org/x --revision v1.0$",
    "https://huggingface.co/org/x/tree/refs%2Fpr%2F1": "run: billy model get org/x --revision refs/pr/1$",
    "https://huggingface.co/org": "write the hub id of a model: org/name$",
    "huggingface.co/org": "write the hub id of a model: org/name$",
    "https://huggingface.co/datasets/org/x": "write the hub id of a model: org/name$",
    "https://example.com/org/x": "by its hub id, org/name, or by its folder$",
    "org/x@v1": "a revision is given apart.*run: billy model get org/x --revision v1$",
    "org/x@refs/pr/1": "run: billy model get org/x --revision refs/pr/1$",
}


@pytest.mark.parametrize("name", MISTAKEN)
def test_what_is_often_written_for_a_hub_id_leads_to_it(name):
    for using in (hub.get, load):
        with pytest.raises(UsageError, match=MISTAKEN[name]):
            using(name)


def test_a_folder_is_a_model_whatever_its_name_looks_like(tmp_path, monkeypatch):
    folder = tiny_folder(tmp_path / "org" / "x@v1")
    monkeypatch.chdir(tmp_path)
    assert load("org/x@v1").path == folder


@given(name=st.text(max_size=20), form=st.sampled_from(["{}", "https://hf.co/{}", "org/x@{}", "hf.co/org/x/tree/{}"]))
@settings(max_examples=200)
def test_no_name_reaches_the_terminal_as_it_is(name, form):
    for asked in (form.format(name), form.format("\x1b[31m" + name)):
        hinted = hint(asked)
        assert hinted is None or (sanitize(hinted) == hinted and "\n" not in hinted)
