"""Proves the audit trail, or names the first place where it does not hold."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.audit_trail import Break, Head, Verdict, seal_events, verify_trail

TELLS = {
    "seal_missing": "the seal of this number is gone",
    "event_missing": "the event of this seal was removed",
    "chain_broken": "this seal does not follow the one before it",
    "event_changed": "the event or its seal was changed",
    "event_inserted": "the event was put in long after its time",
    "noted_head_gone": "the noted head is not in the chain: its end was cut off or written anew",
    "event_unsealed": "an event has no seal: beat does not run, or the event was put in later",
}


class Command(BaseCommand):
    help = (
        "Computes the chain of the audit trail again. Prints how many seals it checked and the "
        "head as NUMBER:HASH, to be noted outside the database; exits non-zero naming the first "
        "break."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=int, default=1, help="only from this number on")
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")
        parser.add_argument(
            "--expect-head",
            type=_head,
            metavar="NUMBER:HASH",
            help="a head that was noted earlier and must still be in the chain",
        )
        parser.add_argument("--seal", action="store_true", help="first seal what waits for it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seal"]:
            seal_events()
        verdict = verify_trail(since=options["since"], expected=options["expect_head"])
        told = _as_json(verdict) if options["json"] else _as_text(verdict)
        self.stdout.write(told)
        if verdict.broken is not None:
            raise CommandError(_where(verdict.broken))


def _head(text: str) -> Head:
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError("give a head as this command prints it, NUMBER:HASH")
    return Head(int(found[1]), bytes.fromhex(found[2]))


def _as_text(verdict: Verdict) -> str:
    holds = "holds" if verdict.broken is None else "does not hold"
    return f"The audit trail {holds}: {verdict.checked} seals checked.\nHead {verdict.head}"


def _as_json(verdict: Verdict) -> str:
    broken = verdict.broken
    return json.dumps(
        {
            "holds": broken is None,
            "checked": verdict.checked,
            "head": {"number": verdict.head.number, "hash": verdict.head.hash.hex()},
            "broken": broken
            and {
                "rule": broken.rule,
                "number": broken.number,
                "event": broken.event and str(broken.event),
            },
        }
    )


def _where(broken: Break) -> str:
    place = f"number {broken.number}" if broken.number is not None else f"event {broken.event}"
    return f"The audit trail breaks at {place}: {TELLS[broken.rule]} ({broken.rule})."
