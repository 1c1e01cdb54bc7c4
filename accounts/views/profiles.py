"""Profile, nominees, bank accounts and consents of one person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import Address, BankAccount, Consent, Nominee, User, UserProfile
from accounts.notices import CURRENT_VERSIONS
from accounts.permissions import needs
from accounts.selectors import profile_completeness, standing_consents
from accounts.serializers import ReasonSerializer
from accounts.serializers_profiles import (
    ADDRESS_KEYS,
    BankAccountInputSerializer,
    BankAccountSerializer,
    ConsentInputSerializer,
    ConsentSerializer,
    NomineesInputSerializer,
    NomineesSerializer,
    ProfileInputSerializer,
    ProfileNomineeSerializer,
    ProfileSerializer,
    RevealedNumberSerializer,
    StandingConsentsSerializer,
)
from accounts.views.persons import PersonViewSet
from accounts.views.sign_in import checked
from chitfund.api.pagination import KeysetPagination

TAG = "Profile"


def shown_profile(user: User) -> dict[str, Any]:
    """Return a profile as the API shows it; what is not there is empty."""
    profile = UserProfile.objects.filter(user=user).first() or UserProfile(user=user)
    addresses = {address.kind: address for address in Address.objects.filter(user=user)}
    row = {
        **{key: addresses.get(kind) for kind, key in ADDRESS_KEYS.items()},
        "occupation": profile.occupation,
        "annual_income": profile.annual_income,
        "income_source": profile.income_source,
        "employer": profile.employer,
        "designation": profile.designation,
        "experience_years": profile.experience_years,
        "completeness": profile_completeness(user),
        "updated_at": profile.updated_at,
    }
    return ProfileSerializer(row).data


class ProfileViewSet(PersonViewSet):
    """Addresses, occupation and income."""

    view_permission = "accounts.view_userprofile"
    change_permission = "accounts.change_userprofile"

    @extend_schema(tags=[TAG], responses=ProfileSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show a profile and how complete it is."""
        return Response(shown_profile(self.person_to_read()))

    @extend_schema(tags=[TAG], request=ProfileInputSerializer, responses=ProfileSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Write the whole profile: what is left out is emptied."""
        return self._update(request, is_partial=False)

    @extend_schema(tags=[TAG], request=ProfileInputSerializer, responses=ProfileSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change some of it."""
        return self._update(request, is_partial=True)

    def _update(self, request: Request, *, is_partial: bool) -> Response:
        person = self.person_to_change()
        form = ProfileInputSerializer(data=request.data, partial=is_partial)
        form.is_valid(raise_exception=True)
        details = dict(form.validated_data)
        addresses = {kind: details.pop(key) for kind, key in ADDRESS_KEYS.items() if key in details}
        services.change_profile(
            user_id=person.pk, actor=request.user, details=details, addresses=addresses
        )
        return Response(shown_profile(person))


class NomineesViewSet(PersonViewSet):
    """Whom a person names. The set is read and written as one thing."""

    view_permission = "accounts.view_nominee"
    change_permission = "accounts.change_nominee"

    @extend_schema(tags=[TAG], responses=NomineesSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show all nominees."""
        rows = Nominee.objects.filter(user=self.person_to_read())
        return Response(NomineesSerializer({"nominees": rows}).data)

    @extend_schema(tags=[TAG], request=NomineesInputSerializer, responses=NomineesSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Replace all nominees; the shares make exactly 100, or the list is empty."""
        person = self.person_to_change()
        rows = services.replace_nominees(
            user_id=person.pk, actor=request.user, **checked(NomineesInputSerializer, request)
        )
        return Response(NomineesSerializer({"nominees": rows}).data)

    @extend_schema(
        tags=[TAG], responses=ProfileNomineeSerializer, operation_id="api_users_nominee_retrieve"
    )
    def one(self, request: Request, pk: UUID, nominee: UUID) -> Response:
        """Show one nominee."""
        rows = Nominee.objects.filter(user=self.person_to_read())
        return Response(ProfileNomineeSerializer(self.found(rows, nominee)).data)


class BankAccountViewSet(mixins.ListModelMixin, PersonViewSet):
    """Where a person's money goes; only they add and remove, staff look."""

    queryset = BankAccount.objects.none()
    serializer_class = BankAccountSerializer
    view_permission = "accounts.view_bankaccount"
    ordering_fields = ("created_at",)
    ordering = ("-is_primary", "id")

    def get_queryset(self) -> QuerySet[BankAccount]:
        return BankAccount.objects.filter(user=self.person_to_read())

    @extend_schema(tags=[TAG])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the accounts, the primary one first, numbers masked."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        tags=[TAG], request=BankAccountInputSerializer, responses={201: BankAccountSerializer}
    )
    def create(self, request: Request, pk: UUID) -> Response:
        """Add an account; its number is typed twice and shown no more."""
        person = self.person_to_change()
        account = services.add_bank_account(
            user_id=person.pk, actor=request.user, **checked(BankAccountInputSerializer, request)
        )
        return Response(BankAccountSerializer(account).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=[TAG], responses={204: None})
    def destroy(self, request: Request, pk: UUID, account: UUID) -> Response:
        """Remove an account; 409 for the primary one while there are others."""
        person = self.person_to_change()
        services.remove_bank_account(user_id=person.pk, account_id=account, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=[TAG], request=None, responses=BankAccountSerializer)
    @action(detail=True, methods=["post"])
    def make_primary(self, request: Request, pk: UUID, account: UUID) -> Response:
        """Let money go to this account."""
        person = self.person_to_change()
        row = services.make_primary(user_id=person.pk, account_id=account, actor=request.user)
        return Response(BankAccountSerializer(row).data)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=RevealedNumberSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[IsAuthenticated, needs("accounts.reveal_bankaccount")],
        # A kept answer would show the number again without a record, and after its removal.
        takes_idempotency_key=False,
    )
    def reveal(self, request: Request, pk: UUID, account: UUID) -> Response:
        """Show staff the whole number; the reason is recorded."""
        number = services.reveal_number(
            user_id=pk, account_id=account, actor=request.user, **checked(ReasonSerializer, request)
        )
        return Response(RevealedNumberSerializer({"account_number": number}).data)


