"""The list of people as a file, for the office."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.audit import record_audit_event
from accounts.models import User
from accounts.permissions import needs
from accounts.selectors import with_place
from accounts.spreadsheets import csv_lines
from accounts.views.users import TAG, UserViewSet
from chitfund.api.renderers import JSONRenderer
from chitfund.business_date import IST, business_date

CHUNK = 500
COLUMNS = (
    "UCFSIN", "Name", "Email", "Phone", "City", "State", "Registered on", "Role", "Status",
    "KYC status", "Last login",
)  # fmt: skip


class CSVRenderer(BaseRenderer):
    """Lets a client ask for CSV; the view streams the file itself."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class UserExportViewSet(UserViewSet):
    """The same people and filters as the list."""

    renderer_classes = (JSONRenderer, CSVRenderer)
    action_permissions: dict[str, type[BasePermission]] = {"export": needs("accounts.view_user")}

    @extend_schema(
        tags=[TAG],
        operation_id="api_users_export",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        """Download the filtered list as CSV. That it was taken is recorded."""
        people = with_place(self.filter_queryset(self.get_queryset()))
        record_audit_event(
            actor=request.user, verb="users.exported", target=request.user, count=people.count()
        )
        name = f"users-{business_date().isoformat()}.csv"
        return StreamingHttpResponse(
            csv_lines(COLUMNS, _rows(people)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer errors in JSON, whatever was asked for."""
        if isinstance(response, Response):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        return answer


def _rows(people: QuerySet[User]) -> Iterator[tuple[Any, ...]]:
    for person in people.iterator(chunk_size=CHUNK):
        yield (
            person.ucfsin,
            person.full_name,
            person.email,
            person.phone_number,
            person.city,
            person.state,
            person.created_at.astimezone(IST).date(),
            person.role,
            person.status,
            person.kyc_status,
            person.last_login and person.last_login.astimezone(IST).isoformat(timespec="minutes"),
        )
