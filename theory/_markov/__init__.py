"""Finite chains: classes, spectra, powers, and messages along them."""
