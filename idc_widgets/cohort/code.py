"""Conditions as the Python that makes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.catalog import Index, bundled
from idc_widgets.cohort.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Contains,
    Implausible,
    In,
    Not,
    Or,
    ReferencedBy,
    References,
    Search,
    Sql,
    WithModalities,
)
from idc_widgets.cohort.dialects import over_index
from idc_widgets.lib.arguments import shown

FLAVOURS = ("idc_widgets", "idc-index")

_LONG = 60  # characters; what is shorter is as readable twice as by a name


def to_program(index: Index, conditions: Sequence[Condition], flavour: str) -> str:
    """Return a small program that selects these series in a fresh interpreter.

    Raises
    ------
    ValueError
        If there is no such flavour; the message names those that there are.
    """
    if not isinstance(flavour, str):
        flavour = shown(flavour)
    if flavour == "idc_widgets":
        return f"import idc_widgets as idc\n\ncatalog = idc.Catalog()\ncohort = {to_code(conditions)}\n"
    if flavour == "idc-index":
        query, tables = over_index(index, conditions)
        lacking = [t for t in tables if t not in bundled.table_names()]
        own = next((t for t in lacking if t not in bundled.fetched_names()), None)
        if own is not None:
            raise ValueError(f'code(flavour="idc-index"): the table "{own}" is none that idc-index can query.')
        fetched = "".join(f'client.fetch_index("{t}")\n' for t in lacking)
        client = f"from idc_index import IDCClient\n\nclient = IDCClient()\n{fetched}"
        return f"{client}df = client.sql_query({_block(query)})\n"
    raise ValueError(f"code(flavour={shown(flavour)}): the flavour is " + " or ".join(f'"{f}"' for f in FLAVOURS) + ".")


def _block(text: str) -> str:
    """Return a text of several lines as a triple-quoted literal of Python."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    # Control characters would not survive a file; half a surrogate pair could not even be written to one.
    text = re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", text)
    return f'"""\n{text}\n"""'


def to_code(conditions: Sequence[Condition]) -> str:
    """Return an expression over `idc` (the package) and `catalog` that makes a cohort of these conditions."""
    writer = _Writer(conditions)
    keywords: dict[str, str] = {}
    later: list[str] = []
    for c in conditions:
        if isinstance(c, In) and c.column not in keywords and c.column.isidentifier() and not writer.names(c):
            keywords[c.column] = _values(c)
        elif isinstance(c, Not) and isinstance(c.arg, In) and c.arg.column.isidentifier() and not writer.names(c.arg):
            later.append(f".exclude({c.arg.column}={_values(c.arg)})")
        elif isinstance(c, Not):
            later.append(f".exclude({writer.expression(c.arg)})")
        else:
            later.append(f".where({writer.expression(c)})")
    return f"catalog.cohort({', '.join(f'{k}={v}' for k, v in keywords.items())})" + "".join(later)


def _values(c: In) -> str:
    return repr(c.values[0]) if len(c.values) == 1 else repr(list(c.values))


class _Writer:
    """Writes conditions as expressions.

    What is long and occurs again gets a name where it stands first: a cohort with its companions says its list of
    UIDs once, not four times.
    """

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._seen: set[Condition] = set()
        self._again: set[Condition] = set()
        self._names: dict[Condition, str] = {}
        for c in conditions:
            self._look(c)

    def _look(self, c: Condition) -> None:
        if c in self._seen:  # what it consists of is written once, with it
            self._again.add(c)
            return
        self._seen.add(c)
        match c:
            case And() | Or():
                for arg in c.args:
                    self._look(arg)
            case Not() | References() | ReferencedBy():
                self._look(c.arg)

    def names(self, c: Condition) -> bool:
        """Return whether a condition has a name, or gets one where it is written next."""
        return c in self._names or (c in self._again and len(self._text(c)) >= _LONG)

    def expression(self, c: Condition) -> str:
        """Return one condition."""
        if c in self._names:
            return self._names[c]
        text = self._text(c)
        if c not in self._again or len(text) < _LONG:
            return text
        name = self._names[c] = f"these_{len(self._names) + 1}" if self._names else "these"
        return f"({name} := {text})"

    def _text(self, c: Condition) -> str:
        match c:
            case In():
                return f"idc.col({c.column!r}).isin({list(c.values)!r})"
            case Between():
                return f"idc.between({c.column!r}, {c.low!r}, {c.high!r})"
            case Compare():
                return f"(idc.col({c.column!r}) {c.than} {c.value!r})"
            case References() | ReferencedBy():
                # Several conditions are its conjunction; one that has a name is written as that.
                args = c.arg.args if isinstance(c.arg, And) and c.arg not in self._again else (c.arg,)
                inner = ", ".join(map(self.expression, args))
                return f"idc.{'references' if isinstance(c, References) else 'referenced_by'}({inner})"
            case Sql():
                return f"idc.sql({c.text!r})"
            case Implausible():
                return f"idc.implausible({c.column!r})"
            case Contains():
                return f"idc.contains({c.column!r}, {c.text!r})"
            case Search():
                return f"idc.search({c.text!r})"
            case WithModalities():
                named = ", ".join(repr(m) for m in c.modalities)
                return f"idc.with_modalities({named}, per={c.per!r}, keep={c.keep!r})"
            case Not():
                return f"~{self.expression(c.arg)}"
            case And() | Or():
                if not c.args:
                    return "idc.everything()" if isinstance(c, And) else "~idc.everything()"
                return "(" + (" & " if isinstance(c, And) else " | ").join(map(self.expression, c.args)) + ")"
        raise TypeError(f"Not a condition: {c!r}")
