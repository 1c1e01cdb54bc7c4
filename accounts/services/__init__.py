"""Use cases of people and their access, one module each."""

from accounts.services.credentials import sign_in
from accounts.services.people import (
    activate_user,
    approve_foreman,
    change_password,
    change_role,
    deactivate_user,
    delete_group,
    record_changed_group,
    record_changed_permissions,
    suspend_user,
    update_user,
)
from accounts.services.recovery import (
    forgot_password,
    resend_verification,
    reset_password,
    verify_email,
)
from accounts.services.registration import create_user_account, invite_user, register
from accounts.services.sessions import (
    SignedIn,
    end_session,
    refresh_session,
    sign_out_everywhere,
)

__all__ = [
    "SignedIn",
    "activate_user",
    "approve_foreman",
    "change_password",
    "change_role",
    "create_user_account",
    "deactivate_user",
    "delete_group",
    "end_session",
    "forgot_password",
    "invite_user",
    "record_changed_group",
    "record_changed_permissions",
    "refresh_session",
    "register",
    "resend_verification",
    "reset_password",
    "sign_in",
    "sign_out_everywhere",
    "suspend_user",
    "update_user",
    "verify_email",
]
