"""One machine of a small office: embedded database, local files, generated secrets.

Nothing is added to the base; what sets it apart is what it lacks: demo data.
"""

from chitfund.settings.base import *  # noqa: F403 - an environment is the base and its differences
