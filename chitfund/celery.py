"""The Celery application: `celery -A chitfund worker`, `celery -A chitfund beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chitfund.settings")

app = Celery("chitfund")
# The "current app" is remembered per thread. Without this a task rung in a second thread
# of the web server would go to a nameless app with an AMQP broker that does not exist.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
