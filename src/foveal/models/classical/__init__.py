"""Published models of designed features, whatever their weights were learned from: one a file."""