class ConsentViewSet(mixins.ListModelMixin, PersonViewSet):
    """What a person agreed to. Only they speak for themselves."""

    queryset = Consent.objects.none()
    serializer_class = ConsentSerializer
    pagination_class = KeysetPagination
    view_permission = "accounts.view_consent"

    def get_queryset(self) -> QuerySet[Consent]:
        return Consent.objects.filter(user=self.person_to_read())

    @extend_schema(tags=[TAG])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List every yes and no, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=[TAG], request=ConsentInputSerializer, responses={201: ConsentSerializer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Say yes to the notice in force, or take a yes back."""
        person = self.person_to_change()
        consent = services.record_consent(
            user_id=person.pk, actor=request.user, **checked(ConsentInputSerializer, request)
        )
        return Response(ConsentSerializer(consent).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=[TAG], responses=StandingConsentsSerializer)
    def standing(self, request: Request, pk: UUID) -> Response:
        """Show each purpose with the notice in force and what was last said."""
        said = {row.purpose: row for row in standing_consents(self.person_to_read())}
        rows = [
            {
                "purpose": purpose,
                "label": purpose.label,
                "current_version": version,
                "granted": bool((word := said.get(purpose)) and word.granted),
                "version": word.version if word else None,
                "recorded_at": word.created_at if word else None,
                "is_current": bool(word and word.granted and word.version == version),
            }
            for purpose, version in CURRENT_VERSIONS.items()
        ]
        return Response(StandingConsentsSerializer({"consents": rows}).data)
