"""Print every sentence that the studio can show, with its place, to be read in one sitting:

.venv/bin/python docs/words.py > words.txt

What is in the program's text and is no name, key, style or documentation counts: titles and help of commands, labels,
what is told, and the errors of the manuscript that the studio passes on. A value that is put in at run time is `{}`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACES = ("tui", "billy_mlx/manuscript", "billy_mlx/write", "billy_mlx/engine")
_SENTENCE = re.compile(r"[A-Za-z]{2,}.*[ .?!]|^[A-Z][a-z]+")
_STYLE = re.compile(r"[{};]\s*$|^\s*[\w#.-]+(?: [\w#.>-]+)* \{", re.MULTILINE)


def main() -> None:
    """Print them, a file at a time."""
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            for line, text in sentences(path.read_text(encoding="utf-8")):
                print(f"{path.relative_to(ROOT)}:{line}: {' '.join(text.split())}")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of everything in a module that somebody may read on the screen."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    within = {id(part) for node in joined for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in documentation or id(node) in within:
            continue
        text = _text(node)
        if text and _SENTENCE.search(text) and not _STYLE.search(text.replace("{}", "")):
            yield getattr(node, "lineno", 0), text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


if __name__ == "__main__":
    main()
