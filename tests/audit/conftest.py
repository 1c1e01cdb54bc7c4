"""The same office as the matrix goes through."""

from tests.authz.conftest import office

__all__ = ["office"]
