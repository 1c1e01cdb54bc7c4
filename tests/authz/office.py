"""One office full of people and things, and for every route a request that would succeed.

Bodies are valid, so that what answers is the permission and not the validation. Whoever adds a
route adds its request here and its line to matrix.csv.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import pyotp
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.clients import Client
from accounts.models import (
    AccountMail,
    CodeChannel,
    CodePurpose,
    ExternalIdentity,
    ForemanProfileStatus,
    MailPurpose,
    OneTimeCode,
    Role,
    User,
)
from accounts.notices import CURRENT_VERSIONS
from accounts.services import invite_user
from accounts.services.mails import ask_for_mail, issue_token
from accounts.services.one_time_codes import LIFETIME, issue_code, verify_code
from accounts.services.second_factor import begin_second_factor, confirm_second_factor
from accounts.services.sessions import open_session
from accounts.tests.api import session_of
from accounts.tests.factories import (
    PASSWORD,
    AdminFactory,
    ForemanFactory,
    ForemanProfileFactory,
    UserFactory,
)
from accounts.tokens import access_token_for
from kyc import files
from kyc.services import submit_document
from kyc.tests.factories import AADHAAR, PAN, PDF, a_file
from notifications.models import NotificationEvent
from notifications.services import notify
from payments.models import MovementKind, PaymentMethod
from payments.tests.chits import TODAY, Chit, move_to, running_chit
from schemes.tests.factories import SchemeFactory

PERSONAS = (
    "anonymous", "expired", "pending", "suspended", "user_owner", "user_other", "foreman_owner",
    "foreman_other", "admin", "admin_bare",
)  # fmt: skip
# Whose token is no token any more, or was none.
NOBODY = PERSONAS[:4]
HERE = Client(ip="127.0.0.1", user_agent="tests")
NEW_PASSWORD = "a lovely new secret"
NEW_PHONE = "+919840012345"
NEW_EMAIL = "canary.new@example.com"
REASON = {"reason": "as decided in the meeting"}
ADDRESS = {
    "line1": "4 Temple Street", "city": "Madurai", "district": "Madurai", "state": "TN",
    "pin_code": "625001",
}  # fmt: skip
NOMINEE = {
    "full_name": "Kavitha Canary", "relation": "DAUGHTER", "date_of_birth": "1995-05-05",
    "share": "100.00", "contact_number": "9876543210",
}  # fmt: skip
ACCOUNT = {
    "holder_name": "Canary Holder", "account_number": "012345678901",
    "confirm_account_number": "012345678901", "ifsc": "SBIN0001234",
    "bank_name": "State Bank of India", "account_type": "SAVINGS",
}  # fmt: skip
BUSINESS = {
    "company_name": "Canary Chits Private Limited", "licence_number": "CF/TN/99999",
    "licence_expires_on": "2099-12-31", "pan": "ZZZPK9999Z", "state_of_registration": "TN",
    "line1": "12 Mount Road", "city": "Chennai", "state": "TN", "pin_code": "600002",
    "designation": "Managing director",
}  # fmt: skip
TERMS = {
    "name": "Lakshmi", "monthly_installment": "1000.00", "max_subscribers": 5,
    "duration_months": 5, "start_date": "2026-02-01",
}  # fmt: skip


@dataclass
class Ask:
    """A request for an object, and whose object it is."""

    ids: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    format: str = "json"
    query: str = ""
    member: User | None = None
    foreman: User | None = None


class Office:
    """People and things, made once; nothing that a cell does to them stays."""

    def __init__(self) -> None:
        move_to(TODAY)
        self.person = UserFactory.create()
        self.stranger = UserFactory.create(kyc_verified=True)
        self.foreman = ForemanFactory.create(kyc_verified=True)
        self.rival = ForemanFactory.create(kyc_verified=True)
        self.admin = AdminFactory.create()
        self.bare = AdminFactory.create(is_superuser=False)
        self.pending = UserFactory.create(pending=True)
        self.suspended = UserFactory.create(suspended=True)
        self.applicant = ForemanFactory.create(unapproved=True)
        self.business = ForemanProfileFactory.create(
            user=self.foreman, status=ForemanProfileStatus.DRAFT, submitted_at=None
        )
        self._chits()
        self._schemes()
        self._papers()
        self._people()
        self.tokens = {}

    def _chits(self) -> None:
        self.early = running_chit(tickets=3)
        self.paid = self.early.pay(1, 100)
        self.declared = self.early.split(
            {1: 100}, by=self.early.members[0], method=PaymentMethod.UPI
        )[0]
        self.at_draw = running_chit(tickets=3)
        self.bidding = running_chit(tickets=3)
        self.drawn = running_chit(tickets=3)
        self.approved = running_chit(tickets=3)
        for chit in (self.bidding, self.drawn, self.approved):
            chit.pay_all()
        for chit in (self.drawn, self.approved):
            chit.hold_draw(1, winner=1, discount=300)
        self.drawn_payment = self.drawn.pay(2, 50)
        self.movement = self.drawn.request(MovementKind.FOREMAN_DRAWS, 10)
        self.approved.approve_payout(1)
        move_to(self.bidding.draw_day(1))
        self.bidding.open(1)

    def _schemes(self) -> None:
        self.draft = SchemeFactory.create(foreman=self.foreman)
        self.submitted = SchemeFactory.create(foreman=self.foreman, submitted=True)
        now = self.bidding.draw_day(1)
        self.enrolling = Chit.sanctioned(tickets=3, today=now)
        self.ticket = self.enrolling.enrol(1)
        self.full = Chit.sanctioned(tickets=3, today=now)
        self.full.enrol_all()

    def _papers(self) -> None:
        self.document = submit_document(
            user_id=self.person.pk, actor=self.person, document_type="AADHAR",
            document_number=AADHAAR, file=a_file(PDF, "scan.pdf"),
        )  # fmt: skip
        self.notice = notify(
            recipient_id=self.person.pk, event=NotificationEvent.SCHEME_COMPLETED, scheme="Lakshmi"
        )

    def _people(self) -> None:
        as_person = self.client(self.person)
        base = f"/api/users/{self.person.pk}"
        self._given(as_person.put(f"{base}/nominees", {"nominees": [NOMINEE]}, format="json"))
        self.nominee = self.person.nominees.get()
        first, second = ({**ACCOUNT, **number(n)} for n in ("012345678901", "012345678902"))
        self.primary = self._given(as_person.post(f"{base}/bank-accounts", first, format="json"))
        self.account = self._given(as_person.post(f"{base}/bank-accounts", second, format="json"))
        self.leaver = UserFactory.create()
        leaving = self.client(self.leaver).post(
            f"/api/users/{self.leaver.pk}/erasure-request", {"note": ""}, format="json"
        )
        self.erasure = self._given(leaving)
        self.invited = invite_user(
            actor=self.admin, full_name="Invited Canary", email="invited@example.com",
            phone_number="+919811111111", role=Role.USER,
        )  # fmt: skip
        self.secret = enrolled(self.guarded)
        self.identity = ExternalIdentity.objects.create(
            user=self.person, provider="google", subject="canary"
        )

    @staticmethod
    def _given(answer: Any) -> Any:
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    @cached_property
    def guarded(self) -> User:
        """Somebody with a second factor."""
        return UserFactory.create()

    def client(self, user: User | None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if user is not None:
            token = access_token_for(user, session_of(user))
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    def client_of(self, persona: str, ask: Ask) -> APIClient:
        """Return a client as one of the personas, seen from the object that is asked for."""
        if persona == "expired":
            return self._expired(ask.member or self.person)
        return self.client(self.user_of(persona, ask))

    def _expired(self, user: User) -> APIClient:
        with time_machine.travel(timezone.now() - timedelta(hours=2), tick=False):
            token = access_token_for(user, session_of(user))
        return APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=f"Bearer {token}")

    def user_of(self, persona: str, ask: Ask) -> User | None:
        people = {
            "anonymous": None,
            "pending": self.pending,
            "suspended": self.suspended,
            "user_owner": ask.member or self.person,
            "user_other": self.stranger,
            "foreman_owner": ask.foreman or self.foreman,
            "foreman_other": self.rival,
            "admin": self.admin,
            "admin_bare": self.bare,
        }
        return people[persona]


def number(text: str) -> dict[str, str]:
    return {"account_number": text, "confirm_account_number": text}


def enrolled(user: User) -> str:
    """Set up a second factor; return its secret."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        secret = begin_second_factor(user=user, password=PASSWORD, client=HERE).secret
        code = pyotp.TOTP(secret).at(timezone.now())
        confirm_second_factor(user=user, code=code, client=HERE)
    return secret


