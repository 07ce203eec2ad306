"""What a person asks in DuckDB's SQL, checked and said in PostgreSQL's words. Nothing that isn't known is let through.

What was written never reaches the server: it is read into a tree, the tree is checked, and the text that is sent is
made from the tree, with every name in quotes. In that text, too, whatever stands before a `(` must be a word of
SAFE_CALLS: nothing that reads files, writes large objects, sleeps, takes locks, changes settings or runs SQL from a
text is one.
"""

from collections.abc import Sequence
from itertools import pairwise

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from core.documented_views import VIEWS
from core.errors import BadRequest
from core.store.asking import OPEN_TABLES
from core.store.postgres.dialect import rewritten

PART = "asked_"
READABLE = OPEN_TABLES | VIEWS.keys()

_NODES = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Lateral, exp.Where,
    exp.Group, exp.Cube, exp.Rollup, exp.GroupingSets, exp.Having, exp.Order, exp.Ordered, exp.Limit,
    exp.Offset, exp.Distinct, exp.Qualify, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup,
    exp.IgnoreNulls, exp.Values, exp.Tuple, exp.Alias, exp.Table, exp.TableAlias, exp.Column, exp.Identifier,
    exp.Star, exp.Literal, exp.Boolean, exp.Null, exp.Var, exp.Paren, exp.Binary, exp.Unary, exp.Between,
    exp.In, exp.Exists, exp.Any, exp.Interval, exp.DataType, exp.DataTypeParam, exp.Bracket, exp.Slice,
    exp.AtTimeZone, exp.Func,
)  # fmt: skip
_REFUSED_NODES = (exp.Dot, exp.Operator, exp.Kwarg, exp.PropertyEQ, exp.Collate, exp.ObjectIdentifier, exp.PseudoType)
_TYPES = {
    exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.DECIMAL,
    exp.DType.BOOLEAN, exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.DATE, exp.DType.TIME, exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPTZ, exp.DType.INTERVAL, exp.DType.ARRAY, exp.DType.LIST,
}  # fmt: skip
# No word of these makes something large out of something small, as `repeat` does.
SAFE_CALLS = frozenset(
    {
        "abs", "age", "array_agg", "array_length", "avg", "bool_and", "bool_or", "ceil", "ceiling",
        "char_length", "coalesce", "concat", "concat_ws", "corr", "count", "cume_dist", "current_timestamp",
        "date_bin", "date_part", "date_trunc", "dense_rank", "div", "exp", "extract", "first_value", "floor",
        "generate_series", "greatest", "lag", "last_value", "lead", "least", "left", "length", "ln", "log",
        "lower", "ltrim", "make_date", "max", "md5", "min", "mod", "mode", "now", "ntile", "nullif",
        "percent_rank", "percentile_cont", "percentile_disc", "position", "power", "rank", "regexp_replace",
        "replace", "reverse", "right", "round", "row_number", "rtrim", "sign", "split_part", "sqrt",
        "starts_with", "stddev", "stddev_pop", "stddev_samp", "string_agg", "strpos", "substring", "sum",
        "to_char", "to_timestamp", "trim", "trunc", "unnest", "upper", "var_pop", "var_samp", "variance",
        "regr_slope", "regr_intercept",
    }
)  # fmt: skip
_WORDS = frozenset(
    {
        "all", "and", "any", "array", "as", "between", "by", "case", "cast", "cube", "decimal", "distinct",
        "double", "else", "exists", "except", "filter", "from", "group", "having", "ilike", "in", "intersect",
        "interval", "is", "join", "lateral", "like", "limit", "not", "offset", "on", "or", "order", "over",
        "partition", "rollup", "select", "sets", "similar", "then", "to", "union", "using", "values", "varchar",
        "when", "where", "with", "recursive", "materialized", "numeric", "char",
    }
)  # fmt: skip
_PARTS: dict[type[exp.Expr], str] = {
    exp.Hour: "hour", exp.Minute: "minute", exp.Second: "second", exp.Quarter: "quarter", exp.Week: "week",
    exp.WeekOfYear: "week", exp.DayOfYear: "doy", exp.DayOfWeek: "dow", exp.DayOfWeekIso: "isodow",
    exp.DayOfMonth: "day", exp.Day: "day", exp.Month: "month", exp.Year: "year",
}  # fmt: skip
_NAMES: dict[type[exp.Expr], str] = {exp.Dayname: "FMDay", exp.Monthname: "FMMonth"}


