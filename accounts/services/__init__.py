"""Use cases of people and their access, one module each."""

from accounts.services.bank_accounts import (
    add_bank_account,
    make_primary,
    remove_bank_account,
    reveal_number,
)
from accounts.services.consents import record_consent
from accounts.services.credentials import sign_in
from accounts.services.foremen import (
    approve_foreman,
    return_foreman,
    save_foreman_profile,
    submit_foreman_profile,
)
from accounts.services.invitations import resend_invitation, send_reset_link
from accounts.services.nominees import replace_nominees
from accounts.services.people import (
    activate_user,
    change_password,
    change_role,
    deactivate_user,
    delete_group,
    record_changed_group,
    record_changed_permissions,
    suspend_user,
    update_user,
)
from accounts.services.profiles import change_profile
from accounts.services.recovery import (
    forgot_password,
    resend_verification,
    reset_password,
    verify_email,
)
from accounts.services.registration import create_user_account, invite_user, register
from accounts.services.second_factor import reset_second_factor
from accounts.services.sessions import (
    SignedIn,
    end_session,
    refresh_session,
    sign_out_everywhere,
)

__all__ = [
    "SignedIn",
    "activate_user",
    "add_bank_account",
    "approve_foreman",
    "change_password",
    "change_profile",
    "change_role",
    "create_user_account",
    "deactivate_user",
    "delete_group",
    "end_session",
    "forgot_password",
    "invite_user",
    "make_primary",
    "record_changed_group",
    "record_changed_permissions",
    "record_consent",
    "refresh_session",
    "register",
    "remove_bank_account",
    "replace_nominees",
    "resend_invitation",
    "resend_verification",
    "reset_password",
    "reset_second_factor",
    "return_foreman",
    "reveal_number",
    "save_foreman_profile",
    "send_reset_link",
    "sign_in",
    "sign_out_everywhere",
    "submit_foreman_profile",
    "suspend_user",
    "update_user",
    "verify_email",
]
