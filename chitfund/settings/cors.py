"""Which pages of other origins may read the API's answers: none, or those listed."""

import re

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from chitfund.settings import env

# As browsers write them: no path, no slash, small letters, no port where it is the usual one.
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
USUAL_PORTS = re.compile(r"http://.*:80|https://.*:443")
HEADERS = (*default_headers, "idempotency-key", "x-request-id", "traceparent")
EXPOSED = (
    "Content-Disposition",
    "Idempotency-Replayed",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
# The API only: pages of the desk are nobody's to read.
PATHS = r"^/api/"
PREFLIGHT_SECONDS = 600


def allowed_origins() -> list[str]:
    """Return CORS_ALLOWED_ORIGINS, or refuse to boot: a slip here opens or closes a door."""
    origins = env.words("CORS_ALLOWED_ORIGINS")
    for origin in origins:
        if not ORIGIN.fullmatch(origin) or USUAL_PORTS.fullmatch(origin):
            raise ImproperlyConfigured(
                "CORS_ALLOWED_ORIGINS must list origins as browsers write them, such as "
                "https://portal.office.in: no path, no wildcard, small letters."
            )
    return origins
