"""Arrays of any backend, exact numbers and logarithms, and sums over segments."""
