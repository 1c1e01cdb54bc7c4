"""What may be done with money. Every function here holds the scheme's lock: one writer a chit."""
