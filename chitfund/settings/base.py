"""What all environments share. Each adds its own secrets and its own strictness."""

import os
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

from chitfund.beat import CELERY_BEAT_SCHEDULE  # noqa: F401 - a setting
from chitfund.observability.logging import logging_config
from chitfund.settings import cors, env
from chitfund.settings.database import caches, databases
from chitfund.settings.oidc import oidc_providers, redirect_uris
from chitfund.settings.queue import celery_settings
from chitfund.settings.secrets import given_or_generated_secrets, given_secrets

BASE_DIR = Path(__file__).resolve().parent.parent.parent
APP_ENV = env.text("APP_ENV", "development")
DATA_DIR = env.path("DATA_DIR", BASE_DIR / ".data")

HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 3000, least=1)
WEB_WORKERS = env.integer("WEB_WORKERS", os.cpu_count() or 1, least=1)
WEB_THREADS = env.integer("WEB_THREADS", 3, least=1)
TASK_PROCESSES = env.integer("TASK_PROCESSES", 2, least=1)
API_VERSION = env.text("API_VERSION", "v1")
PUBLIC_URL = env.text("PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
# How many proxies of ours stand before the office; only so many addresses of
# X-Forwarded-For are believed, and none by default.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0)

_secrets = given_secrets() if APP_ENV == "production" else given_or_generated_secrets(DATA_DIR)
SECRET_KEY = _secrets["SECRET_KEY"]
JWT_SECRET = _secrets["JWT_SECRET"]
# Document numbers: one key encrypts them, the other makes the index they are found by.
PII_ENCRYPTION_KEY = _secrets["PII_ENCRYPTION_KEY"]
PII_INDEX_KEY = _secrets["PII_INDEX_KEY"]
# Earlier encryption keys, separated by commas: they open what they sealed and seal nothing.
PII_RETIRED_KEYS = env.words("PII_RETIRED_KEYS", "")
WEBHOOK_SECRET = _secrets["WEBHOOK_SECRET"]
SIGNED_FILE_KEY = _secrets["SIGNED_FILE_KEY"]

DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
ROOT_URLCONF = "chitfund.urls"
WSGI_APPLICATION = "chitfund.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "chitfund",  # before Django's own, of whose commands it closes two
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "corsheaders",
    "accounts",
    "notifications",
    "kyc",
    "schemes",
    "subscriptions",
    "auctions",
    "payments",
    "reports",
]

MIDDLEWARE = [
    "chitfund.api.headers.HeadersMiddleware",
    "chitfund.observability.middleware.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "chitfund.api.headers.ExactCorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chitfund.api.paths.ApiPathMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.desk_second_factor.SecondFactorGate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = databases()
CACHES = caches()

# Time and language: a business date is a date in India.
LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True
USE_I18N = True

# Who: the password's cost is a setting, and only tests may go below 10.
AUTH_USER_MODEL = "accounts.User"
BCRYPT_ROUNDS = env.integer("BCRYPT_ROUNDS", 12, least=10)
PASSWORD_HASHERS = ["accounts.passwords.OfficePasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Staff show an authenticator app as well; without one they reach nothing but its enrolment.
REQUIRE_STAFF_SECOND_FACTOR = env.flag(
    "REQUIRE_STAFF_SECOND_FACTOR", default=APP_ENV == "production"
)
LOGIN_URL = "/admin/login/"
SESSION_COOKIE_AGE = 60 * 60 * 12

# Bodies: a JSON request is small; documents come through their own upload routes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# A group may hold every permission there is: four for each table, and each is a field.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.AccessTokenAuthentication",
        "accounts.authentication.PortalCookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": [
        "accounts.throttles.PersonThrottle",
        "accounts.throttles.AddressThrottle",
    ],
    "DEFAULT_RENDERER_CLASSES": ["chitfund.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chitfund.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "chitfund.api.schema.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "chitfund.api.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    # OPTIONS tells nothing that the description does not; without this it is a 405.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "chitfund.api.errors.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# Requests of one person, and of one address whose people have not signed in.
API_RATE_USER = env.rate("API_RATE_USER", "600/min")
API_RATE_ADDRESS = env.rate("API_RATE_ADDRESS", "300/min")

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "chitfund API",
    "DESCRIPTION": "Carries a chit from draft to closed books without losing a paisa.",
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "chitfund.api.schema.describe_errors",
        "chitfund.api.schema.describe_times",
    ],
    "ENUM_NAME_OVERRIDES": {
        "UserStatusEnum": "accounts.models.users.UserStatus",
        "KycStatusEnum": "accounts.models.users.KycStatus",
        "StateEnum": "accounts.places.State",
        "RelationEnum": "accounts.models.profiles.Relation",
        "CodePurposeEnum": "accounts.models.factors.CodePurpose",
        "ConsentPurposeEnum": "accounts.models.profiles.ConsentPurpose",
        "ForemanProfileStatusEnum": "accounts.models.profiles.ForemanProfileStatus",
        "ErasureStatusEnum": "accounts.models.profiles.ErasureStatus",
        "VerificationStatusEnum": "kyc.models.VerificationStatus",
        "SchemeStatusEnum": "schemes.models.SchemeStatus",
        "RecordKindEnum": "schemes.models.RecordKind",
        "SubscriptionStatusEnum": "subscriptions.models.SubscriptionStatus",
        "AuctionStatusEnum": "auctions.models.AuctionStatus",
        "DrawMethodEnum": "auctions.models.Method",
        "PaymentStatusEnum": "payments.models.dues.PaymentStatus",
        "PaymentMethodEnum": "payments.models.dues.Method",
        "TillMethodEnum": "payments.models.dues.TILL_METHODS",
        "PayoutStatusEnum": "payments.models.movements.PayoutStatus",
        "MovementStatusEnum": "payments.models.movements.MovementStatus",
        "MovementKindEnum": "payments.models.movements.MovementKind",
    },
}

FAVICON = "chitfund/favicon.svg"
UNFOLD = {
    "SITE_TITLE": "chitfund",
    "SITE_HEADER": "chitfund",
    "SITE_SUBHEADER": "Staff desk",
    "SITE_SYMBOL": "account_balance",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static(FAVICON)},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": reverse_lazy("desk-second-factor")},
        ],
    },
}

