"""A demo office for development: people, and schemes in every stage of their life."""
