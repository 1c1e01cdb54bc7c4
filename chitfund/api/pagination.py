"""Pages by number for lists that stay small, by keyset cursor for lists that only grow."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import pagination
from rest_framework.exceptions import NotFound
from rest_framework.request import Request


class PageNumberPagination(pagination.PageNumberPagination):
    """`{count, next, previous, results}`, 20 a page, at most 100."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"


class KeysetPagination(pagination.CursorPagination):
    """`{next, previous, results}`, newest first, without a COUNT or an OFFSET.

    UUIDv7 keys are ordered by time, so the primary key index serves the cursor.
    """

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Any:
        """Refuse a cursor that was not ours before it reaches the database."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                UUID(str(cursor.position))
            except ValueError as exc:
                raise NotFound(self.invalid_cursor_message) from exc
        return cursor
