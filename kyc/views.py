"""Identity documents over HTTP: hand in, look at, review."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeView, OfficeViewSet
from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import needs
from chitfund.exceptions import NotFound
from kyc import files, services
from kyc.links import signed_link
from kyc.models import UserKYC
from kyc.parsers import DocumentParser
from kyc.selectors import REVIEW_PERMISSION, may_read_all, visible_documents
from kyc.serializers import (
    DocumentSerializer,
    DocumentUploadSerializer,
    LinkSerializer,
    RejectSerializer,
)

TAG = "KYC"


class UserDocumentsViewSet(mixins.ListModelMixin, OfficeViewSet):
    """The identity documents of one person, newest first, rejected ones included."""

    queryset = UserKYC.objects.none()
    serializer_class = DocumentSerializer
    permission_classes = (IsAuthenticated,)
    parser_classes = (DocumentParser,)
    filter_backends = ()

    def get_queryset(self) -> QuerySet[UserKYC]:
        return visible_documents(self.request.user).filter(user_id=self.kwargs["pk"])

    @extend_schema(tags=[TAG])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Documents with their masked numbers; staff leave a trace."""
        if request.user.pk != self.kwargs["pk"]:
            if not may_read_all(request.user):
                raise NotFound("There is no such person, or it is not you.")
            person = get_object_or_404(User, pk=self.kwargs["pk"])
            record_audit_event(actor=request.user, verb="kyc.listed", target=person)
        return super().list(request, *args, **kwargs)

    @extend_schema(
        tags=[TAG],
        request={"multipart/form-data": DocumentUploadSerializer},
        responses={201: DocumentSerializer},
    )
    def create(self, request: Request, pk: UUID) -> Response:
        """Hand in one's own document for review. Only the end of its number is kept."""
        form = DocumentUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        document = services.submit_document(user_id=pk, actor=request.user, **form.validated_data)
        return Response(self.get_serializer(document).data, status=status.HTTP_201_CREATED)


class DocumentViewSet(OfficeViewSet):
    """One document: its file, and the decision on it."""

    queryset = UserKYC.objects.none()
    serializer_class = DocumentSerializer
    action_permissions: dict[str, type[BasePermission]] = {
        "verify": needs(REVIEW_PERMISSION),
        "reject": needs(REVIEW_PERMISSION),
    }

    def get_permissions(self) -> list[BasePermission]:
        more = self.action_permissions.get(self.action)
        return [IsAuthenticated(), more()] if more else [IsAuthenticated()]

    def get_queryset(self) -> QuerySet[UserKYC]:
        return visible_documents(self.request.user)

    @extend_schema(tags=[TAG], responses={302: LinkSerializer})
    def file(self, request: Request, pk: UUID) -> Response:
        """Go to the file by a link that ends in two minutes; staff leave a trace."""
        document = self.get_object()
        if document.user_id != request.user.pk:
            record_audit_event(actor=request.user, verb="kyc.file_opened", target=document)
        url = signed_link(document, request)
        body = LinkSerializer({"url": url, "expires_in": files.LINK_SECONDS})
        headers = {"Location": url, "Cache-Control": "no-store"}
        return Response(body.data, status=status.HTTP_302_FOUND, headers=headers)

    @extend_schema(tags=[TAG], request=None, responses=DocumentSerializer)
    def verify(self, request: Request, pk: UUID) -> Response:
        """Accept a document."""
        document = services.verify_document(document_id=pk, actor=request.user)
        return Response(self.get_serializer(document).data)

    @extend_schema(tags=[TAG], request=RejectSerializer, responses=DocumentSerializer)
    def reject(self, request: Request, pk: UUID) -> Response:
        """Refuse a document, a verified one too, with the reason."""
        form = RejectSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        document = services.reject_document(
            document_id=pk, actor=request.user, **form.validated_data
        )
        return Response(self.get_serializer(document).data)


class FileContentView(OfficeView):
    """A file for whoever holds its link."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    takes_idempotency_key = False

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's signature
        """Serve the file whatever kind the reader says to accept; errors are JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        tags=[TAG],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH)],
        responses={(200, kind.content_type): OpenApiTypes.BINARY for kind in files.KINDS},
    )
    def get(self, request: Request, token: str) -> FileResponse:
        """Download the file; the link ends two minutes after it was given."""
        document = UserKYC.objects.filter(pk=files.read_token(token)).first()
        if document is None or not default_storage.exists(document.document_url):
            raise NotFound("This file is not kept any more.")
        return FileResponse(
            default_storage.open(document.document_url),
            as_attachment=True,
            filename=document.file_name,
            content_type=files.content_type_of(document.document_url),
            headers={
                "Cache-Control": "private, no-store",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
            },
        )
