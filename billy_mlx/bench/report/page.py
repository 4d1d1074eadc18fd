"""The report as one HTML file: no script, no network; in the light and the dark, on a phone and on paper."""

from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from billy_mlx.bench.report.document import TITLE, Section, document, laid_out
from billy_mlx.bench.result import Result
from billy_mlx.files import write_atomically
from billy_mlx.text import visible


def write_html(result: Result, path: Path) -> None:
    """Write the report to `path`. The same result gives the same bytes.

    Raises:
        BillyError: the file cannot be written.
    """
    write_atomically(path, to_html(result).encode())


def to_html(result: Result) -> str:
    """Return the report as HTML; text of models and files shows as it is."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,  # not Markup, which is ours
    )
    environment.filters["svg"] = Markup
    environment.tests["a"] = lambda block, name: type(block).__name__ == name
    template = files("billy_mlx.bench.report").joinpath("page.html").read_text(encoding="utf-8")
    blocks = list(laid_out(document(result), page=True))
    return environment.from_string(template).render(
        title=TITLE,
        model=result.made_with.get("model", "a benchmark"),
        opening=[block for block in blocks if not isinstance(block, Section)],
        sections=[block for block in blocks if isinstance(block, Section)],
    )
