"""Where computed things are served."""

from django.urls import path

from reports.views import MeView

urlpatterns = [path("auth/me", MeView.as_view(), name="auth-me")]
