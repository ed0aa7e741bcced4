"""Other libraries that compute the same: dit, hmmlearn, opt_einsum, pgmpy, where installed."""
