"""Files of eye trackers: one tracker a file, recognized by its content."""
