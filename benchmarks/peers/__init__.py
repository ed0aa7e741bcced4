"""The same answers from other packages, each imported only where it is asked for."""
