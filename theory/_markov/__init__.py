"""Finite Markov chains: classes, spectra, stationary vectors, powers, forward-backward."""
