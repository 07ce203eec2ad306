"""From DuckDB's SQL to PostgreSQL's: sqlglot, and the few things in which it leaves the two apart.

What is mended here is what the project's SQL uses. A statement that needs more has a sibling `<name>.postgres.sql`.
"""

from functools import lru_cache

import sqlglot
from sqlglot import exp

# PostgreSQL would sort and compare text by the rules of a language; DuckDB and the versions of rows go by bytes.
BY_BYTES = exp.CollateColumnConstraint(this=exp.to_identifier("C", quoted=True))


def translated(sql: str) -> str:
    """One or several statements for PostgreSQL. Raises sqlglot's ParseError for what is no DuckDB SQL."""
    trees = sqlglot.parse(sql, dialect="duckdb")
    return ";\n".join(rewritten(tree).sql(dialect="postgres", comments=False) for tree in trees if tree)


@lru_cache(maxsize=1024)
def with_marks(sql: str) -> str:
    """A statement with `?` for values, as psycopg wants it: `%s` for values, and every other `%` doubled."""

    trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree]
    for tree in trees:
        for value in list(tree.find_all(exp.Placeholder)):
            value.replace(exp.Var(this="__value__"))
    text = ";\n".join(rewritten(tree).sql(dialect="postgres", comments=False) for tree in trees)
    return text.replace("%", "%%").replace("__value__", "%s")


def rewritten(tree: exp.Expr) -> exp.Expr:
    """The tree of a DuckDB statement with what PostgreSQL has no word for said in its words."""
    for subquery in tree.find_all(exp.Subquery):
        if isinstance(subquery.parent, exp.From | exp.Join) and not subquery.alias:
            subquery.set("alias", exp.TableAlias(this=exp.to_identifier("unnamed")))
    for select in tree.find_all(exp.Select):
        # `(a, b) IN (SELECT (a, b) …)`: PostgreSQL wants two columns instead of a pair.
        if isinstance(select.find_ancestor(exp.In, exp.From), exp.In) and len(select.expressions) == 1:
            pair = select.expressions[0]
            select.set("expressions", pair.expressions if isinstance(pair, exp.Tuple) else [pair])
    for group in tree.find_all(exp.Group):
        if group.args.get("all"):
            _name_groups(group)
    for conflict in tree.find_all(exp.OnConflict):
        _say_whose_columns(conflict)
    for node in reversed(list(tree.walk())):  # from the leaves up, so that what is inside is mended already
        mended = _in_its_words(node)
        if mended is not node:
            node.replace(mended)
    return tree


def _name_groups(group: exp.Group) -> None:
    """`GROUP BY ALL` means every column of the result that is no aggregate."""
    select = group.parent
    assert isinstance(select, exp.Select)
    named = [column.unalias().copy() for column in select.expressions if not column.find(exp.AggFunc)]
    group.set("all", None)
    group.set("expressions", named)


def _say_whose_columns(conflict: exp.OnConflict) -> None:
    """DuckDB takes a bare column for the stored row's; PostgreSQL calls it ambiguous."""
    insert = conflict.parent
    assert isinstance(insert, exp.Insert)
    table = insert.find(exp.Table)
    assert table
    sides = [change.expression for change in conflict.expressions if isinstance(change, exp.EQ)]
    sides += [conflict.args["where"]] if conflict.args.get("where") else []
    for side in sides:
        for column in side.find_all(exp.Column):
            if not column.table:
                column.set("table", exp.to_identifier(table.name))


def _in_its_words(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.ArrayContains():
            return exp.EQ(this=node.expression, expression=exp.Any(this=exp.Paren(this=_texts(node.this))))
        case exp.Explode(this=exp.GenerateSeries() as series):
            return exp.GenerateSeries(start=exp.cast(series.args["start"], "BIGINT"), end=series.args["end"])
        case exp.IgnoreNulls(this=exp.AnyValue() as any_value):
            return exp.Min(this=any_value.this)
        case exp.Filter(this=exp.ArgMax() | exp.ArgMin() as chosen):
            return _of_the_extreme(chosen, node.expression.this)
        case exp.ArgMax() | exp.ArgMin() if not isinstance(node.parent, exp.Filter):
            return _of_the_extreme(node, exp.true())
        case exp.ColumnDef() if node.kind and node.kind.this in exp.DataType.TEXT_TYPES:
            node.append("constraints", exp.ColumnConstraint(kind=BY_BYTES.copy()))
    return _as_the_same_number(node)


def _as_the_same_number(node: exp.Expr) -> exp.Expr:
    """DuckDB divides integers as real numbers, and by zero gives NULL; parts of a time are integers to it."""
    match node:
        case exp.Extract() if node.this.name.upper() != "EPOCH" and not isinstance(node.parent, exp.Cast):
            return exp.cast(node, "BIGINT")
        case exp.Div():
            real = exp.cast(node.this, exp.DataType.Type.DOUBLE)
            divisor = exp.func("nullif", node.expression, exp.Literal.number(0))
            return exp.Div(this=real, expression=divisor, typed=True, safe=False)
        case exp.Sum() | exp.Filter() | exp.Window() if _is_whole_sum(node):
            # DuckDB adds integers in 128 bits, which a frame holds as real numbers.
            return exp.cast(node, exp.DataType.Type.DOUBLE)
        case exp.Round() if node.args.get("decimals"):
            return exp.func("round", exp.cast(node.this, "DECIMAL"), node.args["decimals"])
    return node


def _is_whole_sum(node: exp.Expr) -> bool:
    """Whether this is a sum with all that belongs to it, such as `sum(x) FILTER (…) OVER (…)`."""
    if isinstance(node.parent, exp.Filter | exp.Window) and node.arg_key == "this":
        return False
    while isinstance(node, exp.Filter | exp.Window):
        node = node.this
    return isinstance(node, exp.Sum)


def _texts(values: exp.Expr) -> exp.Expr:
    return exp.cast(values, "TEXT[]", dialect="postgres")


def _of_the_extreme(node: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """`arg_max(value, order)` as the first of an ordered array; DuckDB leaves out rows in which one of them is NULL."""
    value, order = node.this, node.expression
    given = exp.and_(condition, value.is_(exp.null()).not_(), order.is_(exp.null()).not_())
    ordered = exp.Ordered(this=order.copy(), desc=isinstance(node, exp.ArgMax), nulls_first=False)
    gathered = exp.ArrayAgg(this=exp.Order(this=value.copy(), expressions=[ordered]))
    filtered = exp.Filter(this=gathered, expression=exp.Where(this=given))
    return exp.Bracket(this=exp.Paren(this=filtered), expressions=[exp.Literal.number(1)], offset=1)
