"""Django's settings; what differs between installations comes from `portal.config`."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from portal.config import Config, local_secret

CONFIG = Config()
BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = CONFIG.debug
IS_DEMO = CONFIG.is_demo
SECRET_KEY = CONFIG.secret_key or local_secret(CONFIG.var, "secret_key")
MASTER_KEY = CONFIG.master_key or local_secret(CONFIG.var, "master_key")
ALLOWED_HOSTS = CONFIG.allowed_hosts.split(",")

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "mandates",
    "channels",
    "submissions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.NoStoreMiddleware",
    "portal.middleware.LoginRequiredMiddleware",
    "portal.middleware.TenantMiddleware",
    "portal.middleware.SessionMiddleware",
    "portal.middleware.SecondFactorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.house",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]


def database(url: str) -> dict[str, object]:
    """A Django database from a `postgresql://user:password@host:port/name` address; a socket folder as `?host=`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # A server-side cursor plans for the first rows only, unless told that every row will be read. And the policies
        # of row-level security look so dear to the planner that it compiles them (JIT): seconds, for 50 rows.
        "OPTIONS": {"options": "-c cursor_tuple_fraction=1 -c jit=off -c timezone=UTC", **query},
    }


# `default` is the application's role, which owns nothing and cannot pass row-level security; `owner` migrates.
DATABASES = {
    "default": database(CONFIG.database_url),
    "owner": {
        **database(CONFIG.database_owner_url or CONFIG.database_url),
        # No request ever speaks as the owner: a transaction would open a second connection for each of them.
        "ATOMIC_REQUESTS": False,
        "TEST": {"MIRROR": "default"},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPLICATION_ROLE = str(DATABASES["default"]["USER"])
GATE_ROLE = CONFIG.gate_role

AUTH_USER_MODEL = "portal.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SECOND_FACTOR_REQUIRED = CONFIG.second_factor_required
CONFIRM_AFTER = CONFIG.confirm_after
"""Seconds after which a sign-in has to be confirmed before an act that counts."""
PASSWORD_RESET_TIMEOUT = 72 * 3600
"""Seconds in which a link to choose a password works."""
# allauth's parts, used by `portal.factors`, `limits` and `sessions`. None of its own addresses is routed.
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if CONFIG.is_behind_https else 0
MFA_ADAPTER = "portal.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Mandataire"
# A telephone's clock may be half a minute off; `portal.factors` refuses what was used already.
MFA_TOTP_TOLERANCE = 1
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.is_behind_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.is_behind_https else None
SECURE_HSTS_SECONDS = 31536000 if CONFIG.is_behind_https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# What people upload is kept sealed, so it never touches the disk in clear; anything larger is not even received.
FILE_UPLOAD_HANDLERS = ["portal.uploading.OnlyInMemory"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 6_000_000
# A training for a thousand workers is one form, with up to three boxes for each of them.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("nl", _("Dutch")), ("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Brussels"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = CONFIG.var / "static"
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG and "pytest" not in sys.modules
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
}

# Counts attempts to sign in, for all processes together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CONFIG.redis_url,
        "KEY_PREFIX": "portal",
    }
}

# Without a server of the installation's own nothing is mailed: alarms are on the home page all the same.
SENDS_MAIL = bool(CONFIG.email_host) or DEBUG
DEFAULT_FROM_EMAIL = CONFIG.email_from
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": CONFIG.email_host,
            "port": CONFIG.email_port,
            "username": CONFIG.email_user,
            "password": CONFIG.email_password,
            "use_tls": CONFIG.email_has_tls,
            "timeout": 20,
        },
    }
    if CONFIG.email_host
    else {"BACKEND": f"django.core.mail.backends.{'console' if DEBUG else 'dummy'}.EmailBackend"}
}

CELERY_BROKER_URL = CONFIG.redis_url
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's task comes back after the visibility time-out; kombu looks only every so often, so both are set.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "submissions.tasks.sweep",
        "schedule": CONFIG.sweep_every,
        # A sweep that nobody took up in time is worthless: the next one asks the same question.
        "options": {"expires": max(CONFIG.sweep_every, 1.0)},
    }
}
