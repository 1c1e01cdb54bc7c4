"""Every module of races has a live office and a control that must show the harm."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = sorted(HERE.glob("test_*.py"))
CONTROL = "test_negative_control_"
# What takes a guard away: an office served by `unguarded.py`, or a patch in this process.
WAYS = {"unguarded_office", "monkeypatch"}


def wants(source: str) -> Iterator[str]:
    """Yield what a module of races lacks."""
    tests = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    taken = {
        test.name: {arg.arg for arg in (*test.args.args, *test.args.kwonlyargs)} for test in tests
    }
    controls = {name: fixtures for name, fixtures in taken.items() if name.startswith(CONTROL)}
    if not controls:
        yield "a negative control"
    for name, fixtures in controls.items():
        if not fixtures & WAYS:
            yield f"an office without its guard in {name}"
    if not any("live_office" in fixtures for fixtures in taken.values()):
        yield "a race in a live office"


@pytest.mark.parametrize(
    "module", [path for path in MODULES if path != Path(__file__)], ids=lambda path: path.stem
)
def test_a_module_of_races_has_a_live_office_and_a_negative_control(module: Path) -> None:
    assert list(wants(module.read_text(encoding="utf-8"))) == []


def test_every_guard_that_can_be_taken_away_is_taken_away_by_some_control() -> None:
    tree = ast.parse((HERE / "unguarded.py").read_text(encoding="utf-8"))
    guards = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    sources = "".join(module.read_text(encoding="utf-8") for module in MODULES)
    assert {guard for guard in guards if f'unguarded_office("{guard}")' not in sources} == set()


@pytest.mark.parametrize(
    ("source", "lacking"),
    [
        ("def test_it(live_office): ...", ["a negative control"]),
        (
            f"def test_it(live_office): ...\ndef {CONTROL}it(live_office): ...",
            [f"an office without its guard in {CONTROL}it"],
        ),
        (f"def {CONTROL}it(unguarded_office): ...", ["a race in a live office"]),
        (f"def test_it(*, live_office): ...\ndef {CONTROL}it(*, unguarded_office): ...", []),
    ],
)
def test_a_module_that_lacks_something_is_told_what(source: str, lacking: list[str]) -> None:
    assert list(wants(source)) == lacking
