"""Many rows in one statement, at the price of the rows.

SQLite runs a prepared statement over tuples, past SQLAlchemy's handling of parameters, which costs more
than the rows do. PostgreSQL gets all rows as one JSON parameter and joins them as a table: one statement
and one answer, where an executemany is one a row (and arrays are built by psycopg item by item).
It is told how many they are by a LIMIT: it takes any list of JSON for a hundred rows, and reads the whole of
a table of ten thousand rather than look so many up.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    JSON,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    Update,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

Row = Mapping[str, Any]
Given = Mapping[str, ColumnElement[Any]]
"""What is given for every row, by name."""


class Bulk:
    """A statement over many rows, in its two spellings: for one given row, and for a given table."""

    def __init__(
        self,
        target: Table,
        types: Mapping[str, TypeEngine[Any]],
        by_row: Callable[[Given], Any],
        by_table: Callable[[Given], Any],
    ) -> None:
        self.target = target
        self.names = tuple(types)
        self._by_row = by_row({name: bindparam(name, type_=t) for name, t in types.items()})
        columns = [column(name, t) for name, t in types.items()]
        listed = func.json_to_recordset(bindparam("rows", type_=JSON)).table_valued(*columns)
        rows = listed.render_derived(name="listed", with_types=True)
        given = select(*rows.c).limit(bindparam("many")).subquery("given")
        self.by_table = by_table({name: given.c[name] for name in types})
        self._prepared: tuple[str, Callable[[Row], tuple[Any, ...]]] | None = None

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it; answers how many rows were written."""
        if not rows:
            return 0
        if connection.dialect.name == "sqlite":
            sql, values = self._prepared = self._prepared or self._prepare(connection)
            return connection.exec_driver_sql(sql, [values(row) for row in rows]).rowcount
        return connection.execute(self.by_table, table_of(rows)).rowcount

    def _prepare(self, connection: Connection) -> tuple[str, Callable[[Row], tuple[Any, ...]]]:
        compiled = self._by_row.compile(dialect=connection.dialect)
        same = {k: v for k, v in compiled.params.items() if k not in self.names}
        pick = itemgetter(*compiled.positiontup)
        return str(compiled), (lambda row: pick({**same, **row})) if same else pick


def table_of(rows: Sequence[Row]) -> Mapping[str, Any]:
    """What a statement `by_table` is given."""
    return {"rows": rows, "many": len(rows)}


def updating(
    target: Table, given: Mapping[str, str], change: Callable[[Update, Given], Update]
) -> Bulk:
    """Change rows of a table. given: name -> the column that has its type."""
    types = {name: target.c[like].type for name, like in given.items()}

    def statement(values: Given) -> Update:
        return change(update(target), values)

    return Bulk(target, types, statement, statement)


def inserting(target: Table, *names: str) -> Bulk:
    """Add rows to a table. names: the columns that are given for each."""
    return Bulk(
        target,
        {name: target.c[name].type for name in names},
        lambda given: insert(target).values(given),
        lambda given: insert(target).from_select(list(names), select(*given.values())),
    )


class Reading:
    """A select whose rows are asked for their columns many times each: they come as named tuples.

    SQLAlchemy's own rows look a name up twenty times slower, which was a quarter of what a turn cost.
    """

    def __init__(self, wanted: Select[Any]) -> None:
        self._wanted = wanted
        # The columns are the statement's, so no class of ours names them a second time.
        columns = [(name, Any) for name in wanted.selected_columns.keys()]  # noqa: SIM118 - no mapping
        self._make = NamedTuple("Found", columns)._make

    def __call__(self, connection: Connection, given: Row) -> list[Any]:
        """The rows, in the order of the statement."""
        return [self._make(row) for row in connection.execute(self._wanted, given).all()]


def among(wanted: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The column is one of many, given as one parameter: a statement is compiled once for any number."""
    listed = _Listed(wanted.type, bindparam(name, type_=JSON))
    return wanted.op("IN", is_comparison=True)(listed)


def wanted(*names: str) -> CTE:
    """A table of texts, given as the parameter "wanted", a list of lists; compiled once for any number.

    The rows of a VALUES are part of a statement's text: compiling it anew cost more than its answer.
    """
    many = _Rows(bindparam("wanted", type_=JSON)).table_valued("value")
    items = (_Item(many.c.value, literal_column(str(n))) for n in range(len(names)))
    return select(*(item.label(name) for item, name in zip(items, names, strict=True))).cte(
        "wanted"
    )


class _Rows(FunctionElement[Any]):
    inherit_cache = True
    name = "rows"


class _Item(FunctionElement[str]):
    inherit_cache = True
    type = String()


@compiles(_Rows, "sqlite")
def _rows_sqlite(element: _Rows, compiler: Any, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


@compiles(_Rows, "postgresql")
def _rows_postgresql(element: _Rows, compiler: Any, **more: Any) -> str:
    return f"json_array_elements({compiler.process(element.clauses, **more)})"


@compiles(_Item, "sqlite")
def _item_sqlite(element: _Item, compiler: Any, **more: Any) -> str:
    value, place = (compiler.process(clause, **more) for clause in element.clauses)
    return f"json_extract({value}, '$[{place}]')"


@compiles(_Item, "postgresql")
def _item_postgresql(element: _Item, compiler: Any, **more: Any) -> str:
    value, place = (compiler.process(clause, **more) for clause in element.clauses)
    return f"({value} ->> {place})"


class _Listed(FunctionElement[Any]):
    inherit_cache = True

    def __init__(self, type_: TypeEngine[Any], many: ColumnElement[Any]) -> None:
        super().__init__(many)
        self.type = type_


@compiles(_Listed, "sqlite")
def _sqlite(element: _Listed, compiler: Any, **more: Any) -> str:
    many = compiler.process(element.clauses, **more)
    return f"(SELECT value FROM json_each({many}))"


@compiles(_Listed, "postgresql")
def _postgresql(element: _Listed, compiler: Any, **more: Any) -> str:
    many, of = compiler.process(element.clauses, **more), compiler.dialect.type_compiler_instance
    value = f"value::{of.process(element.type)}"
    listed = f"json_array_elements_text({many}) LIMIT json_array_length({many})"
    return f"(SELECT {value} FROM {listed})"
