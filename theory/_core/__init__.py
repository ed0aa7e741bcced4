"""Arrays, exact numbers and sums that everything else is built from."""
