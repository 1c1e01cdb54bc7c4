class EmbeddedPostgresError(RuntimeError):
    """The local PostgreSQL cannot be used; the message says what to do about it."""