def mailed(user: User, purpose: MailPurpose) -> str | None:
    return issue_token(ask_for_mail(user=user, purpose=purpose))


def code_for(address: str, purpose: CodePurpose) -> str:
    code = OneTimeCode.objects.create(
        channel=CodeChannel.SMS, address=address, purpose=purpose, trace_id="t",
        expires_at=timezone.now() + LIFETIME,
    )  # fmt: skip
    return str(issue_code(code))


def phone_proof() -> str:
    otp = code_for(NEW_PHONE, CodePurpose.CHANGE_PHONE)
    proof = verify_code(address=NEW_PHONE, otp=otp, purpose=CodePurpose.CHANGE_PHONE, client=HERE)
    return str(proof.token)


def email_change(office: Office) -> str | None:
    client = office.client(office.person)
    body = {"current_password": PASSWORD, "email": NEW_EMAIL}
    assert client.post("/api/auth/change-email", body, format="json").status_code == 202
    return issue_token(
        AccountMail.objects.get(user=office.person, purpose=MailPurpose.EMAIL_CHANGE)
    )


def totp(secret: str) -> str:
    return pyotp.TOTP(secret).at(timezone.now())


def refresh_token(user: User) -> str:
    return open_session(user_id=user.pk, version=user.token_version, client=HERE).refresh_token


