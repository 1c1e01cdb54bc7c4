"""pytest-django's own `django_db_setup` would win over a plugin's; a conftest wins over both."""

from chitfund.testing import django_db_setup

__all__ = ["django_db_setup"]
