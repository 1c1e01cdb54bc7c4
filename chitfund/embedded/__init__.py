"""The office's own PostgreSQL: database and task queue with nothing to install."""
