"""Secrets: from the environment, or made once for this data folder."""

import json
import secrets
from pathlib import Path

from chitfund.embedded.files import exclusive_lock, make_folder, write_private_json
from chitfund.settings import env

NAMES = (
    "SECRET_KEY",
    "JWT_SECRET",
    "PII_ENCRYPTION_KEY",
    "PII_INDEX_KEY",
    "WEBHOOK_SECRET",
    "SIGNED_FILE_KEY",
)


def given_secrets() -> dict[str, str]:
    """Return the secrets of the environment; one that is missing is empty."""
    return {name: env.text(name, "") for name in NAMES}


def given_or_generated_secrets(data_dir: Path) -> dict[str, str]:
    """Return the environment's secrets, and for the rest `secrets.json` of the data folder.

    They are made once and kept, or every restart would sign everybody out and make the
    stored document numbers unreadable. No secret is ever written in the code.
    """
    given = given_secrets()
    if all(given.values()):
        return given
    kept = _kept_secrets(data_dir)
    return {name: given[name] or kept[name] for name in NAMES}


def _kept_secrets(data_dir: Path) -> dict[str, str]:
    file = data_dir / "secrets.json"
    make_folder(data_dir, mode=0o711)
    with exclusive_lock(data_dir / "secrets.lock"):
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        missing = [name for name in NAMES if name not in kept]
        if missing:
            kept |= {name: secrets.token_urlsafe(48) for name in missing}
            write_private_json(file, kept)
    return kept
