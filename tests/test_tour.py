"""The README's promise: the office opens, and its tour runs from draft to paid prize."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chitfund.tests.test_embedded import discard
from chitfund.tests.test_office import ROOT, Office

TOUR = ROOT / "docs" / "tour.sh"


@pytest.fixture
def demo_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office as `make run` opens it on a developer's machine."""
    office = Office(tmp_path_factory.mktemp("tour"))
    office.environment["APP_ENV"] = "development"
    process = office.open()
    office.wait_until_open(process)
    yield office
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    for pid in office.children():
        os.kill(pid, signal.SIGKILL)
    discard(office.data_dir)
    assert process.returncode == 0, output


@pytest.mark.slow
def test_the_tour_runs_from_a_draft_to_a_paid_prize_and_a_ledger_that_holds(demo_office: Office):
    result = subprocess.run(
        ["/usr/bin/env", "bash", str(TOUR)],
        env=demo_office.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "PAID: " in result.stdout
    assert "The ledger holds" in result.stdout


def test_the_readme_shows_the_tour_that_is_tested():
    """Every line of the script's steps stands in the README, in the script's order."""
    steps = TOUR.read_text().split("# == 0.", 1)[1].splitlines()[1:]
    lines = [line for line in steps if line.strip() and not line.startswith("# ==")]
    readme = (ROOT / "README.md").read_text().splitlines()
    position = 0
    for line in lines:
        assert line in readme[position:], line
        position += readme[position:].index(line) + 1
    assert len(lines) > 50


def test_every_file_that_the_readme_links_to_is_there():
    text = (ROOT / "README.md").read_text()
    targets = [part.split(")", 1)[0] for part in text.split("](")[1:]]
    local = [target.split("#")[0] for target in targets if not target.startswith("http")]
    missing = [target for target in local if target and not Path(ROOT / target).exists()]
    assert missing == []
