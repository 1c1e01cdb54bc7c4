"""When each scheduled job runs, in Indian time.

Synchronised into the database when beat starts; a job that the admin switched off there
stays off. Each job begins by claiming its business date and catches up missed days, so a
time here is a wish and not a promise.
"""

from typing import Any

CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {}
