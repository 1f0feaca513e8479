"""Training networks by recipes: a run is a folder."""
