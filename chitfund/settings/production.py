"""Production: real services, TLS before us, and no boot with a weak or sample secret."""

from chitfund.settings import env
from chitfund.settings.base import *  # noqa: F403 - an environment is the base and its differences
from chitfund.settings.base import PUBLIC_URL, SPECTACULAR_SETTINGS
from chitfund.settings.guard import refuse_unsafe

# TLS ends at the proxy, whose word for the scheme is believed.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = True
# The load balancer asks for these by plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True

# Whoever is signed in at the desk reads the API's description; strangers need no map of it.
SPECTACULAR_SETTINGS = {
    **SPECTACULAR_SETTINGS,
    "SERVE_AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAdminUser"],
}

# The image holds them collected and compressed.
WHITENOISE_USE_FINDERS = False

refuse_unsafe(globals())
