"""The command line: thin. A command parses, calls one public function, prints."""

import os

# Threads that wait for each other by spinning, as OpenMP's do, stand in their own way as soon as a core is busy with
# something else. It has to be said before torch is imported; whoever knows better has said it already.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
