"""One writer per chit: whoever writes anything of a scheme locks its row first."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from chitfund.exceptions import NotAllowed, NotFound
from schemes.models import Scheme


def lock_scheme(scheme_id: UUID) -> Scheme:
    """Lock a scheme's row until the commit and return it as it is now. Raises NotFound."""
    scheme = (
        Scheme.objects.select_for_update(of=("self",), no_key=True).filter(pk=scheme_id).first()
    )
    if scheme is None:
        raise NotFound("There is no such scheme.")
    return scheme


def lock_own_scheme(scheme_id: UUID, foreman: User) -> Scheme:
    """Lock a scheme and return it, or raise NotAllowed unless this person runs it."""
    scheme = lock_scheme(scheme_id)
    if scheme.foreman_id != foreman.pk:
        raise NotAllowed("Only the foreman of this scheme may do this.")
    return scheme