def admitted(asked: str) -> str:
    """One SELECT in DuckDB's SQL as PostgreSQL has it. Raises BadRequest with what is wrong or not answered here."""
    try:
        trees = [tree for tree in sqlglot.parse(asked, dialect="duckdb") if tree]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query | exp.Values):
            raise BadRequest("Only one SELECT is answered here.")
        tree = rewritten(_spoken(trees[0]))
        _check_tree(tree)
        text = tree.sql(dialect="postgres", comments=False, identify=True)
    except SqlglotError as error:
        raise BadRequest(_words(error)) from None
    except RecursionError:
        raise BadRequest("The query is nested too deeply.") from None
    _check_calls(text)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _spoken(tree: exp.Expr) -> exp.Expr:
    """DuckDB's words that sqlglot leaves as they are, and names as both databases see them: not in capital letters."""
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", name.name.lower())
    _rename_parts(tree)
    return tree.transform(_in_other_words)


def _rename_parts(tree: exp.Expr) -> None:
    """`WITH settings AS …`: outside of its scope that name would mean the table, so parts get names of their own."""
    names = {cte.alias for cte in tree.find_all(exp.CTE)} - READABLE
    for cte in tree.find_all(exp.CTE):
        if cte.alias in names:
            cte.args["alias"].set("this", exp.to_identifier(PART + cte.alias))
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.name in names and not table.args.get("db"):
            if not table.alias:
                table.set("alias", exp.TableAlias(this=table.this.copy()))
            table.set("this", exp.to_identifier(PART + table.name))


def _in_other_words(node: exp.Expr) -> exp.Expr:
    if type(node) in _PARTS:
        return exp.Extract(this=exp.var(_PARTS[type(node)]), expression=node.this)
    if type(node) in _NAMES:
        return exp.TimeToStr(this=node.this, format=exp.Literal.string(_NAMES[type(node)]))
    if isinstance(node, exp.CountIf):
        return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this))
    if isinstance(node, exp.Contains):
        return exp.GT(this=exp.StrPosition(this=node.this, substr=node.expression), expression=exp.Literal.number(0))
    if isinstance(node, exp.Quantile):
        return exp.PercentileCont(this=node.this, expression=node.args["quantile"])
    if isinstance(node, exp.Anonymous) and node.name.lower() == "mean":
        return exp.Avg(this=node.expressions[0])
    return node


def _check_tree(tree: exp.Expr) -> None:
    named = {cte.alias for cte in tree.find_all(exp.CTE) if cte.alias.startswith(PART)}
    for node in tree.walk():
        if not isinstance(node, _NODES) or isinstance(node, _REFUSED_NODES):
            raise BadRequest(f"{_words_of(node)} can't be used here on PostgreSQL.")
        if isinstance(node, exp.DataType) and node.this not in _TYPES:
            raise BadRequest(f"Only plain types can be cast to, not {_words_of(node)}.")
        if isinstance(node, exp.Table):
            _check_table(node, named)


def _check_table(table: exp.Table, named: set[str]) -> None:
    if table.args.get("db") or table.args.get("catalog"):
        raise BadRequest("Views are named without a schema here.", hint="They are listed beside the query.")
    if isinstance(table.this, exp.Identifier) and table.name not in READABLE | named:
        raise BadRequest(f"{table.name} can't be read here.", hint="The views are listed beside the query.")


def _check_calls(text: str) -> None:
    """Whatever stands before a `(` is known. A name in quotes may stand there only where it names a part."""
    found = sqlglot.tokenize(text, dialect="postgres")
    before: Sequence[Token | None] = [None, *found]
    for ahead, (token, following) in zip(before, pairwise(found), strict=False):
        if following.token_type != TokenType.L_PAREN:
            continue
        word = token.text.lower()
        if token.token_type == TokenType.IDENTIFIER:
            if ahead is None or ahead.text.lower() not in {"as", "with", "recursive"}:
                raise BadRequest(f"The function {word} can't be used here.")
        elif word[:1].isalpha() and word not in SAFE_CALLS | _WORDS:
            raise BadRequest(f"The function {word} can't be used here on PostgreSQL.")


def _words_of(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")[:80] or type(node).__name__


def _words(error: SqlglotError) -> str:
    """sqlglot's message without the colours of a terminal."""
    return str(error).replace("\x1b[4m", "").replace("\x1b[0m", "").strip() or "This is no SELECT."
