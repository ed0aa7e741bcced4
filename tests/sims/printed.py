"""What a command printed, read again."""

import json


def strict(text):
    """Read JSON without the literals that only Python takes."""

    def refuse(literal):
        raise AssertionError(f"{literal} is no JSON")

    return json.loads(text, parse_constant=refuse)


def table_of(out, always=0):
    """The rows of all printed tables: a list of cells each, wrapped ones joined.

    In the column `always` no cell of a row is empty, but those of its further lines are.
    """
    rows = []
    for line in out.splitlines():
        if line.startswith("│"):
            cells = [cell.strip() for cell in line[1:-1].split("│")]
            if cells[always]:
                rows.append(cells)
            else:
                rows[-1] = [(a + " " + b).strip() for a, b in zip(rows[-1], cells, strict=True)]
    return rows
