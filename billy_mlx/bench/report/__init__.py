"""What a benchmark found, as a page to read. A `Result` is all that goes in."""

from billy_mlx.bench.report.markdown import write_markdown
from billy_mlx.bench.report.page import write_html
from billy_mlx.bench.result import to_json

__all__ = ["to_json", "write_html", "write_markdown"]
