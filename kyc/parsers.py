"""Documents come as multipart forms; what is too large is refused before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

from chitfund.api.parsers import snake_case
from chitfund.exceptions import InvalidInput
from kyc.files import MAX_BYTES, MEGABYTE

# The other fields and the boundaries of the form.
OVERHEAD = MEGABYTE // 4


class DocumentParser(MultiPartParser):
    """A multipart form with one document, named as in the guide or as in the portal."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles[Any, Any]:
        _check_length((parser_context or {})["request"].META.get("CONTENT_LENGTH"))
        try:
            form = super().parse(stream, media_type, parser_context)
        except SuspiciousOperation as exc:
            raise ParseError("Send one file and its two fields; this form has too many.") from exc
        return DataAndFiles(_snake(form.data, QueryDict(mutable=True)), _snake(form.files))


def _check_length(told: str | None) -> None:
    length = int(told) if told and told.isdecimal() else 0
    if length > MAX_BYTES + OVERHEAD:
        raise InvalidInput.on(
            "file",
            f"The request has {length / MEGABYTE:.1f} MB; a document has at most 5 MB. Scan it "
            "smaller.",
            code="too_large",
        )


def _snake(
    given: MultiValueDict[str, Any], named: MultiValueDict[str, Any] | None = None
) -> MultiValueDict[str, Any]:
    named = MultiValueDict() if named is None else named
    for name, values in given.lists():
        named.setlist(snake_case(name), values)
    return named
