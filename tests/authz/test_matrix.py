"""Who may do what: every route, method and persona against a table that people have reviewed.

`matrix.csv` has a line for each method and route, and one more where the object is the asking
person themselves ("own"). A cell is `in` (let in: any answer that comes after the permission),
401, 403 or 404. To see what the office answers: `MATRIX=print pytest -s tests/authz/test_matrix.py
-k prints`; what it prints is a draft to be reasoned about, never to be copied as it is.
"""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import transaction
from rest_framework.permissions import IsAuthenticated
from rest_framework.test import APIClient

from accounts.views.security import ActivityLogViewSet
from kyc.models import UserKYC
from kyc.views import DocumentViewSet
from tests.authz.office import ASKS, MORE_ASKS, PERSONAS, Ask, Office, ask_for
from tests.authz.routes import api_routes, unknown_pages

TABLE = Path(__file__).with_name("matrix.csv")
HEADER = ("method", "route", "object", *PERSONAS)
IS_REFUSED = {401, 403, 404}
IS_AFTER_THE_PERMISSION = {200, 201, 202, 204, 302, 400, 409, 422}
LEAST_CELLS = 700
FORM = "application/x-www-form-urlencoded"
OF_A_PERSON = re.compile(r"api/(users/<uuid:pk>|payments/user/<uuid:user_id>)[^<]*")
Line = tuple[str, str, str]


def read_table() -> dict[Line, dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = {(row["method"], row["route"], row["object"]): row for row in rows}
    assert len(table) == len(rows), "A line is in the table twice."
    return table


MATRIX = read_table()


def wanted_lines() -> set[Line]:
    """Return what the table has to say: each route, and each of a person for oneself as well."""
    routes = api_routes()
    own = {(*route, "own") for route in routes if OF_A_PERSON.fullmatch(route[1])}
    return {(*route, "") for route in routes} | own | MORE_ASKS.keys()


def observe(office: Office, line: Line, persona: str) -> str:
    """Ask as one persona, undo whatever it did, and return the class of the answer."""
    with transaction.atomic():
        answer = send(office, line, persona)
        transaction.set_rollback(True)
    cache.clear()
    return classify(answer)


def send(office: Office, line: Line, persona: str) -> Any:
    ask = ask_for(office, *line, persona)
    return answer_to(line, ask, office.client_of(persona, ask))


def answer_to(line: Line, ask: Ask, client: APIClient) -> Any:
    """Send a request as its line has it."""
    method, route, _ = line
    path = re.sub(r"<\w+:(\w+)>", lambda found: str(ask.ids[found[1]]), f"/{route}")
    if ask.query:
        path = f"{path}?{ask.query}"
    if method == "GET":
        answer = client.get(path)
    elif ask.format == "form":
        answer = client.post(path, urlencode(ask.body), content_type=FORM)
    else:
        answer = getattr(client, method.lower())(path, ask.body, format=ask.format)
    if answer.streaming:
        b"".join(answer.streaming_content)  # read to its end, which closes the file
    return answer


def classify(answer: Any) -> str:
    code = answer.status_code
    if code in IS_REFUSED:
        return str(code)
    return "in" if code in IS_AFTER_THE_PERMISSION else f"unexpected {code}"


def test_every_route_is_in_the_table_and_every_line_has_its_route():
    wanted = wanted_lines()
    assert wanted - MATRIX.keys() == set(), "Routes that nobody has thought about."
    assert MATRIX.keys() - wanted == set(), "Lines without a route."
    assert {line[:2] for line in wanted} - ASKS.keys() == set(), "Routes without a request."
    assert ASKS.keys() - {line[:2] for line in wanted} == set(), "Requests without a route."
    assert len(MATRIX) * len(PERSONAS) >= LEAST_CELLS


def test_what_is_not_the_api_is_listed_too():
    assert unknown_pages() == []


@pytest.mark.parametrize("line", sorted(MATRIX), ids=" ".join)
def test_everybody_gets_what_the_table_says(office, line):
    expected = {persona: MATRIX[line][persona] for persona in PERSONAS}
    assert {persona: observe(office, line, persona) for persona in PERSONAS} == expected


def test_a_view_without_its_permission_is_found(office, monkeypatch):
    """The negative control: the table notices when a view forgets to ask who it is."""
    line = ("GET", "api/security/activity-log", "")
    assert observe(office, line, "user_other") == MATRIX[line]["user_other"] == "403"

    monkeypatch.setattr(ActivityLogViewSet, "permission_classes", (IsAuthenticated,))
    assert observe(office, line, "user_other") == "in"


def test_a_view_without_its_owner_is_found(office, monkeypatch):
    """The other one: a queryset that forgets whose rows they are."""
    line = ("GET", "api/kyc/<uuid:pk>/file", "")
    assert observe(office, line, "user_other") == MATRIX[line]["user_other"] == "404"

    monkeypatch.setattr(DocumentViewSet, "get_queryset", lambda view: UserKYC.objects.all())
    assert observe(office, line, "user_other") == "in"


def print_what_the_office_answers(office: Office) -> None:
    print(",".join(HEADER))
    for line in sorted(wanted_lines(), key=lambda line: (line[1], line[0], line[2])):
        print(",".join([*line, *(observe(office, line, persona) for persona in PERSONAS)]))


if os.environ.get("MATRIX") == "print":

    def test_prints_what_the_office_answers(office):
        print_what_the_office_answers(office)
