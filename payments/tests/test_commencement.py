"""Commencing a chit: what exists afterwards, and what has to be in order before (s.9)."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.models import AuditEvent, KycStatus, Role, User, UserStatus
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import AccountKind, LedgerAccount
from payments.services.commencement import commence_scheme
from payments.tests.chits import TODAY, Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def full_chit(**terms) -> Chit:
    """Return a chit that is sanctioned and sold out."""
    chit = Chit.sanctioned(tickets=3, **terms)
    chit.enrol_all()
    return chit


# -- what exists afterwards ------------------------------------------------------------


def test_the_books_open_with_one_account_of_each_kind_and_one_a_ticket():
    chit = full_chit()
    assert not LedgerAccount.objects.exists()
    chit.commence()
    accounts = LedgerAccount.objects.filter(scheme=chit.pk)
    kinds = [account.kind for account in accounts if account.subscription_id is None]
    assert sorted(kinds) == sorted(set(AccountKind) - {AccountKind.TICKET})
    assert {account.subscription for account in accounts} - {None} == set(chit.tickets())


def test_the_first_installment_is_raised_and_due_on_the_day_of_the_first_draw():
    chit = full_chit()
    chit.commence()
    assert chit.head(AccountKind.CHIT) == 3000
    for number in (1, 2, 3):
        due, ticket = chit.due(number, 1), chit.ticket(number)
        assert (due.gross, due.dividend, due.due_on) == (1000, 0, date(2026, 1, 10))
        assert (ticket.outstanding, ticket.next_due_number) == (1000, 1)
        assert ticket.oldest_unpaid_due_on == ticket.next_due_on == date(2026, 1, 10)


def test_the_foreman_gets_ticket_1_where_the_terms_give_one():
    chit = full_chit(foreman_installment=2)
    assert chit.scheme.current_subscribers == 2
    chit.commence()
    ticket = chit.ticket(1)
    assert (ticket.subscriber, ticket.is_foreman_ticket) == (chit.foreman, True)
    assert ticket.outstanding == 1000
    assert chit.scheme.current_subscribers == 3


def test_without_such_a_term_the_foreman_holds_none():
    chit = running_chit(2)
    assert not chit.scheme.subscriptions.filter(is_foreman_ticket=True).exists()


def test_a_start_that_lies_ahead_is_kept_and_one_that_has_passed_becomes_today():
    ahead, passed = full_chit(start_date=date(2026, 3, 1)), full_chit()
    ahead.commence()
    assert (ahead.scheme.commenced_on, ahead.scheme.start_date) == (TODAY, date(2026, 3, 1))
    assert ahead.draw_day(1) == ahead.due(1, 1).due_on == date(2026, 3, 10)
    move_to(date(2026, 2, 20))
    passed.commence()
    assert passed.scheme.start_date == date(2026, 2, 20)
    assert passed.scheme.end_date == date(2026, 5, 19)
    assert passed.draw_day(1) == date(2026, 3, 10)


def test_every_holder_is_told_of_their_ticket_and_it_is_audited():
    chit = full_chit()
    chit.commence()
    told = Notification.objects.filter(event=NotificationEvent.SCHEME_COMMENCED)
    assert {row.recipient: row.context["ticket"] for row in told} == {
        chit.members[0]: "1",
        chit.members[1]: "2",
        chit.members[2]: "3",
    }
    assert told[0].context["first_auction_on"] == "2026-01-10"
    event = AuditEvent.objects.get(verb="scheme.commenced")
    assert (event.actor, event.target_id) == (chit.asha, chit.pk)


# -- what has to be in order before ----------------------------------------------------


def test_a_chit_commences_once():
    chit = running_chit(2)
    with refused("wrong_state") as refusal:
        chit.commence()
    assert "already commenced" in refusal.value.message


def test_every_ticket_has_to_be_taken():
    chit = Chit.sanctioned(tickets=3)
    chit.enrol(1)
    with refused("tickets_free"):
        chit.commence()


def test_a_scheme_that_does_not_exist_is_not_found():
    chit = full_chit()
    with refused("not_found"):
        commence_scheme(scheme_id=new_id(), actor=chit.asha)


@pytest.mark.parametrize(
    "changes", [{"status": UserStatus.SUSPENDED}, {"kyc_status": KycStatus.REJECTED}]
)
def test_every_holder_has_to_be_in_order(changes):
    chit = full_chit()
    holder = User.objects.filter(pk=chit.members[1].pk)
    before = holder.values(*changes).get()
    holder.update(**changes)
    with refused("holder_not_in_order") as refusal:
        chit.commence()
    assert ": 2." in refusal.value.message
    holder.update(**before)
    chit.commence()
    assert chit.scheme.commenced_on == TODAY


def test_the_foreman_has_to_be_in_order():
    chit = full_chit()
    User.objects.filter(pk=chit.foreman.pk).update(status=UserStatus.SUSPENDED)
    with refused("wrong_state") as refusal:
        chit.commence()
    assert "suspended" in refusal.value.message


def test_nobody_commences_their_own_scheme():
    chit = full_chit()
    User.objects.filter(pk=chit.foreman.pk).update(role=Role.ADMIN, is_superuser=True)
    with refused("forbidden"):
        commence_scheme(scheme_id=chit.pk, actor=User.objects.get(pk=chit.foreman.pk))


def test_a_scheme_that_commences_late_asks_nobody_for_what_has_passed():
    chit = full_chit()
    move_to(day_after(date(2026, 1, 10)))
    chit.commence()
    assert chit.due(1, 1).due_on == chit.draw_day(1) == date(2026, 2, 10)