def begun(user: User) -> str:
    """Begin a second factor; return a code that confirms it."""
    return totp(begin_second_factor(user=user, password=PASSWORD, client=HERE).secret)


def of_chit(
    name: str, ids: dict[str, Any] | None = None, body: Any = None, query: str = ""
) -> Callable[..., Ask]:
    """Return a request about a chit, its first member and its foreman."""

    def build(office: Office) -> Ask:
        chit: Chit = getattr(office, name)
        given = {"pk": chit.pk} if ids is None else ids
        return Ask(
            ids={key: called(value, office) for key, value in given.items()},
            body=called(body, office),
            query=query,
            member=chit.members[0],
            foreman=chit.foreman,
        )

    return build


def called(value: Any, office: Office) -> Any:
    return value(office) if callable(value) else value


def about(name: str, body: Any = None, **ids: Any) -> Callable[..., Ask]:
    """Return a request about a person of the office or a thing of theirs."""

    def build(office: Office) -> Ask:
        target = called(name, office) if callable(name) else getattr(office, name)
        key = target["id"] if isinstance(target, dict) else target.pk
        return Ask(
            ids={"pk": key, **{k: called(v, office) for k, v in ids.items()}},
            body=called(body, office),
        )

    return build


def plain(body: Any = None, *, who: str | None = None, **more: Any) -> Callable[..., Ask]:
    """Return a request of a route without an object."""

    def build(office: Office) -> Ask:
        member = getattr(office, who) if who else None
        return Ask(body=called(body, office), member=member, **more)

    return build


def _auction(name: str) -> Callable[[Office], UUID]:
    return lambda office: getattr(office, name).auction(1).pk


def _ticket(name: str) -> Callable[[Office], UUID]:
    return lambda office: getattr(office, name).ticket(1).pk


def _payout(name: str) -> Callable[[Office], UUID]:
    return lambda office: getattr(office, name).payout(1).pk


def _draft(body: Any = None) -> Callable[..., Ask]:
    return lambda office: Ask(ids={"pk": office.draft.pk}, body=body)


def _submitted(body: Any = None) -> Callable[..., Ask]:
    return lambda office: Ask(ids={"pk": office.submitted.pk}, body=body)


def _upload(office: Office) -> dict[str, Any]:
    return {"document_type": "PAN", "document_number": PAN, "file": a_file(PDF, "pan.pdf")}


