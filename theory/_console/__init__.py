"""What the command lines share: arguments, tables, progress bars, and processes or a cluster."""
