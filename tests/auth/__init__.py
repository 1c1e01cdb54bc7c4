"""Sign-in under attack: guessing, spoofing, telling people apart, hard passwords."""
