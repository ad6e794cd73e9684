"""Which files may define a class of a contract's family: found by regular expressions over bytes, before anything is parsed.

A file that defines such a class, or gives one another name, has a name of the family in it. So files are searched for those names;
who may be meant is read, and what is read tells further names. A file too many is only read. Imports
`core.identifiers` and `core.module`.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sigcheck.core.identifiers import is_plain, is_plain_for_certain
from sigcheck.core.module import Module

MOST_NAMES = 256
"""Names of a family from which searching for them takes as long as reading everything."""

WORTH = 0.5
"""The part of all bytes from which everything is read."""

# `class Name[T](a.Base, metaclass=M):` without strings, comments, braces, or a colon in the brackets.
_HEADER = re.compile(rb"class[ \t\f\\\r\n]+(\w+)[ \t\f]*((?:\[[^:#'\"{}\\]*\])?[ \t\f]*(?:\([^:#'\"{}]*\))?)[ \t\f]*:")
_CLASS = re.compile(rb"class[ \t\f\\]")  # Fast, for it begins with the word.
_BLANK = b" \t\f"
_WORD = re.compile(rb"\w+")
_AS = re.compile(rb"(?:[ \t\f\r\n\\]|#[^\r\n]*)*as\b")
_ATTRIBUTE_OR_CALL = re.compile(rb"[ \t]*[.(]")
_LAST_WORD = re.compile(rb"[\w\x80-\xff]+\Z")
_CODING = re.compile(rb"(?:[^\n]*\n)?[^\n]*coding[:=][ \t]*([-\w.]+)")
_ASCII_ABOVE = re.compile(
    rb"utf[-_]?8|ascii|us-ascii|latin[-_]?1|iso[-_]8859[-_]\d+|cp125\d|windows-125\d", re.IGNORECASE
)
"""Encodings that write a name in ASCII as ASCII."""

_SPACE = b" \t\f\r\n\\"
_MOST_BYTES_BACK = 2_000


class Lineage:
    """The names of a family, and the files that may define a class of it."""

    def __init__(self, names: Iterable[str]) -> None:
        """Args: names: the simple names of the bases, or all that are known of the family."""
        self.names = {name.encode("utf-8", "surrogatepass") for name in names}

    @property
    def is_too_large(self) -> bool:
        """It is no use to search: there are too many names, or one that may be written in several ways."""
        return len(self.names) > MOST_NAMES or not all(name.isascii() for name in self.names)

    def texts(self) -> list[str]:
        """The names, as text."""
        return [name.decode("utf-8", "surrogatepass") for name in self.names]

    def is_of_it(self, data: bytes) -> bool:
        """A file of these bytes may define a class of the family or give one another name, or has comments that count."""
        if b"sigcheck:" in data or _is_written_otherwise(data):
            return True
        if not any(name in data for name in self.names):
            return False
        return any(self._is_named(name, words) for name, words in _headers(data)) or _may_bind(data, _words(self.names))

    def _is_named(self, name: bytes, words: frozenset[bytes] | None) -> bool:
        return words is None or name in self.names or not words.isdisjoint(self.names)

    def learn(self, modules: Iterable[Module]) -> bool:
        """Add what modules call a class of the family; whether that was anything new."""
        before = len(self.names)
        for module in modules:
            self.names.update(name.encode("utf-8", "surrogatepass") for name in self._names_in(module))
        return len(self.names) > before

    def _names_in(self, module: Module) -> Iterator[str]:
        for entry in module.classes:
            if any(map(self._leads_here, entry.bases)):
                yield entry.name.rpartition(".")[2]
        for names in (module.names, *(entry.names for entry in module.classes)):
            yield from (name for name, references in names.items() if self._leads_here(references))

    def _leads_here(self, references: Iterable[str]) -> bool:
        last = (reference.replace(":", ".").rpartition(".")[2].partition("#")[0] for reference in references)
        return any(name.encode("utf-8", "surrogatepass") in self.names for name in last)

    def collect(
        self, texts: Mapping[str, bytes | None], read: Callable[[Sequence[str]], Iterable[Module]]
    ) -> list[str] | None:
        """The files that may define a class of the family, or give one another name.

        Args:
            texts: the bytes of each file; None where it cannot be read.
            read: reads files.

        Returns:
            Those that were read; None where it would be most of them, or nobody knows.
        """
        edges: list[tuple[str, bytes, frozenset[bytes]]] = []
        odd: set[str] = set()
        chosen: dict[str, None] = {}
        for path, data in texts.items():
            if data is None or b"sigcheck:" in data or _is_written_otherwise(data):
                chosen[path] = None
                continue
            for name, words in _headers(data):
                if words is None:
                    odd.add(path)
                else:
                    edges.append((path, name, words))
        pending = list(chosen)
        searched: set[bytes] = set()
        while True:
            while new := {name for _, name, words in edges if not words.isdisjoint(self.names)} - self.names:
                self.names |= new
            if self.is_too_large:
                return None
            defining = dict.fromkeys(path for path, name, _ in edges if name in self.names and path not in chosen)
            chosen |= defining
            pending += defining
            unknown = self.names - searched
            searched |= unknown
            if unknown:
                named = _words(unknown)
                found = [
                    path
                    for path in _mentioning(texts, unknown, chosen)
                    if path in odd or _may_bind(texts[path] or b"", named)
                ]
                chosen |= dict.fromkeys(found)
                pending += found
            if not pending:
                return list(chosen)
            if sum(len(texts[path] or b"") for path in chosen) > WORTH * sum(
                len(data or b"") for data in texts.values()
            ):
                return None
            modules = list(read(pending))
            pending = []
            self.learn(modules)


def class_statements(data: bytes) -> Iterator[int]:
    """Where a line begins with `class`; it may also begin behind a bare CR or a byte order mark."""
    for found in _CLASS.finditer(data):
        start = found.start()
        while start and data[start - 1] in _BLANK:
            start -= 1
        if not start or data[start - 1] in b"\r\n" or (start == len(BOM_UTF8) and data.startswith(BOM_UTF8)):
            yield found.start()


def _headers(data: bytes) -> Iterator[tuple[bytes, frozenset[bytes] | None]]:
    """The class statements: the name, and every word in the brackets behind it; None where nobody knows where they end."""
    for at in class_statements(data):
        header = _HEADER.match(data, at)
        if header is None:
            yield b"", None
        else:
            yield header.group(1), frozenset(_WORD.findall(header.group(2)))


def _mentioning(texts: Mapping[str, bytes | None], names: set[bytes], known: Mapping[str, None]) -> Iterator[str]:
    # One that has another in it need not be looked for.
    kept = [name for name in sorted(names) if not any(other in name for other in names if other != name)]
    pattern = re.compile(b"|".join(map(re.escape, kept)))
    parts = _parts(kept)
    for path, data in texts.items():
        if path not in known and data is not None and any(part in data for part in parts) and pattern.search(data):
            yield path


def _parts(names: Sequence[bytes]) -> list[bytes]:
    """A few texts of which each name has one in it. To look for a text is ten times as fast as to look for one of many names."""
    parts: list[bytes] = []
    left = list(names)
    while left and len(parts) < _MOST_PARTS:
        count: dict[bytes, int] = {}
        for name in left:
            for part in {name[at : at + _PART] for at in range(max(len(name) - _PART, 0) + 1)}:
                count[part] = count.get(part, 0) + 1
        parts.append(min(count, key=lambda part: (-count[part], part)))  # Capitals are rarer, and come first.
        left = [name for name in left if parts[-1] not in name]
    return [b""] if left else parts


_MOST_PARTS = 3
_PART = 6
"""Bytes of a part."""


def _words(names: set[bytes]) -> re.Pattern[bytes]:
    """What finds one of the names at the end of a word: several times as fast as what asks for its beginning too."""
    return re.compile(rb"(?:" + b"|".join(map(re.escape, sorted(names))) + rb")\b")


def _is_written_otherwise(data: bytes) -> bool:
    """A name may not look like one: by the encoding that the file says it is in, or by letters that are normalized."""
    if not (data.isascii() or is_plain_for_certain(data) or is_plain(data.decode(errors="replace"))):
        return True
    if b"coding" not in data[:400]:
        return False
    found = _CODING.match(data)
    return found is not None and _ASCII_ABOVE.fullmatch(found.group(1)) is None


# Where a name stands tells whether another name can come of it.

_OPERATORS = frozenset({b"else", b"or", b"and"})


def _may_bind(data: bytes, words: re.Pattern[bytes]) -> bool:
    """Some statement may give another name to what one of these words names: `as`, or an assignment of the name itself."""
    spans = (found.span() for found in words.finditer(data))
    return any(_may_bind_at(data, *span) for span in spans if not (span[0] and _WORD.match(data, span[0] - 1)))


def _may_bind_at(data: bytes, start: int, end: int) -> bool:
    if _AS.match(data, end):
        return True
    if _ATTRIBUTE_OR_CALL.match(data, end):
        return False  # What a call gives is unknown, and an attribute has a name of its own.
    at = _back_over_prefix(data, start)
    return at is None or _may_be_value(data, at)


def _may_be_value(data: bytes, at: int) -> bool:
    """What stands at a place may be a value that is assigned, or one of those that may be; by what stands before it."""
    before = data[at - 1 : at]
    if before == b"=":
        return data[at - 2 : at - 1] not in (b"=", b"!", b"<", b">")
    if before in (b"(", b"["):
        return _may_group(data, at - 1)
    if before == b",":
        return _may_be_item(data, at - 1)
    word = _LAST_WORD.search(data, max(at - 60, 0), at)
    # No other word of the language stands before such a value, and any other word is prose.
    return word is not None and word.group() in _OPERATORS


def _may_group(data: bytes, at: int) -> bool:
    """The bracket at a place may be around a value: it neither calls nor subscribes anything."""
    behind = _back(data, at)
    if behind is None:
        return True
    word = _LAST_WORD.search(data, max(behind - 60, 0), behind)
    if word is not None:
        return word.group() in _OPERATORS
    return data[behind - 1 : behind] not in (b")", b"]")


def _may_be_item(data: bytes, at: int) -> bool:
    """The comma at a place may stand between values that are assigned together."""
    depth = 0
    for index in range(at - 1, max(at - _MOST_BYTES_BACK, -1), -1):
        character = data[index]
        if character in b"\"'#=":
            return True
        if character in b")]}":
            depth += 1
        elif character in b"([{":
            if not depth:
                return character != ord("{") and _may_group(data, index)
            depth -= 1
        elif character == ord("t") and not depth and data[index - 5 : index + 1] == b"import":
            return False
    return True


def _back_over_prefix(data: bytes, at: int) -> int | None:
    """The place before `a.b.` in front of a name; None where it is not that."""
    while True:
        behind = _back(data, at)
        if behind is None or data[behind - 1 : behind] != b".":
            return behind
        behind = _back(data, behind - 1)
        if behind is None:
            return None
        word = _LAST_WORD.search(data, max(behind - 200, 0), behind)
        if word is None:
            return behind if data[behind - 1 : behind] not in (b")", b"]") else None
        at = word.start()


def _back(data: bytes, at: int) -> int | None:
    """The place behind what stands before, white space left out; None where a comment may stand between."""
    start = at
    while at and data[at - 1] in _SPACE:
        at -= 1
    if b"\n" in data[at:start] or b"\r" in data[at:start]:
        line = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1
        if b"#" in data[line:at]:
            return None
    return at
