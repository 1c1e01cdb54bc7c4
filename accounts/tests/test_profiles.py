"""What people say about themselves, over HTTP and in the database."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.completeness import WEIGHTS, ProfileParts, completeness_of
from accounts.models import (
    AccountMail,
    AuditEvent,
    BankAccount,
    Consent,
    ConsentPurpose,
    MailPurpose,
    Nominee,
)
from accounts.notices import CURRENT_VERSIONS
from accounts.sealing import NotOpenedError, opened_value, sealed_value
from accounts.services import add_bank_account, record_consent, replace_nominees
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from chitfund.exceptions import InvalidInput, WrongState
from chitfund.testing import in_own_connection
from chitfund.testing.database import superuser_connection

ADDRESS = {
    "line1": "4 Temple Street",
    "city": "Madurai",
    "district": "Madurai",
    "state": "TN",
    "pin_code": "625001",
}
NOMINEE = {
    "full_name": "Kavitha",
    "relation": "DAUGHTER",
    "date_of_birth": "1995-05-05",
    "share": "100.00",
    "contact_number": "9876543210",
}
ACCOUNT = {
    "holder_name": "Asha Rao",
    "account_number": "012345678901",
    "confirm_account_number": "012345678901",
    "ifsc": "sbin0001234",
    "bank_name": "State Bank of India",
    "account_type": "SAVINGS",
}
QUERIES = {
    "profile": 4,
    "nominees": 2,
    "bank-accounts": 3,
    "consents": 2,
    "consents/standing": 2,
}
PLACES = tuple(QUERIES)


def path(user, place):
    return f"/api/users/{user.pk}/{place}"


def clerk(*codenames):
    admin = AdminFactory.create(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return admin


def nominee(**changes):
    row = NOMINEE | {"date_of_birth": date(1995, 5, 5), "share": Decimal(100)} | changes
    return row | {"contact_number": "+919876543210"}


@pytest.mark.django_db
@pytest.mark.parametrize("place", PLACES)
def test_only_the_person_and_staff_with_the_permission_see_it(place):
    user = UserFactory.create()
    for stranger in (UserFactory.create(), ForemanFactory.create(), clerk("view_user")):
        answer = client_for(stranger).get(path(user, place))
        assert answer.status_code == 404
    assert client_for(None).get(path(user, place)).status_code == 401
    assert client_for(user).get(path(user, place)).status_code == 200
    assert client_for(AdminFactory.create()).get(path(user, place)).status_code == 200
    missing = "/api/users/01990000-0000-7000-8000-000000000000/" + place
    assert client_for(AdminFactory.create()).get(missing).status_code == 404


@pytest.mark.django_db
def test_a_profile_is_written_whole_or_in_part_and_recorded_without_what_it_says():
    user = UserFactory.create()
    client = client_for(user)
    body = {"permanent_address": ADDRESS, "occupation": "FARMER", "annual_income": "BELOW_1_LAKH"}
    whole = client.put(path(user, "profile"), body, format="json")
    assert whole.status_code == 200
    assert whole.json()["permanent_address"]["pin_code"] == "625001"
    assert whole.json()["completeness"] == {
        "percent": WEIGHTS["contact"] + WEIGHTS["address"],
        "missing": ["occupation", "nominees", "bank_account"],
    }
    part = client.patch(path(user, "profile"), {"income_source": "AGRICULTURE"}, format="json")
    assert part.json()["occupation"] == "FARMER"
    assert part.json()["completeness"]["percent"] == 65
    events = AuditEvent.objects.filter(verb="profile.changed").order_by("id")
    assert [event.details["fields"] for event in events] == [
        ["annual_income", "occupation", "permanent_address"],
        ["income_source"],
    ]
    emptied = client.put(path(user, "profile"), {"occupation": "FARMER"}, format="json")
    assert emptied.json()["permanent_address"] is None
    assert emptied.json()["income_source"] == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("permanent_address", ADDRESS | {"pin_code": "025001"}),
        ("permanent_address", ADDRESS | {"pin_code": "62500"}),
        ("permanent_address", ADDRESS | {"state": "ZZ"}),
        ("occupation", "PIRATE"),
        ("experience_years", 51),
    ],
)
def test_a_wrong_value_is_refused(field, wrong):
    user = UserFactory.create()
    answer = client_for(user).put(path(user, "profile"), {field: wrong}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)


@pytest.mark.django_db
def test_staff_who_may_look_need_another_permission_to_write():
    user = UserFactory.create()
    looking = client_for(clerk("view_userprofile", "view_nominee", "view_bankaccount"))
    writing = client_for(clerk("change_userprofile", "change_nominee"))

    assert looking.patch(path(user, "profile"), {}, format="json").status_code == 403
    assert looking.put(path(user, "nominees"), {"nominees": []}, format="json").status_code == 403
    assert looking.post(path(user, "bank-accounts"), ACCOUNT, format="json").status_code == 403
    assert writing.patch(path(user, "profile"), {}, format="json").status_code == 200
    assert writing.put(path(user, "nominees"), {"nominees": []}, format="json").status_code == 200
    assert writing.post(path(user, "bank-accounts"), ACCOUNT, format="json").status_code == 404


def test_the_parts_of_a_profile_make_100():
    names = list(WEIGHTS)
    assert sum(WEIGHTS.values()) == 100
    assert completeness_of(ProfileParts(**dict.fromkeys(names, True))).percent == 100
    nothing = completeness_of(ProfileParts(**dict.fromkeys(names, False)))
    assert (nothing.percent, set(nothing.missing)) == (0, set(names))
    for name in names:
        found = completeness_of(ProfileParts(**{other: other != name for other in names}))
        assert (found.percent, found.missing) == (100 - WEIGHTS[name], (name,))


# Nominees


@pytest.mark.django_db
def test_nominees_are_replaced_as_a_set():
    user = UserFactory.create()
    client = client_for(user)
    third = NOMINEE | {"share": "33.33"}
    rows = [third, third | {"relation": "SON"}, third | {"share": "33.34", "relation": "SPOUSE"}]
    answer = client.put(path(user, "nominees"), {"nominees": rows}, format="json")
    assert answer.status_code == 200
    assert [row["share"] for row in answer.json()["nominees"]] == ["33.33", "33.33", "33.34"]
    one = answer.json()["nominees"][0]
    assert client.get(path(user, f"nominees/{one['id']}")).json() == one
    other = UserFactory.create()
    assert client_for(other).get(path(other, f"nominees/{one['id']}")).status_code == 404
    client.put(path(user, "nominees"), {"nominees": []}, format="json")
    assert not Nominee.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"share": "99.99"}, "shares_do_not_make_100"),
        ({"share": "50.005"}, "max_decimal_places"),
        ({"share": "0"}, "min_value"),
        ({"share": "-1"}, "min_value"),
        ({"share": "100.01"}, "max_value"),
        ({"date_of_birth": "2099-01-01"}, "invalid"),
        ({"date_of_birth": "2020-01-01"}, "guardian_needed"),
        ({"date_of_birth": "2020-01-01", "guardian_name": "Ravi"}, "guardian_needed"),
        ({"guardian_name": "Ravi"}, "invalid"),
        ({"contact_number": "12"}, "invalid_phone"),
        ({"relation": "FRIEND"}, "invalid_choice"),
    ],
)
def test_a_set_that_does_not_hold_is_refused_and_the_old_one_stays(changes, code):
    user = UserFactory.create()
    client = client_for(user)
    client.put(path(user, "nominees"), {"nominees": [NOMINEE]}, format="json")
    answer = client.put(path(user, "nominees"), {"nominees": [NOMINEE | changes]}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert Nominee.objects.get().full_name == "Kavitha"


@pytest.mark.django_db
def test_a_minor_is_one_by_the_business_date():
    user = UserFactory.create()
    minor = nominee(date_of_birth=date(2015, 1, 1))
    with pytest.raises(InvalidInput, match="guardian"):
        replace_nominees(user_id=user.pk, actor=user, nominees=[minor])
    guarded = minor | {"guardian_name": "Ravi", "guardian_relation": "FATHER"}
    replace_nominees(user_id=user.pk, actor=user, nominees=[guarded])


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_shares_that_do_not_make_100():
    user = UserFactory.create()
    replace_nominees(user_id=user.pk, actor=user, nominees=[nominee()])
    with pytest.raises(IntegrityError, match="make 100"), transaction.atomic():
        Nominee.objects.update(share=Decimal(40))
    with pytest.raises(IntegrityError, match="make 100"), transaction.atomic():
        Nominee.objects.create(user=user, **nominee(share=Decimal(1)))
    assert Nominee.objects.get().share == 100


def two_sets_at_once(user):
    """Write two whole sets past the service, both before either commits; count the refusals."""
    both = threading.Barrier(2, timeout=20)
    refused = []

    def write():
        try:
            with transaction.atomic():
                Nominee.objects.create(user=user, **nominee())
                both.wait()
        except IntegrityError as exc:
            refused.append(exc)

    threads = [threading.Thread(target=in_own_connection(write)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(refused)


@pytest.mark.django_db(transaction=True)
def test_two_whole_sets_at_once_leave_one_even_without_the_service():
    user = UserFactory.create()
    assert two_sets_at_once(user) == 1
    assert Nominee.objects.get().share == 100


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_at_commit_both_sets_would_stay():
    """The control: what the trigger's lock of the person is for."""
    with superuser_connection(connection.settings_dict["NAME"]) as owner:
        [function] = owner.execute(
            "SELECT pg_get_functiondef('check_nominee_shares'::regproc)"
        ).fetchone()
        lock = "PERFORM 1 FROM users WHERE id = person FOR NO KEY UPDATE;"
        assert lock in function
        try:
            # Each commits after both have looked, as two real commits may.
            check = "IF total IS NOT NULL"
            unlocked = function.replace(lock, "").replace(check, f"PERFORM pg_sleep(0.5); {check}")
            owner.execute(unlocked.encode())
            user = UserFactory.create()
            refused = two_sets_at_once(user)
        finally:
            owner.execute(function.encode())
    assert refused == 0
    assert Nominee.objects.count() == 2


