"""What `benchmarks/fuzz.py` gives to the commands: damaged inputs of every kind, beside good ones."""
