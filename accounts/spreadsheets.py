"""Rows as CSV that a spreadsheet opens and does not execute."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

# Excel reads a file without this mark in the local code page, and names lose their letters.
BYTE_ORDER_MARK = "\ufeff"
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield a table line by line, as fast as its rows come."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(list(header))
    for row in rows:
        yield writer.writerow([harmless(value) for value in row])


def harmless(value: Any) -> str:
    """Return a cell as text; what would begin a formula begins with an apostrophe instead."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_BEGINS) else text
