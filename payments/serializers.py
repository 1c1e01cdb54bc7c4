"""Money as the API shows and takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from auctions.models import Method as DrawMethod
from chitfund.api.fields import ChoiceOrNullField, PlainDecimalField
from chitfund.money import MAX_AMOUNT, PAISA, ZERO
from payments.models import (
    TILL_METHODS,
    CashMovement,
    Installment,
    MovementKind,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PrizePayout,
    Transfer,
)


class AmountField(PlainDecimalField):
    """Rupees to the paisa: a decimal string, or a number that is exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=12,
            decimal_places=2,
            **{"min_value": PAISA, "max_value": MAX_AMOUNT, **kwargs},
        )


class AllocationSerializer(serializers.Serializer[Any]):
    """Rupees of a payment that went to one installment."""

    installment_number = serializers.IntegerField()
    part = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """One movement of money that a member can see."""

    allocations = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "id",
            "subscription",
            "scheme",
            "subscriber",
            "amount",
            "payment_type",
            "status",
            "method",
            "transaction_id",
            "payment_date",
            "installment_number",
            "receipt_number",
            "allocations",
            "unallocated",
            "recorded_by",
            "reverses",
            "reversed_at",
            "split_of",
            "note",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(AllocationSerializer(many=True))
    def get_allocations(self, payment: Payment) -> list[dict[str, Any]]:
        """Sum what was applied and taken back, installment by installment."""
        sums: dict[tuple[int, str], Decimal] = {}
        for row in payment.allocations.all():
            key = (row.installment.number, row.part)
            sums[key] = sums.get(key, ZERO) + row.amount
        return [
            {"installment_number": number, "part": part, "amount": amount}
            for (number, part), amount in sorted(sums.items())
            if amount
        ]


class ShareSerializer(serializers.Serializer[Any]):
    """Rupees of one transfer that are meant for one ticket."""

    subscription = serializers.UUIDField(source="subscription_id")
    amount = AmountField()


class PaymentCreateSerializer(serializers.Serializer[Any]):
    """A payment for one ticket, or with `split` one transfer for several."""

    subscription = serializers.UUIDField(required=False)
    amount = AmountField(required=False)
    split = ShareSerializer(many=True, required=False, allow_empty=False, max_length=50)
    method = serializers.ChoiceField(choices=TILL_METHODS)
    transaction_id = serializers.CharField(max_length=100, required=False, allow_blank=True)
    payment_date = serializers.DateTimeField(required=False)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        split = attrs.get("split")
        if split is None:
            for name in ("subscription", "amount"):
                if name not in attrs:
                    raise serializers.ValidationError({name: "Give it, or a split."})
            return attrs
        if "subscription" in attrs:
            raise serializers.ValidationError({"split": "Give either a subscription or a split."})
        total = sum((share["amount"] for share in split), ZERO)
        if "amount" in attrs and attrs["amount"] != total:
            raise serializers.ValidationError(
                {"amount": f"The parts of the split add up to {total}, not {attrs['amount']}."}
            )
        return attrs


class PaymentWithSplitSerializer(PaymentSerializer):
    """The payment; with a split, its parts beside it."""

    split = serializers.SerializerMethodField()

    class Meta(PaymentSerializer.Meta):
        fields = (*PaymentSerializer.Meta.fields, "split")
        read_only_fields = fields

    @extend_schema_field(PaymentSerializer(many=True))
    def get_split(self, payment: Payment) -> list[dict[str, Any]]:
        parts = self.context.get("parts", [])
        return PaymentSerializer(parts, many=True).data if len(parts) > 1 else []


class PaymentUpdateSerializer(serializers.Serializer[Any]):
    """What may change: the decision on a pending payment, its reference, a note."""

    status = serializers.ChoiceField(
        choices=[
            (PaymentStatus.COMPLETED, "Completed"),
            (PaymentStatus.FAILED, "Failed"),
        ],
        required=False,
    )
    transaction_id = serializers.CharField(max_length=100, required=False)
    payment_date = serializers.DateTimeField(
        required=False, help_text="When the money arrived; only the till's keeper may correct it."
    )
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        frozen = {"amount", "scheme", "subscriber", "subscription", "payment_type", "method"}
        if given := frozen & set(self.initial_data):
            raise serializers.ValidationError(
                dict.fromkeys(given, "This never changes; reverse the payment instead.")
            )
        if not attrs:
            raise serializers.ValidationError("Give a status, a transaction_id or a note.")
        return attrs


class ReceiptSerializer(serializers.Serializer[Any]):
    """What a receipt says (s.27)."""

    receipt_number = serializers.CharField()
    received_on = serializers.DateField()
    foreman = serializers.CharField()
    scheme = serializers.CharField()
    ticket_number = serializers.IntegerField()
    received_from = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    amount_text = serializers.CharField()
    method = serializers.CharField()
    transaction_id = serializers.CharField()
    allocations = AllocationSerializer(many=True)
    is_reversed = serializers.BooleanField()


class InstallmentSerializer(serializers.ModelSerializer[Installment]):
    """What one ticket owes for one month."""

    net = serializers.DecimalField(max_digits=12, decimal_places=2)
    due = serializers.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        model = Installment
        fields = (
            "id",
            "subscription",
            "number",
            "gross",
            "dividend",
            "net",
            "paid",
            "due",
            "due_on",
            "paid_on",
            "late_interest",
            "late_interest_paid",
            "is_dividend_forfeited",
        )
        read_only_fields = fields


