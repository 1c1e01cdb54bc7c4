"""The office's books against an independent auditor's."""

import pytest

# What fails in there says what it found, as in a test.
pytest.register_assert_rewrite("tests.ledger.auditor", "tests.ledger.play")
