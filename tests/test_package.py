"""What an installed copy holds: built as a release is, the wheel from the sdist, without the network."""

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "billy_mlx"
SOURCES = ["billy_mlx", "tui", "personas", "pyproject.toml", "README.md", "LICENSE"]
SHIPPED = {".html", ".py", ".safetensors", ".tcss", ".toml", ".txt", ".typed"}

pytestmark = pytest.mark.slow


def shipped_files(folder=PACKAGE):
    """Every file of the package by its installed name; entered by hand, as rglob does not follow links."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__":
            yield from shipped_files(path)
        elif path.suffix in SHIPPED:
            yield path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A folder with the sdist and the wheel, built from a copy so that the tree stays clean."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist"]
    done = subprocess.run(build, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel_names(dist):
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_the_wheel_holds_every_module_card_vector_and_stylesheet(wheel_names):
    assert set(shipped_files()) - wheel_names == set()


def test_the_wheel_puts_one_name_into_site_packages(wheel_names):
    top = {name.partition("/")[0] for name in wheel_names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"billy_mlx"}


def test_the_wheel_holds_nothing_else_of_the_tree(wheel_names):
    inside = {name for name in wheel_names if name.startswith("billy_mlx/")}
    assert inside == set(shipped_files())


def test_the_wheel_carries_the_licence_and_the_command(dist):
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        info = next(name for name in wheel.namelist() if name.endswith("/METADATA")).removesuffix("METADATA")
        assert "\nLicense-Expression: MIT\n" in wheel.read(info + "METADATA").decode()
        assert "billy = billy_mlx.cli:main" in wheel.read(info + "entry_points.txt").decode()
        assert info + "licenses/LICENSE" in wheel.namelist()


def test_the_sdist_holds_the_linked_folders_as_files(dist):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        files = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    assert set(shipped_files()) - files == set()


def test_every_imported_library_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["plot"]
    declared = {re.match(r"[\w-]+", line)[0] for line in lines}
    providers = packages_distributions()
    for module in imported_modules() - set(sys.stdlib_module_names) - {"billy_mlx"}:
        names = {name.lower().replace("_", "-") for name in providers[module]}
        assert names & declared, f"{module} comes from {names}, which pyproject.toml does not name"


def imported_modules():
    """The top-level names imported anywhere in the package, at its top or inside a function."""
    names = set()
    for path in shipped_files():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8") if path.endswith(".py") else "")
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    return names
