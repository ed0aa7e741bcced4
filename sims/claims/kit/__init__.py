"""What claims about decoders share: random policies, models to draw from, recognised families."""