# (method, route): how to ask. Routes are written as the resolver has them.
ASKS: dict[tuple[str, str], Callable[..., Ask]] = {
    # reports, payments
    ("GET", "api/auth/me"): plain(),
    ("GET", "api/payments"): plain(),
    ("POST", "api/payments"): of_chit("early", {}, lambda o: {
        "subscription": str(o.early.ticket(1).pk), "amount": "100.00", "method": "CASH",
    }),
    ("GET", "api/payments/user/<uuid:user_id>"): of_chit(
        "early", {"user_id": lambda o: o.early.members[0].pk}
    ),
    ("GET", "api/payments/<uuid:pk>"): of_chit("early", {"pk": lambda o: o.paid.pk}),
    ("PUT", "api/payments/<uuid:pk>"): of_chit(
        "early", {"pk": lambda o: o.declared.pk}, {"status": "COMPLETED"}
    ),
    ("POST", "api/payments/<uuid:pk>/reverse"): of_chit(
        "drawn", {"pk": lambda o: o.drawn_payment.pk}, REASON
    ),
    ("GET", "api/payments/<uuid:pk>/receipt"): of_chit("early", {"pk": lambda o: o.paid.pk}),
    ("GET", "api/subscriptions/<uuid:pk>/payments"): of_chit("early", {"pk": _ticket("early")}),
    ("GET", "api/subscriptions/<uuid:pk>/installments"): of_chit("early", {"pk": _ticket("early")}),
    ("GET", "api/subscriptions/<uuid:pk>/statement"): of_chit("early", {"pk": _ticket("early")}),
    ("GET", "api/payouts"): plain(),
    ("GET", "api/payouts/<uuid:pk>"): of_chit("drawn", {"pk": _payout("drawn")}),
    ("POST", "api/payouts/<uuid:pk>/approve"): of_chit(
        "drawn", {"pk": _payout("drawn")}, {"security": "Two sureties"}
    ),
    ("POST", "api/payouts/<uuid:pk>/pay"): of_chit(
        "approved", {"pk": _payout("approved")}, {"method": "CASH"}
    ),
    ("POST", "api/schemes/<uuid:pk>/commence"): of_chit("full", body={}),
    ("GET", "api/schemes/<uuid:pk>/ledger"): of_chit("early"),
    ("GET", "api/schemes/<uuid:pk>/cash"): of_chit("drawn"),
    ("POST", "api/schemes/<uuid:pk>/cash"): of_chit("drawn", body={
        "kind": "FOREMAN_COVERS", "amount": "10.00", "reference": "REF-COVER-1",
    }),
    ("POST", "api/schemes/<uuid:pk>/cash/<uuid:movement>/approve"): of_chit(
        "drawn", {"pk": lambda o: o.drawn.pk, "movement": lambda o: o.movement.pk}, {}
    ),
    ("POST", "api/schemes/<uuid:pk>/cash/<uuid:movement>/reject"): of_chit(
        "drawn", {"pk": lambda o: o.drawn.pk, "movement": lambda o: o.movement.pk}, REASON
    ),
    ("POST", "api/auctions/<uuid:pk>/close"): of_chit("bidding", {"pk": _auction("bidding")}, {}),
    ("POST", "api/auctions/<uuid:pk>/record"): of_chit("at_draw", {"pk": _auction("at_draw")},
        lambda o: {
            "subscription": str(o.at_draw.ticket(2).pk), "discount": "300.00",
            "attendance": ["Member 1", "Member 2"], "method": "BID",
        }),
    ("POST", "api/auctions/<uuid:pk>/postpone"): of_chit(
        "at_draw", {"pk": _auction("at_draw")}, REASON
    ),
    ("POST", "api/auctions/<uuid:pk>/order-draw"): of_chit(
        "at_draw", {"pk": _auction("at_draw")}, {}
    ),
    ("GET", "api/auctions/<uuid:pk>/outcome"): of_chit(
        "bidding", {"pk": _auction("bidding")}, query="discount=300"
    ),
    # auctions
    ("GET", "api/auctions"): plain(),
    ("GET", "api/auctions/<uuid:pk>"): of_chit("drawn", {"pk": _auction("drawn")}),
    ("POST", "api/auctions/<uuid:pk>/open"): of_chit("at_draw", {"pk": _auction("at_draw")}, {}),
    ("GET", "api/auctions/<uuid:pk>/minutes"): of_chit("drawn", {"pk": _auction("drawn")}),
    ("GET", "api/auctions/<uuid:pk>/bids"): of_chit("bidding", {"pk": _auction("bidding")}),
    ("POST", "api/auctions/<uuid:pk>/bids"): of_chit("bidding", {"pk": _auction("bidding")},
        lambda o: {"subscription": str(o.bidding.ticket(1).pk), "discount": "350.00"}),
    ("GET", "api/schemes/<uuid:pk>/auctions"): of_chit("early"),
    # subscriptions
    ("GET", "api/subscriptions"): plain(),
    ("POST", "api/subscriptions"): of_chit("enrolling", {}, lambda o: {
        "scheme": str(o.enrolling.pk), "subscriber": str(o.enrolling.members[1].pk),
    }),
    ("GET", "api/subscriptions/<uuid:pk>"): of_chit("enrolling", {"pk": _ticket("enrolling")}),
    ("PUT", "api/subscriptions/<uuid:pk>"): of_chit(
        "enrolling", {"pk": _ticket("enrolling")},
        {"nominee": {"name": "Kavitha Canary"}, "contact_preference": "EMAIL"},
    ),
    ("PATCH", "api/subscriptions/<uuid:pk>"): of_chit(
        "enrolling", {"pk": _ticket("enrolling")}, {"nominee": {"name": "Kavitha Canary"}}
    ),
    ("DELETE", "api/subscriptions/<uuid:pk>"): of_chit("enrolling", {"pk": _ticket("enrolling")}),
    ("GET", "api/schemes"): plain(),
    ("POST", "api/schemes"): plain(TERMS),
    ("GET", "api/schemes/<uuid:pk>"): of_chit("early"),
    ("PUT", "api/schemes/<uuid:pk>"): _draft(TERMS),
    ("PATCH", "api/schemes/<uuid:pk>"): _draft({"name": "Saraswathi"}),
    ("DELETE", "api/schemes/<uuid:pk>"): _draft(),
    ("GET", "api/schemes/<uuid:pk>/subscribers"): of_chit("early"),
    ("POST", "api/schemes/<uuid:pk>/terminate"): of_chit("enrolling", body=REASON),
    ("GET", "api/users"): plain(),
    ("POST", "api/users"): plain({
        "full_name": "Canary New", "email": NEW_EMAIL, "phone_number": NEW_PHONE, "role": "USER",
    }),
    ("GET", "api/users/<uuid:pk>"): about("person"),
    ("PUT", "api/users/<uuid:pk>"): about("person", lambda o: {
        "full_name": "Canary Changed", "phone_number": o.person.phone_number,
    }),
    ("PATCH", "api/users/<uuid:pk>"): about("person", {"full_name": "Canary Changed"}),
    ("DELETE", "api/users/<uuid:pk>"): about("person", REASON),
    ("POST", "api/users/<uuid:pk>/role"): about("person", {**REASON, "role": "FOREMAN"}),
    # schemes
    ("POST", "api/schemes/<uuid:pk>/submit"): _draft(),
    ("POST", "api/schemes/<uuid:pk>/approve"): _submitted({"comment": "in order"}),
    ("POST", "api/schemes/<uuid:pk>/return"): _submitted(REASON),
    ("GET", "api/schemes/<uuid:pk>/records"): of_chit("early"),
    ("POST", "api/schemes/<uuid:pk>/records"): of_chit("enrolling", body={
        "kind": "SECURITY_DEPOSIT", "number": "FD/77", "issued_on": "2026-01-05",
        "amount": "3000.00",
    }),
    ("GET", "api/schemes/<uuid:pk>/history"): of_chit("early"),
    # kyc
    ("GET", "api/users/<uuid:pk>/kyc"): about("person"),
    ("POST", "api/users/<uuid:pk>/kyc"): lambda o: Ask(
        ids={"pk": o.person.pk}, body=_upload(o), format="multipart"
    ),
    ("GET", "api/kyc/<uuid:pk>/file"): about("document"),
    ("POST", "api/kyc/<uuid:pk>/verify"): about("document"),
    ("POST", "api/kyc/<uuid:pk>/reject"): about("document", REASON),
    ("GET", "api/kyc/files/<str:token>"): lambda o: Ask(
        ids={"token": files.link_token(o.document.pk)}
    ),
    # notifications
    ("GET", "api/notifications"): plain(),
    ("POST", "api/notifications/read-all"): plain(),
    ("POST", "api/notifications/<uuid:pk>/read"): about("notice"),
    # sign-in
    ("POST", "api/auth/register"): plain({
        "full_name": "Canary New", "email": NEW_EMAIL, "phone_number": NEW_PHONE,
        "password": NEW_PASSWORD, "date_of_birth": "1990-01-15",
    }),
    ("POST", "api/auth/verify-email"): plain(
        lambda o: {"token": mailed(o.pending, MailPurpose.VERIFY_EMAIL)}
    ),
    ("POST", "api/auth/resend-verification"): plain(lambda o: {"email": o.pending.email}),
    ("POST", "api/auth/login"): plain(
        lambda o: {"identifier": o.stranger.email, "password": PASSWORD}
    ),
    ("POST", "api/auth/refresh-token"): plain(
        lambda o: {"refresh_token": refresh_token(o.stranger)}
    ),
    ("POST", "api/auth/forgot-password"): plain(lambda o: {"email": o.stranger.email}),
    ("POST", "api/auth/reset-password"): plain(lambda o: {
        "token": mailed(o.stranger, MailPurpose.PASSWORD_RESET), "password": NEW_PASSWORD,
    }),
    ("POST", "api/auth/change-password"): plain(
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ),
    ("POST", "api/auth/change-email"): plain({"current_password": PASSWORD, "email": NEW_EMAIL}),
    ("POST", "api/auth/confirm-email-change"): plain(lambda o: {"token": email_change(o)}),
    ("POST", "api/auth/change-phone"): plain(lambda o: {
        "current_password": PASSWORD, "phone_number": NEW_PHONE, "phone_token": phone_proof(),
    }),
    ("POST", "api/auth/logout"): plain(),
    ("POST", "api/auth/logout-all"): plain(),
    ("GET", "api/auth/sessions"): plain(),
    ("DELETE", "api/auth/sessions/<uuid:pk>"): lambda o: Ask(ids={"pk": session_of(o.person).pk}),
    ("GET", "api/auth/second-factor"): plain(),
    ("POST", "api/auth/second-factor"): plain({"password": PASSWORD}),
    ("POST", "api/auth/second-factor/confirm"): plain(lambda o: {"code": begun(o.person)}),
    ("POST", "api/auth/second-factor/recovery-codes"): plain(
        lambda o: {"password": PASSWORD, "code": totp(o.secret)}, who="guarded"
    ),
    ("POST", "api/auth/second-factor/remove"): plain(
        lambda o: {"password": PASSWORD, "code": totp(o.secret)}, who="guarded"
    ),
    ("POST", "api/auth/second-factor/show"): plain(
        lambda o: {"code": totp(o.secret)}, who="guarded"
    ),
    ("POST", "api/users/<uuid:pk>/reset-second-factor"): about("guarded", REASON),
    ("GET", "api/security/activity-log"): plain(),
    ("POST", "api/otp/send"): plain({"phone_number": NEW_PHONE, "purpose": "REGISTRATION"}),
    ("POST", "api/otp/verify"): plain(lambda o: {
        "phone_number": NEW_PHONE, "purpose": "REGISTRATION",
        "otp": code_for(NEW_PHONE, CodePurpose.REGISTRATION),
    }),
    ("POST", "api/auth/token"): lambda o: Ask(
        body={"grant_type": "password", "username": o.stranger.email, "password": PASSWORD},
        format="form",
    ),
    # No provider is set up here; tests/oidc has one that is real.
    ("GET", "api/auth/oauth"): plain(),
    ("GET", "api/auth/oauth/<slug:provider>/start"): lambda o: Ask(
        ids={"provider": "nobody"}, query="redirect_uri=https://portal.example/back"
    ),
    ("POST", "api/auth/oauth/<slug:provider>/callback"): lambda o: Ask(
        ids={"provider": "nobody"}, body={"code": "c", "state": "s"}
    ),
    ("POST", "api/auth/oauth/<slug:provider>/link"): lambda o: Ask(
        ids={"provider": "nobody"}, body={"code": "c", "state": "s", "password": PASSWORD}
    ),
    ("GET", "api/auth/identities"): plain(),
    ("POST", "api/auth/identities/<uuid:pk>/remove"): lambda o: Ask(
        ids={"pk": o.identity.pk}, body={"password": PASSWORD}
    ),
    # users
    ("GET", "api/users/export"): plain(),
    ("POST", "api/users/<uuid:pk>/resend-invitation"): about("invited"),
    ("POST", "api/users/<uuid:pk>/send-reset-link"): about("person"),
    ("POST", "api/users/<uuid:pk>/suspend"): about("person", REASON),
    ("POST", "api/users/<uuid:pk>/activate"): about("suspended", REASON),
    ("POST", "api/users/<uuid:pk>/approve-foreman"): about("applicant", REASON),
    ("POST", "api/users/<uuid:pk>/return-foreman"): about("applicant", REASON),
    # profile
    ("GET", "api/users/<uuid:pk>/profile"): about("person"),
    ("PUT", "api/users/<uuid:pk>/profile"): about(
        "person", {"permanent_address": ADDRESS, "occupation": "FARMER"}
    ),
    ("PATCH", "api/users/<uuid:pk>/profile"): about("person", {"occupation": "FARMER"}),
    ("GET", "api/users/<uuid:pk>/nominees"): about("person"),
    ("PUT", "api/users/<uuid:pk>/nominees"): about("person", {"nominees": [NOMINEE]}),
    ("GET", "api/users/<uuid:pk>/nominees/<uuid:nominee>"): about(
        "person", nominee=lambda o: o.nominee.pk
    ),
    ("GET", "api/users/<uuid:pk>/bank-accounts"): about("person"),
    ("POST", "api/users/<uuid:pk>/bank-accounts"): about(
        "person", {**ACCOUNT, **number("012345678999")}
    ),
    ("DELETE", "api/users/<uuid:pk>/bank-accounts/<uuid:account>"): about(
        "person", account=lambda o: o.account["id"]
    ),
    ("POST", "api/users/<uuid:pk>/bank-accounts/<uuid:account>/make-primary"): about(
        "person", account=lambda o: o.account["id"]
    ),
    ("POST", "api/users/<uuid:pk>/bank-accounts/<uuid:account>/reveal"): about(
        "person", REASON, account=lambda o: o.account["id"]
    ),
    ("GET", "api/users/<uuid:pk>/consents"): about("person"),
    ("POST", "api/users/<uuid:pk>/consents"): about("person", {
        "purpose": "TERMS", "version": next(iter(CURRENT_VERSIONS.values())), "granted": True,
    }),
    ("GET", "api/users/<uuid:pk>/consents/standing"): about("person"),
    ("GET", "api/users/<uuid:pk>/foreman-profile"): about("foreman"),
    ("PUT", "api/users/<uuid:pk>/foreman-profile"): about("foreman", BUSINESS),
    ("POST", "api/users/<uuid:pk>/foreman-profile/submit"): about("foreman"),
    ("GET", "api/users/<uuid:pk>/export"): about("person"),
    ("GET", "api/users/<uuid:pk>/erasure-request"): about("person"),
    ("POST", "api/users/<uuid:pk>/erasure-request"): about("person", {"note": ""}),
    ("GET", "api/erasure-requests"): plain(),
    ("POST", "api/erasure-requests/<uuid:pk>/accept"): about("erasure", REASON),
    ("POST", "api/erasure-requests/<uuid:pk>/refuse"): about("erasure", REASON),
}  # fmt: skip

# Further lines of a route whose answer hangs on whose or which object it is: (method, route,
# what the line calls it). A route of a person has a line "own" without being named here.
MORE_ASKS: dict[tuple[str, str, str], Callable[..., Ask]] = {
    ("POST", "api/subscriptions", "own"): of_chit(
        "enrolling", {}, lambda o: {"scheme": str(o.enrolling.pk)}
    ),
    ("GET", "api/schemes/<uuid:pk>", "draft"): _draft(),
    ("GET", "api/schemes/<uuid:pk>", "open"): of_chit("enrolling"),
}


def ask_for(office: Office, method: str, route: str, whose: str, persona: str) -> Ask:
    """Return the request of a line of the matrix.

    `whose` is "own" where the id in the path is the asking person's, else it is empty: the
    object belongs to the owners among the personas.
    """
    if (method, route, whose) in MORE_ASKS:
        return MORE_ASKS[method, route, whose](office)
    ask = ASKS[method, route](office)
    if whose == "own":
        user = office.user_of("pending" if persona in NOBODY else persona, ask)
        key = "user_id" if "user_id" in ask.ids else "pk"
        ask.ids = {**ask.ids, key: user.pk if user else office.person.pk}
    return ask
