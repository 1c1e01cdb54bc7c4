"""Asking the API, and what every answer has in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from payments.tests.chits import Chit

MONEY = re.compile(r"-?\d+\.\d\d")


def admin_with(*codenames: str) -> User:
    """Return an administrator with these permissions and no others."""
    admin = AdminFactory.create(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return admin


def everybody(chit: Chit) -> dict[str, APIClient]:
    """Return a client for everybody whose view of a chit differs."""
    people = {
        "member": chit.members[1],
        "foreman": chit.foreman,
        "administrator": chit.asha,
        "other foreman": ForemanFactory.create(),
        "other user": UserFactory.create(kyc_verified=True),
        "powerless administrator": admin_with(),
        "nobody": None,
    }
    return {who: client_for(person) for who, person in people.items()}


def statuses(chit: Chit, method: str, path: str, body: Any = None) -> dict[str, int]:
    """Return what everybody is answered, without keeping what it did."""
    return {
        who: getattr(client, method)(path, body).status_code
        for who, client in everybody(chit).items()
    }


def error(response: Response, status: int, code: str) -> dict[str, Any]:
    """Check that an error has its status, its code and the shape of all errors; return it."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert set(body) == {"message", "code", "errors", "trace_id"}
    assert body["message"]
    assert body["trace_id"]
    for row in body["errors"]:
        assert set(row) == {"field", "code", "message"}
    return body


def error_fields(response: Response, code: str = "invalid") -> list[str]:
    """Return the fields that a refused form names."""
    return sorted(row["field"] for row in error(response, 400, code)["errors"])


def is_money(row: dict[str, Any], names: Iterable[str]) -> bool:
    """Tell whether these are strings with two places, or null."""
    return all(row[name] is None or MONEY.fullmatch(row[name]) for name in names)


def queries_of(client: APIClient, path: str) -> tuple[int, int]:
    """Return how many rows a list answers with, and how many queries that took."""
    with CaptureQueriesContext(connection) as asked:
        response = client.get(path)
    assert response.status_code == 200, response.content
    return len(response.json()["results"]), len(asked)


def check_queries(client: APIClient, path: str, *, most: int) -> None:
    """Check that a page of many rows asks what a page of one does, and no more than `most`."""
    one, few = queries_of(client, f"{path}?page_size=1")
    many, queries = queries_of(client, f"{path}?page_size=100")
    assert one == 1 < many, f"{path} has {many} rows"
    assert few == queries <= most, f"{path}: {few} queries for one row, {queries} for {many}"
