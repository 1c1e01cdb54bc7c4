"""Plays worked examples month by month through the HTTP API (`manage.py run_chit`)."""
