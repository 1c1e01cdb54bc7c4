"""Numbers that are recognised and not read: all but the last characters are covered."""

SHOWN = 4
COVER = "X"
# Where only the end of a number is known, nothing is told of its length either.
OF_UNKNOWN_LENGTH = COVER * 8


def masked(number: str) -> str:
    """Return a number with all but its last four characters covered."""
    return COVER * (len(number) - SHOWN) + number[-SHOWN:]


def masked_end(end: str) -> str:
    """Return the mask of a number of which only the end is kept in clear."""
    return OF_UNKNOWN_LENGTH + end
