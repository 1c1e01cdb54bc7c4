"""The ledger's own check: silent while it holds, and loud about every rule that does not."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import date
from typing import LiteralString

import pytest
from django.core.management import CommandError, call_command

from accounts.models import JobRun, JobStatus
from chitfund.testing.database import superuser_connection
from payments.audit import QUESTIONS, check_ledger
from payments.jobs import check_ledger_nightly
from payments.tests.chits import Chit, running_chit

DAY = date(2026, 1, 10)
# What somebody with the keys of the server could do, and the rules that notice it.
CORRUPTIONS = {
    "a balance is the sum of its transfers": (
        "UPDATE ledger_accounts SET debits = debits + 1, credits = credits + 1 WHERE kind = 'cash'"
    ),
    "debits equal credits": "UPDATE ledger_accounts SET debits = debits + 1 WHERE kind = 'cash'",
    "the pot of a settled month is zero": (
        "UPDATE transfers SET installment_number = 2 WHERE kind = 'POOL'"
    ),
    "a ticket owes what its installments say": (
        "UPDATE installments SET gross = gross + 1 WHERE paid_on IS NULL"
    ),
    "a ticket's summary is what its rows say": "UPDATE subscriptions SET advance = advance + 1",
    "an installment was paid by its allocations": "DELETE FROM payment_allocations",
    "a prize is awarded once and paid at most once": (
        "UPDATE prize_payouts SET status = 'APPROVED', paid_by_id = NULL WHERE status = 'PAID'"
    ),
}


def corrupt(sql: LiteralString, *values: object) -> None:
    """Change rows as the superuser, under triggers and grants."""
    with superuser_connection() as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(sql, values).rowcount > 0


def in_mid_life() -> Chit:
    chit = running_chit(2)
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay_out(1)
    return chit


def test_there_is_a_corruption_for_every_rule():
    assert set(CORRUPTIONS) | {"closed books are at zero"} == set(QUESTIONS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rule", CORRUPTIONS)
def test_what_does_not_hold_is_found_and_named(rule):
    chit = in_mid_life()
    assert check_ledger() == []
    corrupt(CORRUPTIONS[rule])
    found = [finding for finding in check_ledger(chit.pk) if finding.rule == rule]
    assert found
    assert all(finding.where and finding.found for finding in found)
    assert {finding.scheme_id for finding in found} == {str(chit.pk)}


@pytest.mark.django_db(transaction=True)
def test_a_rupee_in_closed_books_is_found():
    chit = running_chit(2)
    chit.play_to_the_end()
    corrupt("UPDATE ledger_accounts SET debits = debits + 1 WHERE kind = 'foreman'")
    assert "closed books are at zero" in {finding.rule for finding in check_ledger()}


@pytest.mark.django_db
def test_the_nightly_check_of_a_ledger_that_holds_finds_nothing(caplog):
    in_mid_life()
    assert check_ledger_nightly(DAY) == {"findings": 0}
    assert caplog.records == []


@pytest.mark.django_db(transaction=True)
def test_the_nightly_job_counts_the_findings_and_logs_each_as_an_error(caplog):
    chit = in_mid_life()
    # A bell that rings after a commit sets logging up anew, without the test's own handler.
    logging.getLogger().addHandler(caplog.handler)
    corrupt(CORRUPTIONS["a ticket's summary is what its rows say"])
    call_command("run_job", "check_ledger", "--as-of", DAY.isoformat())
    run = JobRun.objects.get(job="check_ledger", business_date=DAY)
    assert (run.status, run.result) == (JobStatus.DONE, {"findings": 2})
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.action for record in errors] == ["ledger.broken", "ledger.broken"]
    assert {record.scheme_id for record in errors} == {str(chit.pk)}


@pytest.mark.django_db
def test_the_command_says_that_the_ledger_holds(capsys):
    chit = in_mid_life()
    for arguments in ([], ["--scheme", str(chit.pk)]):
        call_command("check_ledger", *arguments)
        assert f"{len(QUESTIONS)} rules, no finding" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_the_command_names_what_does_not_hold_and_in_which_scheme(capsys):
    chit, sound = in_mid_life(), running_chit(2)
    corrupt("UPDATE subscriptions SET advance = advance + 1 WHERE scheme_id = %s", chit.pk)
    with pytest.raises(CommandError, match="2 findings") as failure:
        call_command("check_ledger")
    assert failure.value.returncode != 0
    assert f"scheme {chit.pk}: a ticket's summary" in capsys.readouterr().err
    call_command("check_ledger", "--scheme", str(sound.pk))


@pytest.mark.django_db(transaction=True)
def test_the_process_says_by_its_exit_code_that_something_does_not_hold():
    in_mid_life()
    corrupt(CORRUPTIONS["debits equal credits"])
    process = subprocess.run(
        [sys.executable, "manage.py", "check_ledger"], check=False, capture_output=True
    )
    assert process.returncode == 1
    assert b"the ledger does not hold" in process.stderr
