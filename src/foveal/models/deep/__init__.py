"""Models that learned from pictures: one published model a file."""
