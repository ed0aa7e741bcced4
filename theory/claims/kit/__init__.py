"""What claims are made of: their declaration, how they are checked, and the report."""