# Bank accounts


@pytest.mark.django_db
def test_an_account_number_is_sealed_and_four_digits_are_shown():
    user = UserFactory.create()
    client = client_for(user)
    answer = client.post(path(user, "bank-accounts"), ACCOUNT, format="json")
    assert answer.status_code == 201
    assert answer.json()["account_number"] == "XXXXXXXX8901"
    assert answer.json()["ifsc"] == "SBIN0001234"
    assert answer.json()["is_primary"] is True
    row = BankAccount.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(bank_accounts)::text FROM bank_accounts")
        assert ACCOUNT["account_number"] not in cursor.fetchone()[0]
    assert (
        opened_value(row.number_sealed, cell=f"bank_accounts.number.{row.pk}")
        == (ACCOUNT["account_number"])
    )
    again = client.post(path(user, "bank-accounts"), ACCOUNT, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "number_on_record")
    other = UserFactory.create()
    theirs = client_for(other).post(path(other, "bank-accounts"), ACCOUNT, format="json")
    assert theirs.status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ifsc": "SBIN1001234"}, "ifsc"),
        ({"ifsc": "SBIN000123"}, "ifsc"),
        ({"account_number": "12345678", "confirm_account_number": "12345678"}, "account_number"),
        ({"account_number": "1" * 19, "confirm_account_number": "1" * 19}, "account_number"),
        ({"account_number": "1234567890a"}, "account_number"),
        ({"confirm_account_number": "012345678902"}, "confirm_account_number"),
        ({"joint_holder_name": "Ravi"}, "joint_holder_name"),
        ({"account_type": "GOLD"}, "account_type"),
    ],
)
def test_a_wrong_account_is_refused(changes, field):
    user = UserFactory.create()
    answer = client_for(user).post(path(user, "bank-accounts"), ACCOUNT | changes, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not BankAccount.objects.exists()


@pytest.mark.django_db
def test_one_account_is_primary():
    user = UserFactory.create()
    client = client_for(user)
    first, second = (
        client.post(
            path(user, "bank-accounts"),
            ACCOUNT | {"account_number": number, "confirm_account_number": number},
            format="json",
        ).json()
        for number in ("111111111", "222222222")
    )
    one = path(user, f"bank-accounts/{first['id']}")
    two = path(user, f"bank-accounts/{second['id']}")
    assert client.delete(one).status_code == 409
    assert client.post(f"{two}/make-primary").json()["is_primary"] is True
    assert client.post(f"{two}/make-primary").status_code == 409
    assert list(BankAccount.objects.filter(is_primary=True).values_list("number_last4")) == [
        ("2222",)
    ]
    assert client.delete(one).status_code == 204
    assert client.delete(one).status_code == 404
    stranger = client_for(UserFactory.create())
    assert stranger.delete(two).status_code == 404
    assert client.delete(two).status_code == 204
    for number in ("333333333", "444444444"):
        row = ACCOUNT | {"account_number": number, "confirm_account_number": number}
        client.post(path(user, "bank-accounts"), row, format="json")
    with pytest.raises(IntegrityError), transaction.atomic():
        BankAccount.objects.update(is_primary=True)


@pytest.mark.django_db
def test_a_whole_number_is_revealed_to_staff_with_a_reason_and_recorded():
    user = UserFactory.create()
    account = client_for(user).post(path(user, "bank-accounts"), ACCOUNT, format="json").json()
    reveal = path(user, f"bank-accounts/{account['id']}/reveal")
    reason = {"reason": "the bank sent the prize back"}
    for person in (user, ForemanFactory.create(), clerk("view_bankaccount", "view_user")):
        assert client_for(person).post(reveal, reason).status_code == 403
    staff = client_for(clerk("reveal_bankaccount"))
    assert staff.post(reveal, {}).status_code == 400
    assert not AuditEvent.objects.filter(verb="bank_account.number_revealed").exists()
    answer = staff.post(reveal, reason)
    assert answer.json() == {"account_number": ACCOUNT["account_number"]}
    event = AuditEvent.objects.get(verb="bank_account.number_revealed")
    assert event.details == reason
    keyed = {"HTTP_IDEMPOTENCY_KEY": "shown-once"}
    for _ in range(2):
        assert "Idempotency-Replayed" not in staff.post(reveal, reason, **keyed).headers
    assert AuditEvent.objects.filter(verb="bank_account.number_revealed").count() == 3
    assert ACCOUNT["account_number"] not in str(AuditEvent.objects.values_list("details"))


def test_a_sealed_value_opens_in_its_own_cell_only(settings):
    sealed = sealed_value("123456789", cell="t.c.1")
    assert opened_value(sealed, cell="t.c.1") == "123456789"
    head, body = sealed.rsplit(".", 1)
    flipped = f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}"
    for text, cell in (
        (sealed, "t.c.2"),
        (flipped, "t.c.1"),
        ("123456789", "t.c.1"),
        (f"v1.00000000.{body}", "t.c.1"),
        (f"{head}.!!", "t.c.1"),
    ):
        with pytest.raises(NotOpenedError):
            opened_value(text, cell=cell)
    old = settings.PII_ENCRYPTION_KEY
    settings.PII_ENCRYPTION_KEY = "another key of the office, as long as need be"
    with pytest.raises(NotOpenedError):
        opened_value(sealed, cell="t.c.1")
    settings.PII_RETIRED_KEYS = [old]
    assert opened_value(sealed, cell="t.c.1") == "123456789"


