"""A public class has a name of its own: whoever looks for it finds one."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "billy_mlx"


def public_classes():
    """Return the modules that define a public class, by its name."""
    found = defaultdict(list)
    for path in {*PACKAGE.rglob("*.py"), *(PACKAGE / "tui").rglob("*.py")}:  # the second lies behind a link
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(PACKAGE).as_posix())
    return found


def test_no_two_public_classes_have_one_name():
    classes = public_classes()
    assert len(classes) > 400
    assert {name: modules for name, modules in classes.items() if len(modules) > 1} == {}
