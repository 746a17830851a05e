"""As it stood: macros that show a table as it was on a given day, over its `*_history`.

A history says of each line from when until when it held. `mart.crime_trend_as_of(DATE '2019-02-06')` is what
`mart.crime_trend` showed at the end of that day in London; in words of SQL, no more than a condition on two columns.
"""

from __future__ import annotations

import duckdb

from etl.contracts import HISTORY, Contract, literal, quote
from etl.models import published_contracts

KNOWN = ("known_from", "known_to", "known_from_on", "known_to_on")
"""The columns that a history has beside those of its table."""


def list_histories() -> list[Contract]:
    """The contracts of all histories, in the order of their names."""
    return [contract for contract in published_contracts() if contract.is_history]


def name_macro(history: Contract) -> str:
    """The macro over a history: `mart.crime_trend_history` → `mart.crime_trend_as_of`."""
    return f"{history.schema}.{history.table.removesuffix(HISTORY)}_as_of"


def create_as_of(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the warehouse that is built a macro for each history.

    A macro takes a day (a DATE, or a text such as '2019-02-06') and gives the columns of the table without those of
    its history. Names in it are looked up where it is called: in an attached warehouse after `USE`.
    """
    for history in list_histories():
        columns = ", ".join(quote(name) for name in history.columns if name not in KNOWN)
        name = name_macro(history)
        connection.execute(
            f"CREATE MACRO {name}(as_of_day) AS TABLE SELECT {columns} FROM {history.name} "
            "WHERE known_from_on <= CAST(as_of_day AS DATE) "
            "AND (known_to_on IS NULL OR known_to_on > CAST(as_of_day AS DATE))"
        )
        shown = history.name.removesuffix(HISTORY)
        comment = f"{shown} as it stood at the end of a day in London: SELECT * FROM {name}(DATE '2019-02-06')"
        connection.execute(f"COMMENT ON MACRO TABLE {name} IS {literal(comment)}")
