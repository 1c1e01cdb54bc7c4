"""Where this app is served."""

urlpatterns: list = []