ACCESS_TOKEN_LIFETIME = env.duration("JWT_EXPIRES_IN", "15m")
REFRESH_TOKEN_LIFETIME = env.duration("REFRESH_TOKEN_EXPIRES_IN", "7d")
# Who lost the reply to a refresh may ask again for so long, and gets the same token.
REFRESH_GRACE_SECONDS = env.integer("REFRESH_GRACE_SECONDS", 10)
# Browsers keep Secure cookies of http://localhost too; other clients of a developer do not.
PORTAL_COOKIES_SECURE = APP_ENV == "production" or env.flag("PORTAL_COOKIES_SECURE", default=True)
# Signs and verifies only; sessions are rows of ours.
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SECRET,
    "ISSUER": "chitfund",
    "USER_ID_CLAIM": "userId",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "UPDATE_LAST_LOGIN": False,
}

# Other providers that may vouch for people, and the pages they send them back to.
OIDC_PROVIDERS = oidc_providers()
OIDC_REDIRECT_URIS = redirect_uris(PUBLIC_URL)

# Pages of other origins that may read the API's answers, with the cookies of their own site.
CORS_ALLOWED_ORIGINS = cors.allowed_origins()
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = cors.HEADERS
CORS_EXPOSE_HEADERS = cors.EXPOSED
CORS_PREFLIGHT_MAX_AGE = cors.PREFLIGHT_SECONDS
CORS_URLS_REGEX = cors.PATHS

# Files: documents are private and served by short-lived signed addresses only.
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
STATIC_URL = "/static/"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

S3_BUCKET = env.text("S3_BUCKET", "")
S3_REGION = env.text("S3_REGION", "ap-south-1")
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY", "")
S3_SECRET_KEY = env.text("S3_SECRET_KEY", "")
S3_ENDPOINT_URL = env.text("S3_ENDPOINT_URL", "")
LOCAL_FILES: dict[str, Any] = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
S3_FILES: dict[str, Any] = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "region_name": S3_REGION,
        "access_key": S3_ACCESS_KEY or None,
        "secret_key": S3_SECRET_KEY or None,
        "endpoint_url": S3_ENDPOINT_URL or None,
        # Private, signed for two minutes, and no upload ever replaces another's file.
        "default_acl": None,
        "querystring_auth": True,
        "querystring_expire": 120,
        "file_overwrite": False,
        "signature_version": "s3v4",
    },
}
STORAGES: dict[str, Any] = {
    "default": S3_FILES if S3_BUCKET else LOCAL_FILES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Outside production the admin's and Swagger's files are served from where pip put them.
WHITENOISE_USE_FINDERS = True

# Telling people: real mail where an SMTP server is named, else a folder to look into.
OUTBOX_DIR = DATA_DIR / "outbox"
SMS_API_KEY = env.text("SMS_API_KEY", "")
SMTP_HOST = env.text("SMTP_HOST", "")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if SMTP_HOST
    else "notifications.backends.OutboxEmailBackend"
)
# One-time codes: a class for each channel, which has `send(*, to, text, message_id)`. Where none
# is named, they are written to the outbox; production has to name one (docs/one-time-codes.md).
_LOCAL_SENDERS = (
    {}
    if APP_ENV == "production"
    else {
        "SMS": "notifications.senders.local.SmsOutbox",
        "WHATSAPP": "notifications.senders.local.WhatsAppOutbox",
    }
)
CODE_SENDERS = {
    "SMS": env.text("SMS_SENDER", _LOCAL_SENDERS.get("SMS", "")),
    "WHATSAPP": env.text("WHATSAPP_SENDER", _LOCAL_SENDERS.get("WHATSAPP", "")),
    "EMAIL": env.text("EMAIL_SENDER", "notifications.senders.mail.MailSender"),
}
# Codes to numbers of other countries are how strangers make an office pay for calls.
CODE_COUNTRIES = tuple(f"+{code}" for code in env.words("CODE_COUNTRIES", "91"))
SMTPS_PORT = 465
EMAIL_HOST = SMTP_HOST or "localhost"
EMAIL_PORT = env.integer("SMTP_PORT", 587, least=1)
EMAIL_HOST_USER = env.text("SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.text("SMTP_PASS", "")
# 465 speaks TLS from the first byte; every other port upgrades after the greeting.
EMAIL_USE_SSL = EMAIL_PORT == SMTPS_PORT
EMAIL_USE_TLS = not EMAIL_USE_SSL and env.flag("SMTP_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Chit fund office <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

globals().update(celery_settings())

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOGGING = logging_config(LOG_LEVEL, json=True)
