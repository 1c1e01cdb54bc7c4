"""What every table of the office has in common: identity, time, status, and SQL guards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils.compat
from django.db import connection, models

from chitfund.exceptions import InvalidTransition


def new_id() -> UUID:
    """Return a UUIDv7: unique, and ordered by time so that indexes stay dense."""
    return uuid_utils.compat.uuid7()


class IdentifiedModel(models.Model):
    """A row known by a UUIDv7 that nobody edits."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class TimeStampedModel(models.Model):
    """A row that says when it came and when it last changed."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class StatusModel(models.Model):
    """A model whose `status` moves only along `MOVES`."""

    MOVES: ClassVar[Mapping[Any, frozenset[Any]]]
    status: Any
    get_status_display: Any

    class Meta:
        abstract = True

    def move_to(self, status: Any) -> None:
        """Set `status`, or raise InvalidTransition. Does not save.

        Call it on a row locked with select_for_update; on an unlocked row the check
        proves nothing.
        """
        if status not in self.MOVES[self.status]:
            raise InvalidTransition(
                f"This {self._meta.verbose_name} is {self.get_status_display().lower()}; "
                f"it cannot become {str(status.label).lower()}."
            )
        self.status = status


class MoneyField(models.DecimalField):
    """Rupees: DECIMAL(12,2), as the guide has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 12)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


def one_of(field: str, choices: type[models.TextChoices]) -> models.Q:
    """Return the condition that a column holds one of its choices, for a CheckConstraint."""
    return models.Q(**{f"{field}__in": list(choices.values)})


def next_number(series: str) -> int:
    """Return the next number of a gapless series, holding its row until the commit.

    Call it last in a transaction: everybody who wants a number of the same series waits.
    A rolled back transaction gives its number back, which a sequence would not.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO number_series (name, last) VALUES (%s, 1) "
            "ON CONFLICT (name) DO UPDATE SET last = number_series.last + 1 RETURNING last",
            [series],
        )
        return int(cursor.fetchone()[0])


APPEND_ONLY_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(table: str) -> tuple[str, str]:
    """Return the SQL that makes a table append-only, and the SQL that undoes it.

    Triggers stop every role that respects them; the REVOKE stops the runtime role before
    a trigger is asked.
    """
    forward = f"""
    CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    {if_app_role(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM chitfund_app")}
    """
    backward = f"""
    DROP TRIGGER IF EXISTS {table}_append_only ON {table};
    DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
    {if_app_role(f"GRANT UPDATE, DELETE ON {table} TO chitfund_app")}
    """
    return forward, backward


def if_app_role(statement: str) -> str:
    """Return SQL that runs a grant or revoke where the runtime role exists."""
    return f"""
    DO $do$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'chitfund_app') THEN
            {statement};
        END IF;
    END $do$;
    """
