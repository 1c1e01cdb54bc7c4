"""What may be done with money. Whatever moves it holds the scheme's lock: one writer a chit."""
