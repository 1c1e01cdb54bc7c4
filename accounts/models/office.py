"""The office's own records: audit trail, idempotency, job runs, numbers, the calendar."""

from __future__ import annotations

from django.db import models

from accounts.models.users import User
from chitfund.db import IdentifiedModel, one_of


class AuditEvent(IdentifiedModel):
    """Who did what to which row; written with the change, never changed or removed."""

    actor = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    verb = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.UUIDField()
    details = models.JSONField(default=dict)
    trace_id = models.CharField(max_length=64)
    business_date = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    # Keyed digests of the target's row: what the event before this one left, what this one left.
    before_hash = models.BinaryField(max_length=32, null=True)
    after_hash = models.BinaryField(max_length=32, null=True)
    # Of the request, where there was one: `POST /api/schemes/{pk}/approve`, ids left out.
    ip_address = models.GenericIPAddressField(null=True)
    route = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "audit_events"
        ordering = ("-id",)
        verbose_name = "audit event"
        permissions = (("view_security_log", "Can view the security log"),)
        indexes = (
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_events_target"),
            models.Index(fields=["actor", "-id"], name="audit_events_actor"),
            models.Index(fields=["verb", "-id"], name="audit_events_verb"),
            models.Index(
                fields=["ip_address", "-id"],
                name="audit_events_address",
                condition=models.Q(ip_address__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.target_id}"


class SecurityEvent(AuditEvent):
    """The same rows as the desk's security log shows them: those of weight only."""

    class Meta:
        proxy = True
        verbose_name = "security event"
        default_permissions = ()


class AuditSeal(models.Model):
    """A link of the chain over all events: each holds the hash of the one before it.

    `accounts.services.audit_trail` writes and verifies them.
    """

    number = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_seals"
        ordering = ("-number",)
        verbose_name = "audit seal"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="audit_seal_numbers_begin_at_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}"


class IdempotencyRecord(models.Model):
    """The first answer to a keyed POST, replayed to whoever sends the same again."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_records"
        constraints = (
            models.UniqueConstraint(
                fields=["user", "route", "key"], name="idempotency_key_is_used_once"
            ),
        )
        indexes = (models.Index(fields=["created_at"], name="idempotency_records_age"),)

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class JobStatus(models.TextChoices):
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class JobRun(IdentifiedModel):
    """One job on one business date; the unique pair is what makes a second run harmless."""

    job = models.CharField(max_length=60)
    business_date = models.DateField()
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.RUNNING)
    attempts = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "job_runs"
        ordering = ("-business_date", "job")
        constraints = (
            models.UniqueConstraint(
                fields=["job", "business_date"], name="job_run_once_a_business_date"
            ),
            models.CheckConstraint(
                condition=one_of("status", JobStatus), name="job_run_status_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.job} {self.business_date}"


class NumberSeries(models.Model):
    """The last number given out of a gapless series; `chitfund.db.next_number` moves it."""

    name = models.CharField(max_length=80, primary_key=True)
    last = models.PositiveIntegerField()

    class Meta:
        db_table = "number_series"
        verbose_name_plural = "number series"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(last__range=(1, 999_999)), name="number_series_has_six_digits"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"


class BusinessClock(models.Model):
    """At most one row: the date that the office is told it is, outside production."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    moved_to = models.DateField()

    class Meta:
        db_table = "business_clock"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="business_clock_is_one_row"),
        )

    def __str__(self) -> str:
        return str(self.moved_to)
