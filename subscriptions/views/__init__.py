"""Tickets over HTTP, and what schemes and people show because of them."""
