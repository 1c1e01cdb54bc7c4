"""Two people at one scheme at once: forced, not hoped for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from accounts.tests.factories import AdminFactory
from chitfund.business_date import business_date
from chitfund.exceptions import InvalidTransition, WrongState
from chitfund.testing import in_own_connection, wait_for_blocked_query
from notifications.models import Notification
from schemes.models import SchemeStatus, StatutoryRecord
from schemes.services import approve_scheme, return_scheme, submit_scheme, update_scheme
from schemes.tests.factories import SchemeFactory

pytestmark = pytest.mark.django_db(transaction=True)


def in_the_shadow_of(first, rival):
    """Run `first` uncommitted, let `rival` run into its lock, commit, return the rival's end."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            late = pool.submit(in_own_connection(rival))
            wait_for_blocked_query()
        return late.exception(timeout=10)


def test_the_later_of_two_simultaneous_approvals_is_refused():
    scheme = SchemeFactory.create(submitted=True)
    asha, ravi = AdminFactory.create_batch(2)
    refusal = in_the_shadow_of(
        lambda: approve_scheme(scheme_id=scheme.pk, actor=asha),
        lambda: approve_scheme(scheme_id=scheme.pk, actor=ravi),
    )
    assert isinstance(refusal, InvalidTransition)
    scheme.refresh_from_db()
    assert scheme.approved_by == asha
    assert StatutoryRecord.objects.count() == Notification.objects.count() == 1


def test_a_return_that_comes_too_late_does_not_undo_the_approval():
    scheme = SchemeFactory.create(submitted=True)
    asha, ravi = AdminFactory.create_batch(2)
    refusal = in_the_shadow_of(
        lambda: approve_scheme(scheme_id=scheme.pk, actor=asha),
        lambda: return_scheme(scheme_id=scheme.pk, actor=ravi, reason="Too late."),
    )
    assert isinstance(refusal, InvalidTransition)
    scheme.refresh_from_db()
    assert scheme.status == SchemeStatus.ACTIVE


def test_terms_do_not_change_under_a_submission():
    scheme = SchemeFactory.create()
    refusal = in_the_shadow_of(
        lambda: submit_scheme(scheme_id=scheme.pk, actor=scheme.foreman),
        lambda: update_scheme(scheme_id=scheme.pk, actor=scheme.foreman, name="Other"),
    )
    assert isinstance(refusal, WrongState)


def test_two_schemes_approved_at_once_get_numbers_in_a_row():
    first, second = SchemeFactory.create_batch(2, submitted=True)
    admin = AdminFactory.create()
    outcome = in_the_shadow_of(
        lambda: approve_scheme(scheme_id=first.pk, actor=admin),
        lambda: approve_scheme(scheme_id=second.pk, actor=admin),
    )
    assert outcome is None
    year = business_date().year
    assert sorted(StatutoryRecord.objects.values_list("number", flat=True)) == [
        f"PSO-{year}-000001",
        f"PSO-{year}-000002",
    ]
