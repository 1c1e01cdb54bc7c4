"""Money over HTTP: thin doors to payments.services."""
