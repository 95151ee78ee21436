"""PRONOM byte-sequence expressions: read into nodes that :mod:`.matching` can walk in linear time.

The syntax is that of DROID signature files and container signature files: hexadecimal pairs and ``'text'`` are bytes;
``??`` is any byte, ``{n}``, ``{n-m}``, ``{n-*}`` and ``*`` are gaps; ``(a|b)`` are alternatives; ``[..]`` is one of
several values (``[22 27]``), a range (``[30:39]``, also of several bytes: ``[0000:00FF]``), with ``!`` anything else,
``[&01]`` a byte that has all of these bits, ``[~01]`` one that has any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

MOST_LITERALS = 64
_CLASS_LITERALS = 16
_CHOICES = 16
_SHORT_GAP = 64
_TOKEN = re.compile(
    r"\s+|'(?P<text>[^']*)'|(?P<hex>[0-9A-Fa-f]{2})|\[(?P<set>[^\]]*)\]|(?P<bracket>[(|)])"
    r"|\{(?P<low>\d+)(?:-(?P<high>\d+|\*))?\}|(?P<star>\*)|(?P<any>\?\?)"
)
_VALUE = re.compile(r"'(?P<text>[^']*)'|(?P<hex>(?:[0-9A-Fa-f]{2})+)|(?P<dash>[:-])")


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes of a fixed width that ``regex`` matches.

    ``parts`` divide it: the strings that a part can be (None when they are too many), and its width.
    """

    regex: bytes
    parts: tuple[tuple[frozenset[bytes] | None, int], ...]

    @property
    def width(self) -> int:
        return sum(width for _, width in self.parts)

    @property
    def literals(self) -> frozenset[bytes] | None:
        """All strings that the whole can be, None when they are too many."""
        return self.parts[0][0] if len(self.parts) == 1 else None


@dataclass(frozen=True, slots=True)
class Gap:
    """``low`` to ``high`` bytes of any value; ``high`` None: as many as there are."""

    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Branch:
    """One of several node sequences, of different widths."""

    alternatives: tuple[tuple[Node, ...], ...]


Node = Run | Gap | Branch


def parse_expression(text: str) -> tuple[Node, ...]:
    """Read one expression. Raises ValueError when it is not one."""
    tokens = _Tokens(text)
    nodes = tokens.alternatives()
    if tokens.at < len(text):
        raise ValueError(f"unbalanced brackets in {text!r}")
    return nodes


