"""What commands share: arguments, tables, progress, and where work runs."""