class PayoutSerializer(serializers.ModelSerializer[PrizePayout]):
    """The prize of a draw on its way to the winner."""

    installment_number = serializers.IntegerField(source="auction.installment_number")
    ticket_number = serializers.IntegerField(source="subscription.ticket_number")
    method = ChoiceOrNullField(PaymentMethod.choices)

    class Meta:
        model = PrizePayout
        fields = (
            "id",
            "scheme",
            "auction",
            "installment_number",
            "subscription",
            "ticket_number",
            "payee",
            "prize_amount",
            "tax",
            "set_off",
            "net_amount",
            "status",
            "security",
            "approved_by",
            "approved_at",
            "paid_by",
            "paid_at",
            "method",
            "reference",
            "created_at",
        )
        read_only_fields = fields


class PayoutApproveSerializer(serializers.Serializer[Any]):
    security = serializers.CharField(
        max_length=500, help_text="Which security was taken for future dues (s.22(1), s.31)."
    )
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class PayoutPaySerializer(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=TILL_METHODS)
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True)


class MovementSerializer(serializers.ModelSerializer[CashMovement]):
    """Cash that moves beside payments and prizes."""

    class Meta:
        model = CashMovement
        fields = (
            "id",
            "scheme",
            "kind",
            "amount",
            "reference",
            "note",
            "subscription",
            "status",
            "requested_by",
            "decided_by",
            "decided_at",
            "created_at",
        )
        read_only_fields = fields


class MovementCreateSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=MovementKind.choices)
    amount = AmountField()
    reference = serializers.CharField(max_length=100)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    subscription = serializers.UUIDField(required=False, source="subscription_id")


class CommenceSerializer(serializers.Serializer[Any]):
    certificate_number = serializers.CharField(
        max_length=60,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="The Registrar's; else one is numbered.",
    )


class PostponeSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)
    scheduled_at = serializers.DateTimeField(
        required=False, help_text="The new day and time; left out, the draw waits for one."
    )


class RecordedResultSerializer(serializers.Serializer[Any]):
    """The result of an auction that was held in a room."""

    subscription = serializers.UUIDField(source="subscription_id")
    discount = AmountField(min_value=ZERO)
    attendance = serializers.ListField(
        child=serializers.CharField(max_length=120), min_length=2, max_length=500
    )
    method = serializers.ChoiceField(
        choices=[
            (DrawMethod.BID, "Highest bid"),
            (DrawMethod.LOT_AT_CAP, "Lot among bids at the maximum"),
            (DrawMethod.LOT_NO_BID, "Lot, nobody bid"),
        ],
        default=DrawMethod.BID,
    )


class OutcomeSerializer(serializers.Serializer[Any]):
    """What each party would get at a discount; nothing is written."""

    discount = serializers.DecimalField(max_digits=12, decimal_places=2)
    prize_amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    commission = serializers.DecimalField(max_digits=12, decimal_places=2)
    tax = serializers.DecimalField(max_digits=12, decimal_places=2)
    prize_after_tax = serializers.DecimalField(max_digits=12, decimal_places=2)
    dividend_pool = serializers.DecimalField(max_digits=12, decimal_places=2)
    recipients = serializers.IntegerField()
    dividend_per_ticket = serializers.DecimalField(max_digits=12, decimal_places=2)
    residue = serializers.DecimalField(max_digits=12, decimal_places=2)
    base_dividend = serializers.DecimalField(max_digits=12, decimal_places=2)
    golden_dividend = serializers.DecimalField(max_digits=12, decimal_places=2)


class TransferSerializer(serializers.ModelSerializer[Transfer]):
    """One line of the ledger."""

    debit = serializers.SerializerMethodField()
    credit = serializers.SerializerMethodField()

    class Meta:
        model = Transfer
        fields = (
            "id",
            "entry",
            "debit",
            "credit",
            "amount",
            "kind",
            "installment_number",
            "business_date",
            "created_at",
            "reverses",
        )
        read_only_fields = fields

    def get_debit(self, transfer: Transfer) -> str:
        return account_name(transfer.debit_account)

    def get_credit(self, transfer: Transfer) -> str:
        return account_name(transfer.credit_account)


def account_name(account: Any) -> str:
    """Name an account as accountants read it: `cash`, `ticket 7`."""
    if account.subscription_id is None:
        return str(account.kind)
    return f"ticket {account.subscription.ticket_number}"


class BalanceSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    debits = serializers.DecimalField(max_digits=18, decimal_places=2)
    credits = serializers.DecimalField(max_digits=18, decimal_places=2)
    balance = serializers.DecimalField(max_digits=18, decimal_places=2)


class LedgerProofSerializer(serializers.Serializer[Any]):
    """The trial balance of a chit, with its proof."""

    debits = serializers.DecimalField(max_digits=18, decimal_places=2)
    credits = serializers.DecimalField(max_digits=18, decimal_places=2)
    is_balanced = serializers.BooleanField()
    accounts = BalanceSerializer(many=True)


class LedgerPageSerializer(serializers.Serializer[Any]):
    """The ledger of a chit: its proof, and its lines newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    proof = LedgerProofSerializer()
    results = TransferSerializer(many=True)


class StatementLineSerializer(serializers.Serializer[Any]):
    on = serializers.DateField()
    what = serializers.CharField()
    installment_number = serializers.IntegerField(allow_null=True)
    debit = serializers.DecimalField(max_digits=12, decimal_places=2)
    credit = serializers.DecimalField(max_digits=12, decimal_places=2)
    balance = serializers.DecimalField(max_digits=18, decimal_places=2)


class StatementSerializer(serializers.Serializer[Any]):
    """The account of one ticket, as the member reads it. A positive balance is owed."""

    scheme = serializers.CharField()
    ticket_number = serializers.IntegerField()
    outstanding = serializers.DecimalField(max_digits=12, decimal_places=2)
    advance = serializers.DecimalField(max_digits=12, decimal_places=2)
    lines = StatementLineSerializer(many=True)
