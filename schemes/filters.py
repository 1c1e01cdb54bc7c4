"""How a list of schemes is narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from schemes.models import OPEN_FOR_ENROLMENT, Scheme, SchemeStatus, Stage
from schemes.stage import in_stage


class SchemeFilter(django_filters.FilterSet):
    """By state, foreman, installment and length."""

    status = django_filters.ChoiceFilter(choices=SchemeStatus.choices)
    stage = django_filters.ChoiceFilter(choices=Stage.choices, method="filter_stage")
    foreman = django_filters.UUIDFilter(field_name="foreman_id")
    min_installment = django_filters.NumberFilter(
        field_name="monthly_installment", lookup_expr="gte"
    )
    max_installment = django_filters.NumberFilter(
        field_name="monthly_installment", lookup_expr="lte"
    )
    duration_months = django_filters.NumberFilter()
    open_for_enrolment = django_filters.BooleanFilter(method="filter_open")

    class Meta:
        model = Scheme
        fields = ("status", "foreman", "duration_months")

    def filter_stage(self, schemes: QuerySet[Scheme], name: str, value: str) -> QuerySet[Scheme]:
        return schemes.filter(in_stage(Stage(value)))

    def filter_open(
        self,
        schemes: QuerySet[Scheme],
        name: str,
        value: bool,  # noqa: FBT001 - the library's signature
    ) -> QuerySet[Scheme]:
        return schemes.filter(OPEN_FOR_ENROLMENT) if value else schemes.exclude(OPEN_FOR_ENROLMENT)
