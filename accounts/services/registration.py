"""How people come in: they register, are invited, or are made at the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import limits
from accounts.audit import record_audit_event
from accounts.clients import Client
from accounts.models import CodePurpose, MailPurpose, Role, User, UserStatus
from accounts.permissions import has_staff_permission
from accounts.services.mails import ask_for_mail, tell
from accounts.services.one_time_codes import redeem_email_token, redeem_phone_token
from chitfund.business_date import age_on, business_date
from chitfund.db import next_number
from chitfund.exceptions import Conflict, FieldError, InvalidInput, NotAllowed

GROWN_UP = 18
OLDEST = 120


def register(
    *,
    full_name: str,
    email: str,
    phone_number: str,
    password: str,
    date_of_birth: date,
    role: Role,
    client: Client,
    proofs: Mapping[str, str],
) -> None:
    """Create an account, pending until its address is proven: by a mailed link, or here.

    Returns nothing, for a taken address or phone too: only its owner is told, by mail. `proofs`
    are what one-time codes earned, `phone_token` and `email_token`; they are spent whether
    address and number are free or taken.
    """
    limits.reserve(limits.REGISTER_ADDRESS, client.neighbourhood)
    if role == Role.ADMIN:
        raise NotAllowed("Administrators are invited; they do not register.")
    person = User(
        full_name=full_name,
        email=email,
        phone_number=phone_number,
        date_of_birth=date_of_birth,
        role=role,
    )
    check_grown_up(person.date_of_birth)
    check_password_strength(password, person)
    _redeem(person, **proofs)
    person.set_password(password)
    refusal = _save_if_free(person)
    owners = list(_owners(email=email, phone_number=phone_number))
    if refusal is not None and not owners:
        raise refusal
    _tell_owners(owners, is_taken=refusal is not None)


@transaction.atomic
def _redeem(person: User, *, phone_token: str = "", email_token: str = "") -> None:
    """Spend both proofs or neither, and mark what they prove."""
    purpose = CodePurpose.REGISTRATION
    if phone_token:
        redeem_phone_token(token=phone_token, phone_number=person.phone_number, purpose=purpose)
        person.phone_verified_at = timezone.now()
    if email_token:
        redeem_email_token(token=email_token, email=person.email, purpose=purpose)
        person.email_verified_at = timezone.now()
        person.status = UserStatus.ACTIVE if person.may_become_active else UserStatus.PENDING


def _save_if_free(person: User) -> IntegrityError | None:
    """Save somebody who registers, or return what a taken address or number ran into."""
    mail = None if person.email_verified_at else MailPurpose.VERIFY_EMAIL
    try:
        _save_new(person, mail=mail, actor=None)
    except IntegrityError as exc:
        return exc
    return None


def _tell_owners(owners: list[User], *, is_taken: bool) -> None:
    """Mail whoever had the address or the number before, a few times a day at most.

    A free address does the same work for a mail to nobody, or its answer would come sooner.
    """
    for owner in owners:
        if limits.is_within(limits.TAKEN_ACCOUNT, str(owner.pk)):
            tell(user=owner if is_taken else None, purpose=MailPurpose.ADDRESS_TAKEN)


def create_user_account(
    *,
    full_name: str,
    email: str,
    phone_number: str,
    password: str | None = None,
    date_of_birth: date | None = None,
    role: Role = Role.USER,
    actor: User | None = None,
    is_active: bool = False,
    is_superuser: bool = False,
) -> User:
    """Create an account at the terminal or from a seed; `is_active` skips proof and approval.

    Raises Conflict when the address or the phone number is taken.
    """
    person = User(
        full_name=full_name,
        email=email.strip().lower(),
        phone_number=phone_number,
        date_of_birth=date_of_birth,
        role=role,
        is_superuser=is_superuser,
    )
    check_grown_up(person.date_of_birth)
    if password is not None:
        check_password_strength(password, person)
    person.set_password(password)
    if is_active:
        person.email_verified_at = timezone.now()
        person.foreman_approved_at = timezone.now() if role == Role.FOREMAN else None
        person.status = UserStatus.ACTIVE
    return _save_or_refuse(person, mail=None, actor=actor)


def invite_user(
    *,
    actor: User,
    full_name: str,
    email: str,
    phone_number: str,
    role: Role,
    date_of_birth: date | None = None,
) -> User:
    """Create a pending account of any role and mail its owner a link to set the password.

    A foreman still needs the approval; an administrator begins without any permission.
    """
    if role == Role.ADMIN and not has_staff_permission(actor, "accounts.change_role"):
        raise NotAllowed("Inviting an administrator needs the permission to change roles.")
    person = User(
        full_name=full_name,
        email=email,
        phone_number=phone_number,
        date_of_birth=date_of_birth,
        role=role,
    )
    check_grown_up(person.date_of_birth)
    person.set_unusable_password()
    return _save_or_refuse(person, mail=MailPurpose.INVITATION, actor=actor)


def check_password_strength(password: str, user: User, *, field: str = "password") -> None:
    """Raise InvalidInput with every reason why a password is too weak for this person."""
    try:
        validate_password(password, user)
    except ValidationError as exc:
        errors = [
            FieldError(field, " ".join(error.messages), str(error.code)) for error in exc.error_list
        ]
        raise InvalidInput(errors[0].message, code="weak_password", errors=errors) from exc


def check_grown_up(born: date | None) -> None:
    """Raise InvalidInput for a child, by the business date."""
    if born is None:
        return
    age = age_on(business_date(), born=born)
    if age < GROWN_UP:
        raise InvalidInput.on(
            "date_of_birth", f"A person must be {GROWN_UP} or older to take part in a chit."
        )
    if age > OLDEST:
        raise InvalidInput.on("date_of_birth", "Nobody is that old. Check the year.")


def _save_or_refuse(person: User, *, mail: MailPurpose | None, actor: User | None) -> User:
    try:
        return _save_new(person, mail=mail, actor=actor)
    except IntegrityError as exc:
        if not _owners(email=person.email, phone_number=person.phone_number).exists():
            raise
        raise Conflict(
            "Somebody has an account with this e-mail address or phone number.",
            code="address_taken",
        ) from exc


@transaction.atomic
def _save_new(person: User, *, mail: MailPurpose | None, actor: User | None) -> User:
    """Insert the account, its number last: everybody who wants one waits for whoever has it.

    Mail and audit event name the account before it is there; the database looks at that when
    the transaction ends.
    """
    if mail is not None:
        ask_for_mail(user=person, purpose=mail)
    record_audit_event(
        actor=actor, verb="user.created", target=person, role=person.role, status=person.status
    )
    person.ucfsin = _next_ucfsin()
    person.save(force_insert=True)
    return person


def _next_ucfsin() -> str:
    year = business_date().year
    return f"UCFSIN-{year}-{next_number(f'UCFSIN-{year}'):06d}"


def _owners(*, email: str, phone_number: str) -> QuerySet[User]:
    return User.objects.filter(Q(email=email) | Q(phone_number=phone_number))
