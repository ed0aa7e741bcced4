"""Command lines: arguments, tables, progress bars, executors and the tasks that run on them."""
