"""Use cases of identity documents, one module each."""

from kyc.services.review import reject_document, verify_document
from kyc.services.submission import submit_document

__all__ = ["reject_document", "submit_document", "verify_document"]
