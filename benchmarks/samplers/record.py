"""The numbers that were found: a file, and the tables of docs/samplers.md."""

def line(row):
    return str(row)
