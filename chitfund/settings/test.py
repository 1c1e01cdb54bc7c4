"""Tests: the real database, everything slow made cheap, tasks run where they are rung."""

from chitfund.observability.logging import logging_config
from chitfund.settings import env
from chitfund.settings.base import *  # noqa: F403 - an environment is the base and its differences

BCRYPT_ROUNDS = env.integer("BCRYPT_ROUNDS", 4, least=4)
LOGGING = logging_config(env.text("LOG_LEVEL", "WARNING"), json=True)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

# An eager task still waits for the commit, so a test sees the order that production has.
CELERY_TASK_ALWAYS_EAGER = env.flag("CELERY_TASK_ALWAYS_EAGER", default=True)
CELERY_TASK_EAGER_PROPAGATES = True

# A suite is no crowd; what tests the throttles turns them on.
API_RATE_USER = env.rate("API_RATE_USER", "off")
API_RATE_ADDRESS = env.rate("API_RATE_ADDRESS", "off")
