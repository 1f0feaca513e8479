"""The server of `foveal serve`, and its page."""
