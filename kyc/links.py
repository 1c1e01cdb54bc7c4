"""Short-lived links to document files: our own where files are local, else the bucket's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request

from kyc import files
from kyc.models import UserKYC


def signed_link(document: UserKYC, request: Request | HttpRequest) -> str:
    """Return where a document's file can be read for two minutes, as a download."""
    if not settings.S3_BUCKET:
        token = files.link_token(document.pk)
        return request.build_absolute_uri(reverse("kyc-file-content", args=[token]))
    bucket: Any = default_storage
    disposition = f'attachment; filename="{document.file_name}"'
    return bucket.url(
        document.document_url,
        parameters={"ResponseContentDisposition": disposition},
        expire=files.LINK_SECONDS,
    )
