"""Reads of identity documents: one's own, and all of them for those who review."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import has_staff_permission
from kyc.models import UserKYC

REVIEW_PERMISSION = "kyc.review_kyc"
VIEW_PERMISSION = "kyc.view_userkyc"


def may_read_all(user: User) -> bool:
    return has_staff_permission(user, REVIEW_PERMISSION) or has_staff_permission(
        user, VIEW_PERMISSION
    )


def visible_documents(user: User) -> QuerySet[UserKYC]:
    """Return the documents that somebody may see, newest first."""
    return UserKYC.objects.all() if may_read_all(user) else UserKYC.objects.filter(user=user.pk)
