"""What claims about decoders share."""
