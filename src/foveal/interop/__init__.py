"""To other packages of the field and back: one module a package, each an optional extra."""
