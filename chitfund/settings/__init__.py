"""Settings of the office, chosen by APP_ENV.

development  (default) embedded database, generated secrets, demo data
test         the same for pytest, quick and silent
office       embedded database and local files, generated secrets, no demo data
production   everything from the environment; refuses to boot with a weak one
"""

from importlib import import_module

from django.core.exceptions import ImproperlyConfigured

from chitfund.settings import env

APP_ENVS = ("development", "test", "office", "production")

APP_ENV = env.text("APP_ENV", "development")
if APP_ENV not in APP_ENVS:
    raise ImproperlyConfigured(f"APP_ENV must be one of {', '.join(APP_ENVS)}.")

_chosen = import_module(f"chitfund.settings.{APP_ENV}")
globals().update({name: value for name, value in vars(_chosen).items() if name.isupper()})
