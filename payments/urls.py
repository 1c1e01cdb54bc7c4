"""Where money is served, whatever the first word of the path.

`.kwargs` is what `@action` was told, its permissions above all: a router of DRF's passes it
on, a path written out must.
"""

from django.urls import path

from payments.views.chit import CashViewSet, CommenceViewSet, DrawViewSet, LedgerViewSet
from payments.views.payments import PaymentViewSet, TicketMoneyViewSet, UserPaymentsViewSet
from payments.views.payouts import PayoutViewSet

urlpatterns = [
    path(
        "payments",
        PaymentViewSet.as_view({"get": "list", "post": "create"}),
        name="payment-list",
    ),
    path(
        "payments/user/<uuid:user_id>",
        UserPaymentsViewSet.as_view({"get": "list"}),
        name="payment-user",
    ),
    path(
        "payments/<uuid:pk>",
        PaymentViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="payment-detail",
    ),
    path(
        "payments/<uuid:pk>/reverse",
        PaymentViewSet.as_view({"post": "reverse"}, **PaymentViewSet.reverse.kwargs),
        name="payment-reverse",
    ),
    path(
        "payments/<uuid:pk>/receipt",
        PaymentViewSet.as_view({"get": "receipt"}),
        name="payment-receipt",
    ),
    path(
        "subscriptions/<uuid:pk>/payments",
        TicketMoneyViewSet.as_view({"get": "payments"}),
        name="subscription-payments",
    ),
    path(
        "subscriptions/<uuid:pk>/installments",
        TicketMoneyViewSet.as_view({"get": "installments"}),
        name="subscription-installments",
    ),
    path(
        "subscriptions/<uuid:pk>/statement",
        TicketMoneyViewSet.as_view({"get": "statement"}),
        name="subscription-statement",
    ),
    path("payouts", PayoutViewSet.as_view({"get": "list"}), name="payout-list"),
    path("payouts/<uuid:pk>", PayoutViewSet.as_view({"get": "retrieve"}), name="payout-detail"),
    path(
        "payouts/<uuid:pk>/approve",
        PayoutViewSet.as_view({"post": "approve"}, **PayoutViewSet.approve.kwargs),
        name="payout-approve",
    ),
    path(
        "payouts/<uuid:pk>/pay",
        PayoutViewSet.as_view({"post": "pay"}, **PayoutViewSet.pay.kwargs),
        name="payout-pay",
    ),
    path(
        "schemes/<uuid:pk>/commence",
        CommenceViewSet.as_view({"post": "commence"}),
        name="scheme-commence",
    ),
    path(
        "schemes/<uuid:pk>/ledger",
        LedgerViewSet.as_view({"get": "retrieve"}),
        name="scheme-ledger",
    ),
    path(
        "schemes/<uuid:pk>/cash",
        CashViewSet.as_view({"get": "list", "post": "create"}),
        name="scheme-cash",
    ),
    path(
        "schemes/<uuid:pk>/cash/<uuid:movement>/approve",
        CashViewSet.as_view({"post": "approve"}),
        name="scheme-cash-approve",
    ),
    path(
        "schemes/<uuid:pk>/cash/<uuid:movement>/reject",
        CashViewSet.as_view({"post": "reject"}),
        name="scheme-cash-reject",
    ),
    path("auctions/<uuid:pk>/close", DrawViewSet.as_view({"post": "close"}), name="auction-close"),
    path(
        "auctions/<uuid:pk>/record",
        DrawViewSet.as_view({"post": "record"}),
        name="auction-record",
    ),
    path(
        "auctions/<uuid:pk>/postpone",
        DrawViewSet.as_view({"post": "postpone"}),
        name="auction-postpone",
    ),
    path(
        "auctions/<uuid:pk>/order-draw",
        DrawViewSet.as_view({"post": "order_draw"}, **DrawViewSet.order_draw.kwargs),
        name="auction-order-draw",
    ),
    path(
        "auctions/<uuid:pk>/outcome",
        DrawViewSet.as_view({"get": "outcome"}, **DrawViewSet.outcome.kwargs),
        name="auction-outcome",
    ),
]
