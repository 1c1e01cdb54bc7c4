"""Where identity documents are served."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from kyc.views import DocumentViewSet, FileContentView, UserDocumentsViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "users/<uuid:pk>/kyc",
        UserDocumentsViewSet.as_view({"get": "list", "post": "create"}),
        name="user-kyc",
    ),
    path("kyc/<uuid:pk>/file", DocumentViewSet.as_view({"get": "file"}), name="kyc-file"),
    path("kyc/<uuid:pk>/verify", DocumentViewSet.as_view({"post": "verify"}), name="kyc-verify"),
    path("kyc/<uuid:pk>/reject", DocumentViewSet.as_view({"post": "reject"}), name="kyc-reject"),
    path("kyc/files/<str:token>", FileContentView.as_view(), name="kyc-file-content"),
]