def joined(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The same nodes with neighbouring runs made one, also over a short gap of one width, and empty gaps left out."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Gap) and node.high == 0:
            continue
        last = result[-1] if result else None
        if isinstance(node, Run) and isinstance(last, Run):
            result[-1] = _joined(last, node)
        elif isinstance(node, Run) and len(result) > 1 and (between := _any_bytes(result[-2], last)) is not None:
            del result[-1]
            result[-1] = _joined(between, node)
        elif last is not None and (choice := _choice(last, node)) is not None:
            result[-1] = choice
        elif isinstance(node, Gap) and isinstance(last, Gap):
            high = None if node.high is None or last.high is None else last.high + node.high
            result[-1] = Gap(last.low + node.low, high)
        else:
            result.append(node)
    return tuple(result)


def alternatives_of(options: Sequence[tuple[Node, ...]]) -> Node | None:
    """One node for several options: a run when all are runs of one width. None for a single empty option."""
    if len(options) == 1 and len(options[0]) == 1:
        return options[0][0]
    runs = [option[0] for option in options if len(option) == 1 and isinstance(option[0], Run)]
    widths = {run.width for run in runs}
    if len(runs) == len(options) and len(widths) == 1:
        regex = b"(?:" + b"|".join(run.regex for run in runs) + b")"
        literals: set[bytes] | None = set()
        for run in runs:
            literals = None if literals is None or run.literals is None else literals | run.literals
        few = frozenset(literals) if literals is not None and len(literals) <= MOST_LITERALS else None
        return Run(regex, ((few, widths.pop()),))
    return Branch(tuple(options)) if any(options) else None


def widths_of(nodes: Iterable[Node]) -> tuple[int, int | None]:
    """The least and the most bytes that a node sequence takes; None: without bound."""
    low, high = 0, 0
    open_end = False
    for node in nodes:
        if isinstance(node, Branch):
            inner = [widths_of(option) for option in node.alternatives]
            least = min(one[0] for one in inner)
            bounds = [one[1] for one in inner]
            most = None if None in bounds else max(bound for bound in bounds if bound is not None)
        elif isinstance(node, Run):
            least, most = node.width, node.width
        else:
            least, most = node.low, node.high
        low += least
        open_end = open_end or most is None
        high += most or 0
    return low, None if open_end else high


class _Tokens:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def alternatives(self) -> tuple[Node, ...]:
        """Options separated by ``|`` up to a closing bracket or the end."""
        options: list[tuple[Node, ...]] = []
        nodes: list[Node] = []
        while self.at < len(self._text):
            token = _TOKEN.match(self._text, self.at)
            if token is None:
                raise ValueError(f"not a byte sequence: {self._text!r} at {self.at}")
            bracket = token["bracket"]
            if bracket == ")":
                break
            self.at = token.end()
            if bracket == "(":
                nodes.extend(self.alternatives())
                if self._text[self.at : self.at + 1] != ")":
                    raise ValueError(f"unbalanced brackets in {self._text!r}")
                self.at += 1
            elif bracket == "|":
                options.append(joined(nodes))
                nodes = []
            else:
                nodes.extend(_nodes(token))
        options.append(joined(nodes))
        if len(options) == 1:
            return options[0]
        node = alternatives_of(options)
        return (node,) if node is not None else ()


def _nodes(token: re.Match[str]) -> Iterable[Node]:
    if token["text"] is not None:
        return (_literal(token["text"].encode("utf-8")),) if token["text"] else ()
    if token["hex"]:
        return (_literal(bytes.fromhex(token["hex"])),)
    if token["set"] is not None:
        return (_set(token["set"]),)
    if token["low"]:
        high = token["high"]
        low = int(token["low"])
        return (Gap(low, low if high is None else None if high == "*" else max(low, int(high))),)
    if token["star"]:
        return (Gap(0, None),)
    return (Run(b".", ((None, 1),)),) if token["any"] else ()


def _literal(data: bytes) -> Run:
    return Run(re.escape(data), ((frozenset((data,)), len(data)),))


def strings_of(node: Node, most: int = MOST_LITERALS) -> frozenset[bytes] | None:
    """Every string that a node can be; None when they are more than ``most``, or not to be told."""
    if isinstance(node, Run):
        return node.literals if node.literals and len(node.literals) <= most else None
    if isinstance(node, Gap):
        return None
    found: set[bytes] = set()
    for option in node.alternatives:
        strings = {b""}
        for inner in option:
            these = strings_of(inner, most)
            if these is None or len(strings) * len(these) > most:
                return None
            strings = {a + b for a, b in product(strings, these)}
        found |= strings
    return frozenset(found) if len(found) <= most else None


def shared(strings: Iterable[bytes]) -> tuple[int, bytes]:
    """The longest string that all of ``strings`` have at one place, and the place."""
    every = list(strings)
    columns = "".join("=" if len(set(column)) == 1 else " " for column in zip(*every, strict=False))
    longest = max(columns.split(), key=len, default="")
    at = columns.index(longest)
    return at, every[0][at : at + len(longest)]


def _choice(first: Node, second: Node) -> Node | None:
    """Two neighbours of which one is a branch, as one choice of longer strings: they tell a file better than apart."""
    if not isinstance(first, Branch) and not isinstance(second, Branch):
        return None
    before, after = strings_of(first, _CHOICES), strings_of(second, _CHOICES)
    if before is None or after is None or len(before) * len(after) > _CHOICES:
        return None
    by_width: dict[int, list[bytes]] = {}
    for text in sorted(a + b for a, b in product(before, after)):
        by_width.setdefault(len(text), []).append(text)
    runs = [
        Run(b"(?:" + b"|".join(map(re.escape, texts)) + b")", ((frozenset(texts), width),))
        for width, texts in by_width.items()
    ]
    return runs[0] if len(runs) == 1 else Branch(tuple((run,) for run in runs))


def _joined(first: Run, second: Run) -> Run:
    return Run(first.regex + second.regex, _glued(first.parts, second.parts))


def _any_bytes(before: Node, gap: Node | None) -> Run | None:
    """A run and a gap of one width behind it, as one run; None when they are something else."""
    if isinstance(before, Run) and isinstance(gap, Gap) and gap.low == gap.high and gap.low <= _SHORT_GAP:
        return _joined(before, Run(b".{%d}" % gap.low, ((None, gap.low),)))
    return None


def _glued(
    first: tuple[tuple[frozenset[bytes] | None, int], ...], second: tuple[tuple[frozenset[bytes] | None, int], ...]
) -> tuple[tuple[frozenset[bytes] | None, int], ...]:
    (before, width), (after, more) = first[-1], second[0]
    if before is None and after is None:
        return (*first[:-1], (None, width + more), *second[1:])
    if before is None or after is None or len(before) * len(after) > MOST_LITERALS:
        return (*first, *second)
    return (*first[:-1], (frozenset(a + b for a, b in product(before, after)), width + more), *second[1:])


def _set(text: str) -> Run:
    """``[..]``: one of its values, each of one width."""
    body = text.strip()
    negated = body.startswith("!")
    body = body[negated:].strip()
    if body[:1] in ("&", "~"):
        mask = int(body[1:], 16)
        every = body[0] == "&"
        found = [v for v in range(256) if (v & mask == mask if every else v & mask != 0) != negated]
        return _bytes_run(found)
    ranges = _ranges(body)
    width = len(ranges[0][0])
    if any(len(low) != width or len(high) != width for low, high in ranges):
        raise ValueError(f"values of different widths: [{text}]")
    if width == 1:
        inside = {v for low, high in ranges for v in range(low[0], high[0] + 1)}
        return _bytes_run([v for v in range(256) if (v in inside) != negated])
    inner = b"|".join(_range_regex(low, high) for low, high in ranges)
    if negated:
        return Run(b"(?!" + inner + b")" + b"." * width, ((None, width),))
    return Run(b"(?:" + inner + b")", ((None, width),))


def _ranges(body: str) -> list[tuple[bytes, bytes]]:
    values: list[bytes] = []
    ranges: list[tuple[bytes, bytes]] = []
    dashed = False
    for match in _VALUE.finditer(body):
        if match["dash"]:
            dashed = True
            continue
        value = match["text"].encode("utf-8") if match["text"] is not None else bytes.fromhex(match["hex"])
        if dashed and values:
            ranges.append((values.pop(), value))
            dashed = False
        else:
            values.append(value)
    ranges += [(value, value) for value in values]
    if not ranges or not all(low and high for low, high in ranges):
        raise ValueError(f"not a set of bytes: [{body}]")
    return ranges


def _bytes_run(values: Sequence[int]) -> Run:
    if not values:
        raise ValueError("a set that no byte is in")
    literals = frozenset(bytes((v,)) for v in values) if len(values) <= _CLASS_LITERALS else None
    return Run(b"[" + b"".join(b"\\x%02x" % v for v in values) + b"]", ((literals, 1),))


def _range_regex(low: bytes, high: bytes) -> bytes:
    """Big-endian byte strings from ``low`` to ``high``, which are of one width."""
    if len(low) == 1:
        return b"[\\x%02x-\\x%02x]" % (low[0], high[0])
    if low[0] == high[0]:
        return b"\\x%02x" % low[0] + _range_regex(low[1:], high[1:])
    rest = len(low) - 1
    parts = [
        b"\\x%02x" % low[0] + _range_regex(low[1:], b"\xff" * rest),
        b"\\x%02x" % high[0] + _range_regex(b"\0" * rest, high[1:]),
    ]
    if high[0] - low[0] > 1:
        parts.append(b"[\\x%02x-\\x%02x]" % (low[0] + 1, high[0] - 1) + b"." * rest)
    return b"(?:" + b"|".join(parts) + b")"
