"""An office with something of everything in it, and who asks for what there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any

from accounts.models import Role, User
from accounts.services import add_bank_account, invite_user, replace_nominees
from accounts.services.data_rights import request_erasure
from accounts.tests.factories import ForemanFactory, UserFactory
from auctions.models import Auction
from chitfund.demo.chits import History
from chitfund.demo.people import ADMIN, FOREMAN, SUBSCRIBER, hire_everybody
from kyc.models import UserKYC
from kyc.tests.factories import UserKYCFactory
from notifications.models import Notification
from payments.models import CashMovement, Payment, PrizePayout
from schemes.models import Scheme
from subscriptions.models import Subscription

ANOTHER = "01990000-0000-7000-8000-000000000000"


class World:
    """The demo office, its three kinds of people, and rows for each kind of path."""

    def __init__(self) -> None:
        people = hire_everybody()
        History(people).play()
        self.subscriber = people[SUBSCRIBER]
        self.foreman = people[FOREMAN]
        self.admin = people[ADMIN]
        # Newest last, so that these are asked for first when the office decides on somebody.
        self.others = [
            UserFactory.create(),
            UserFactory.create(suspended=True),
            ForemanFactory.create(unapproved=True),
            invite_user(actor=self.admin, full_name="New Person", email="new@example.com",
                        phone_number="+919812345678", role=Role.USER),
        ]  # fmt: skip
        self._furnish()

    def _furnish(self) -> None:
        person = self.subscriber
        for number in ("111111111", "222222222"):
            add_bank_account(
                user_id=person.pk, actor=person, number=number, holder_name="A", bank_name="SBI",
                ifsc="SBIN0001234", account_type="SAVINGS",
            )  # fmt: skip
        replace_nominees(
            user_id=person.pk, actor=person,
            nominees=[{"full_name": "Kavitha", "relation": "DAUGHTER", "share": 100,
                       "date_of_birth": date(1990, 1, 1),
                       "contact_number": "+919876543210"}],
        )  # fmt: skip
        UserKYCFactory.create(user=self.others[0])
        request_erasure(actor=self.others[0], note="please")

    def personas(self) -> dict[str, User]:
        return {"subscriber": self.subscriber, "foreman": self.foreman, "admin": self.admin}

    def paths(self, template: str, person: User) -> Iterator[str]:
        """Yield the paths that a template stands for, the likeliest first."""
        names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
        choices = [self._ids(template, name, person) for name in names]
        for ids in product(*choices):
            path = template
            for name, key in zip(names, ids, strict=True):
                path = path.replace("{" + name + "}", str(key))
            yield path

    def _ids(self, template: str, name: str, person: User) -> list[Any]:
        of_its_own = {
            "account": lambda: self.subscriber.bank_accounts.order_by("is_primary"),
            "nominee": self.subscriber.nominees.all,
            "movement": CashMovement.objects.all,
        }
        if name in of_its_own:
            return [row.pk for row in of_its_own[name]()[:4]] or [ANOTHER]
        if name == "user_id" or template.startswith("/api/users/"):
            return [person.pk, *(row.pk for row in self.others), self.subscriber.pk]
        if name == "provider":
            return ["nobody"]
        rows = self._rows(template.split("/")[2], person)
        return [row.pk for row in rows][:16] or [ANOTHER]

    def _rows(self, word: str, person: User) -> Any:
        tables: dict[str, Any] = {
            "schemes": lambda: Scheme.objects.order_by("-id"),
            "subscriptions": lambda: Subscription.objects.order_by("-id"),
            "auctions": lambda: Auction.objects.order_by("-id"),
            "payments": lambda: Payment.objects.order_by("-id"),
            "payouts": lambda: PrizePayout.objects.order_by("-id"),
            "kyc": lambda: UserKYC.objects.order_by("-id"),
            "notifications": lambda: Notification.objects.filter(recipient=person),
            "auth": person.auth_sessions.all,
            "erasure-requests": self.others[0].erasure_requests.all,
        }
        return tables.get(word, list)()
