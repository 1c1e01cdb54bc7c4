"""How lists of tickets are narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from subscriptions.models import HOLDING, Subscription, SubscriptionStatus


class SubscriptionFilter(django_filters.FilterSet):
    """By scheme, status, holder, and whether the ticket has won."""

    scheme = django_filters.UUIDFilter(field_name="scheme_id")
    status = django_filters.ChoiceFilter(choices=SubscriptionStatus.choices)
    subscriber = django_filters.UUIDFilter(field_name="subscriber_id")
    prized = django_filters.BooleanFilter(
        field_name="prized_installment", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = Subscription
        fields = ("scheme", "status", "subscriber")


class SubscriberFilter(django_filters.FilterSet):
    """The tickets that are held, unless a status is asked for."""

    status = django_filters.ChoiceFilter(choices=SubscriptionStatus.choices)
    prized = django_filters.BooleanFilter(
        field_name="prized_installment", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = Subscription
        fields = ("status",)

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        narrowed = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("status"):
            return narrowed
        return narrowed.filter(status__in=HOLDING)