@pytest.mark.django_db(transaction=True)
def test_of_two_first_accounts_at_once_one_is_primary():
    user = UserFactory.create()
    both = threading.Barrier(2, timeout=20)

    def add(number):
        both.wait()
        add_bank_account(
            user_id=user.pk,
            actor=user,
            number=number,
            holder_name="Asha Rao",
            ifsc="SBIN0001234",
            bank_name="SBI",
            account_type="SAVINGS",
        )

    threads = [
        threading.Thread(target=in_own_connection(add), args=(number,))
        for number in ("111111111", "222222222")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    primary = BankAccount.objects.values_list("is_primary", flat=True)
    assert sorted(primary) == [False, True]


# Consents


@pytest.mark.django_db
def test_consents_are_given_and_withdrawn_by_rows():
    user = UserFactory.create()
    client = client_for(user)
    version = CURRENT_VERSIONS[ConsentPurpose.TERMS]
    body = {"purpose": "TERMS", "version": version, "granted": True}
    assert client.post(path(user, "consents"), body, format="json").status_code == 201
    assert client.post(path(user, "consents"), body, format="json").status_code == 409
    standing = client.get(path(user, "consents/standing")).json()["consents"]
    assert [row["purpose"] for row in standing if row["is_current"]] == ["TERMS"]
    no = client.post(path(user, "consents"), body | {"granted": False}, format="json")
    assert no.status_code == 201
    words = client.get(path(user, "consents")).json()["results"]
    assert [row["granted"] for row in words] == [False, True]
    old = client.post(path(user, "consents"), body | {"version": "1999"}, format="json")
    assert (old.status_code, old.json()["code"]) == (400, "outdated_notice")
    staff = client_for(AdminFactory.create())
    assert staff.post(path(user, "consents"), body, format="json").status_code == 403


@pytest.mark.django_db
def test_a_consent_that_was_not_given_is_not_withdrawn():
    user = UserFactory.create()
    with pytest.raises(WrongState, match="no consent"):
        record_consent(
            user_id=user.pk, actor=user, purpose=ConsentPurpose.TERMS, version="1", granted=False
        )


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["update", "delete"])
def test_consents_are_never_changed(change):
    user = UserFactory.create()
    version = CURRENT_VERSIONS[ConsentPurpose.TERMS]
    record_consent(
        user_id=user.pk, actor=user, purpose=ConsentPurpose.TERMS, version=version, granted=True
    )
    statement = {
        "update": "UPDATE consents SET granted = false",
        "delete": "DELETE FROM consents",
    }[change]
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(statement)
    assert Consent.objects.get().granted


