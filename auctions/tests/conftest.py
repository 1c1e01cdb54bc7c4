"""What the tests of draws share with those of money."""

from payments.tests.conftest import ledger_holds

__all__ = ["ledger_holds"]
