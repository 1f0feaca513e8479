"""Films: any model frame by frame, smoothed over time."""
