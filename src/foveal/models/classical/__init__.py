"""Published models that were designed, not trained: one a file."""
