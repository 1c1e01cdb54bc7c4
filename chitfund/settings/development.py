"""A developer's machine: nothing to configure, log lines for a person to read."""

from chitfund.observability.logging import logging_config
from chitfund.settings import env
from chitfund.settings.base import *  # noqa: F403 - an environment is the base and its differences
from chitfund.settings.base import LOG_LEVEL

# Off by default: with it on, errors are pages instead of the API's own answers.
DEBUG = env.flag("DEBUG", default=False)
LOGGING = logging_config(LOG_LEVEL, json=False)
