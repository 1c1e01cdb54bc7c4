"""People and their access over HTTP."""
