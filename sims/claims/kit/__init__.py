"""What claims about decoders share: policies and rules, wrong joint models, families of data."""
