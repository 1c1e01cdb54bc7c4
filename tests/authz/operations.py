"""Every operation of the API, read from its description, so that a new route is seen by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
WRITES = frozenset({"post", "put", "patch", "delete"})
DEEPEST = 6


@dataclass(frozen=True)
class Operation:
    """One method on one path: what it takes, and what it may answer."""

    method: str
    path: str
    body: dict[str, Any] = field(hash=False, compare=False)
    request: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    media_type: str = "application/json"

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def fields(self) -> frozenset[str]:
        """The names at the top of the body."""
        return frozenset(name.split(".")[0] for name in self.request)


@cache
def description() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(sorted(_read(), key=lambda operation: operation.name))


def _read() -> Iterator[Operation]:
    for path, methods in description()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(method, path, methods[method])


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    bodies = described.get("requestBody", {}).get("content", {})
    media_type = next(iter(bodies), "application/json")
    body = resolved(bodies.get(media_type, {}).get("schema", {}))
    answers = [
        answer["content"]["application/json"].get("schema", {})
        for status, answer in described["responses"].items()
        if status.startswith("2") and "application/json" in answer.get("content", {})
    ]
    response = {key for answer in answers for key in keys_of(answer)}
    return Operation(
        method=method,
        path=path,
        body=body,
        request=tuple(sorted(keys_of(body))),
        response=tuple(sorted(response)),
        media_type=media_type,
    )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and the one part of an `allOf` or `oneOf` that says most."""
    while True:
        if "$ref" in schema:
            schema = description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif any(name in schema for name in ("allOf", "oneOf", "anyOf")):
            parts = schema.get("allOf") or schema.get("oneOf") or schema["anyOf"]
            schema = max((resolved(part) for part in parts), key=lambda part: len(str(part)))
        else:
            return schema


def keys_of(schema: dict[str, Any], depth: int = 0) -> set[str]:
    """Return the dotted names of everything in a schema; lists are looked into."""
    schema = resolved(schema)
    if depth > DEEPEST:
        return set()
    if "items" in schema:
        return keys_of(schema["items"], depth + 1)
    found: set[str] = set()
    for name, inner in schema.get("properties", {}).items():
        found.add(name)
        found |= {f"{name}.{more}" for more in keys_of(inner, depth + 1)}
    return found


def keys_in(data: Any) -> set[str]:
    """Return the dotted names of everything in an answer, in the same way."""
    if isinstance(data, list):
        return {key for row in data for key in keys_in(row)}
    if not isinstance(data, dict):
        return set()
    found: set[str] = set()
    for name, inner in data.items():
        found.add(name)
        found |= {f"{name}.{more}" for more in keys_in(inner)}
    return found


def sample_of(schema: dict[str, Any]) -> Any:
    """Return something that the description allows; a table of ours knows better where needed."""
    schema = resolved(schema)
    if "enum" in schema:
        return next(value for value in schema["enum"] if value not in ("", None))
    kind = schema.get("type", "object")
    kind = next(name for name in kind if name != "null") if isinstance(kind, list) else kind
    makers = {
        "object": lambda: {
            name: sample_of(inner)
            for name, inner in schema.get("properties", {}).items()
            if name in schema.get("required", ())
        },
        "array": lambda: [sample_of(schema["items"])],
        "boolean": lambda: True,
        "integer": lambda: int(schema.get("minimum", 1)),
        "number": lambda: 1,
        "string": lambda: _text(schema),
    }
    return makers[kind]()


def _text(schema: dict[str, Any]) -> str:
    formats = {"date": "2030-01-01", "date-time": "2030-01-01T10:00:00+05:30",
               "email": "somebody@example.com", "decimal": "100.00",
               "uuid": "01990000-0000-7000-8000-000000000000"}  # fmt: skip
    return formats.get(schema.get("format", ""), "as decided in the meeting")
