"""Races against a real office: two processes of four threads, PostgreSQL, HTTP, real tokens.

Every module has a negative control: the same race against an office whose guard is taken away
by `unguarded.py` must show the violation, or the race proves nothing. A run prints its SEED;
`SEED=… pytest tests/race` plays the same choices again.
"""
