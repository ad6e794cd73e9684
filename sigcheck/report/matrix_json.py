"""A matrix for machines. The document is described in `docs/matrix.md`."""

from __future__ import annotations

import json
from typing import Any

from sigcheck.core.matrix import CallTable, Cell, Matrix, Row
from sigcheck.core.signature import Parameter
from sigcheck.report import matrix_words as words

SCHEMA = 1


def render_json(matrix: Matrix, version: str) -> str:
    """One object: `schema`, `version`, `method`, `class`, `columns`, `rows`, `calls`."""
    numbers = {row: number for number, row in enumerate(matrix.rows)}
    content = {
        "schema": SCHEMA,
        "version": version,
        "method": matrix.member.name,
        "class": matrix.owner.name,
        "columns": [
            {"slot": column.slot, "name": column.parameter.name, "kind": _kind(column.parameter)}
            for column in matrix.columns
        ],
        "rows": [_row(row, label) for row, label in words.labels(matrix.rows).items()],
        "calls": [_call(table, numbers) for table in matrix.calls],
    }
    return json.dumps(content, indent=2) + "\n"


def _kind(parameter: Parameter) -> str:
    return parameter.kind.name.lower().replace("_", "-")


def _row(row: Row, label: words.Label) -> dict[str, Any]:
    return {
        "label": str(label),
        "class": row.owner.name,
        "through": row.through.name if row.through is not None else None,
        "flavour": row.member.flavour.value,
        "branch": [
            {"test": condition.test, "holds": condition.holds, "line": condition.line}
            for condition in (*row.owner.branch, *row.member.branch)
        ],
        "depth": row.depth,
        "path": row.member.place.path,
        "line": row.member.place.line,
        "signature": str(row.signature) if row.signature is not None else None,
        "verdict": row.verdict.value,
        "rules": list(row.rules),
        "cells": [_cell(cell) for cell in row.cells],
        "extra": [_cell(cell) for cell in row.extra],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "state": cell.state.value,
        "parameter": _name(cell.parameter),
        "by_position": _name(cell.by_position),
        "by_keyword": _name(cell.by_keyword),
        "ignored": cell.is_ignored,
    }


def _name(parameter: Parameter | None) -> str | None:
    return parameter.starred() if parameter is not None else None


def _call(table: CallTable, numbers: dict[Row, int]) -> dict[str, Any]:
    return {
        "class": table.owner.name,
        "caller": table.caller.name,
        "route": table.site.route.value,
        "path": table.site.place.path,
        "line": table.site.place.line,
        "column": table.site.place.column,
        "arguments": [{"keyword": entry.keyword, "text": entry.text} for entry in table.arguments],
        "rows": [
            {
                "row": numbers[entry.row],
                "verdict": entry.verdict.value,
                "error": words.refusal(entry.rejection) if entry.rejection is not None else None,
                "cells": [_cell(cell) for cell in entry.cells],
            }
            for entry in table.rows
        ],
    }