@pytest.mark.django_db
def test_lists_ask_the_same_however_long_they_are(django_assert_num_queries):
    user = UserFactory.create()
    client = client_for(user)
    version = CURRENT_VERSIONS[ConsentPurpose.TERMS]
    for rows in (1, 4):
        for number in range(rows):
            account = f"{rows}1111111{number}"
            row = ACCOUNT | {"account_number": account, "confirm_account_number": account}
            client.post(path(user, "bank-accounts"), row, format="json")
            for granted in (True, False):
                body = {"purpose": "TERMS", "version": version, "granted": granted}
                client.post(path(user, "consents"), body, format="json")
        named = [NOMINEE | {"share": str(Decimal(100) / rows)}] * rows
        client.put(path(user, "nominees"), {"nominees": named}, format="json")
        for place, queries in QUERIES.items():
            with django_assert_num_queries(queries):
                assert client.get(path(user, place)).status_code == 200


@pytest.mark.django_db
def test_the_owner_is_told_of_every_change_of_where_their_money_goes():
    user = UserFactory.create()
    client = client_for(user)
    first = client.post(path(user, "bank-accounts"), ACCOUNT, format="json").json()
    other = ACCOUNT | {"account_number": "999988887777", "confirm_account_number": "999988887777"}
    second = client.post(path(user, "bank-accounts"), other, format="json").json()
    client.post(path(user, f"bank-accounts/{second['id']}/make-primary"))
    assert client.delete(path(user, f"bank-accounts/{first['id']}")).status_code == 204
    told = AccountMail.objects.filter(user=user, purpose=MailPurpose.BANK_ACCOUNT_CHANGED)
    assert told.count() == 4
