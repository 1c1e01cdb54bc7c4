"""The outbox folder: one whole file a mail."""

from __future__ import annotations

import email
from email import policy
from uuid import UUID

import pytest
from django.core.mail import EmailMessage

from notifications.backends import OutboxEmailBackend
from notifications.mail import Letter, send_letter

ID = UUID("01990000-0000-7000-8000-000000000001")


@pytest.fixture
def folder(settings, tmp_path):
    settings.OUTBOX_DIR = tmp_path
    settings.EMAIL_BACKEND = "notifications.backends.OutboxEmailBackend"
    settings.PUBLIC_URL = "https://office.example"
    return tmp_path / "email"


def send(subject="Your prize of ₹1,00,000 is ready"):
    letter = Letter(subject=subject, greeting="Dear Asha,", paragraphs=("It is ready.",))
    send_letter(letter, to="asha@example.com", mail_id=ID)


def test_a_mail_is_a_file_that_a_mail_program_opens(folder):
    send()
    (file,) = folder.iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)

    assert file.name == f"{ID}.eml"
    assert message["To"] == "asha@example.com"
    assert message["Subject"] == "Your prize of ₹1,00,000 is ready"
    assert message["Message-ID"] == f"<{ID}@office.example>"
    assert "It is ready." in message.get_body(("plain",)).get_content()
    assert "It is ready." in message.get_body(("html",)).get_content()


def test_the_same_mail_sent_again_is_the_same_file(folder):
    send()
    send()

    assert len(list(folder.iterdir())) == 1


def test_a_mail_that_cannot_be_written_leaves_no_half_of_it(folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        send()

    assert list(folder.iterdir()) == []


def test_a_subject_cannot_smuggle_a_header(folder):
    send("Hello\r\nBcc: everybody@example.com")
    message = email.message_from_bytes(next(folder.iterdir()).read_bytes(), policy=policy.default)

    assert message["Bcc"] is None


@pytest.mark.parametrize("known_as", ["<../../etc/passwd@x>", "<a/b@x>", "<>"])
def test_a_message_id_cannot_name_another_place(folder, known_as):
    message = EmailMessage("s", "b", to=["a@example.com"], headers={"Message-ID": known_as})
    OutboxEmailBackend().send_messages([message])

    (file,) = folder.iterdir()
    assert file.suffix == ".eml"
    assert len(file.stem) == 64
