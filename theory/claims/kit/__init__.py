"""What a claim is made of: checks at four levels, planted violations, instances, the report."""
