"""The ground floor: arrays of any backend, exact numbers and logarithms, sums over segments."""
