"""Samplers of others on a perfect model: their exact distribution, and a verdict."""
