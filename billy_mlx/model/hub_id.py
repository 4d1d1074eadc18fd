"""What a model is called on the hub, and what is often written instead."""

import re
from urllib.parse import unquote

_ID = r"[a-zA-Z0-9][\w.-]*/[a-zA-Z0-9][\w.-]*"
_HUB_ID = re.compile(_ID, re.ASCII)
_AT_REVISION = re.compile(rf"({_ID})@(\w[\w./-]*)", re.ASCII)
_ADDRESS = re.compile(
    rf"(?:https?://|git@)?(?:www\.)?(?:huggingface\.co|hf\.co)[/:]({_ID})?(.*)", re.ASCII | re.I | re.S
)
_PAGE = re.compile(r"/(?:tree|blob|resolve|commit)/([^/?#]+)")
_NOT_MODELS = ("api", "collections", "datasets", "docs", "papers", "spaces", "blog")


def is_hub_id(name: str) -> bool:
    """Whether a name has the form org/name."""
    return _HUB_ID.fullmatch(name) is not None and _ADDRESS.fullmatch(name) is None


def hint(name: str) -> str | None:
    """Return what is wrong with a name that cannot be a model's, and what to write; None if there is no more to say.

    Nothing in it is a sign that a terminal obeys, whatever is in the name.
    """
    if not name.strip():
        return "The model's name is empty; name a model, of those that this shows: billy model list"
    at = _AT_REVISION.fullmatch(name)
    if at is not None:
        return f"{name!r} is no hub id: {_apart(at[1], at[2])}"
    address = _ADDRESS.fullmatch(name.strip())
    if address is not None:
        return f"{name!r} is an address, no hub id; {_meant(address[1], address[2])}"
    if re.match(r"\w+://", name):
        return f"{name!r} is an address; name a model by its hub id, org/name, or by its folder"
    return None


def _meant(repo: str | None, rest: str) -> str:
    if repo is None or repo.partition("/")[0].lower() in _NOT_MODELS:
        return "write the hub id of a model: org/name"
    page = _PAGE.match(rest)
    revision = unquote(page[1]) if page is not None else "main"
    if revision != "main" and _AT_REVISION.fullmatch(f"{repo}@{revision}"):
        return _apart(repo, revision)
    return f"write its hub id: {repo.removesuffix('.git')}"


def _apart(repo: str, revision: str) -> str:
    return (
        "a revision is given apart, and its model is then the folder that is printed; "
        f"run: billy model get {repo} --revision {revision}"
    )
