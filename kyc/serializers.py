"""Identity documents as the API shows and takes them: masks and links, never numbers or keys."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from kyc.links import signed_link
from kyc.models import DocumentType, UserKYC


class DocumentSerializer(serializers.ModelSerializer[UserKYC]):
    """One document. `document_url` ends after two minutes."""

    document_url = serializers.SerializerMethodField()
    verification_status = serializers.CharField(source="status")

    class Meta:
        model = UserKYC
        fields = (
            "id",
            "user",
            "document_type",
            "document_number",
            "document_url",
            "verification_status",
            "verified_at",
            "reviewed_at",
            "rejection_reason",
            "created_at",
        )
        read_only_fields = fields

    def get_document_url(self, document: UserKYC) -> str:
        return signed_link(document, self.context["request"])


class DocumentUploadSerializer(serializers.Serializer[Any]):
    """A document to be handed in. The number is checked and forgotten but for its end."""

    document_type = serializers.ChoiceField(choices=DocumentType.choices)
    document_number = serializers.CharField(max_length=50)
    file = serializers.FileField(help_text="JPEG, PNG or PDF, at most 5 MB.")

    def validate_document_type(self, value: str) -> DocumentType:
        return DocumentType(value)


class RejectSerializer(serializers.Serializer[Any]):
    """What is wrong with the document, for its owner."""

    reason = serializers.CharField(max_length=500)


class LinkSerializer(serializers.Serializer[Any]):
    """Where a file can be read, and for how long."""

    url = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
