"""
Where in a TOML document each key and value stands, for messages; the standard parser does not tell.

Only for text that `tomllib` has read without complaint: being valid is not checked again here.
"""

import tomllib

Path = tuple[str | int, ...]


def find_lines(text: str) -> dict[Path, int]:
    """
    Return the line (from 1) of every table, key and array element in the valid TOML `text`.

    Paths are those of the parsed document: names for keys, numbers (from 0) for elements of arrays
    and of arrays of tables. Where a table is opened more than once, its first line counts.
    """
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {}
        self.tables_in: dict[Path, int] = {}  # Array of tables -> how many so far.

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self.skip_to_content():
            table = self.header() if self.peek() == "[" else self.assignment(table)
        return self.lines

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]` and return the path of the table that it opens."""
        line, many = self.line, self.text.startswith("[[", self.at)
        self.advance(2 if many else 1)
        path = self.resolve(self.key())
        self.advance(2 if many else 1)
        if many:
            number = self.tables_in.get(path, 0)
            self.tables_in[path] = number + 1
            path = (*path, number)
        for end in range(1, len(path) + 1):
            self.note(path[:end], line)
        return path

    def resolve(self, names: Path) -> Path:
        """Turn a header's names into a path: through an array of tables, its last element."""
        path: Path = ()
        for place, name in enumerate(names, start=1):
            path = (*path, name)
            if path in self.tables_in and place < len(names):
                path = (*path, self.tables_in[path] - 1)
        return path

    def assignment(self, table: Path) -> Path:
        """Read `key = value` inside `table`; return the table, in which the next one stands too."""
        self.entry(table)
        return table

    def entry(self, table: Path) -> None:
        line = self.line
        path = (*table, *self.key())
        for end in range(len(table) + 1, len(path) + 1):
            self.note(path[:end], line)
        self.advance(1)  # The equals sign.
        self.skip_blanks()
        self.value(path)

    def key(self) -> Path:
        """Read a key with its dots, up to the sign that ends it."""
        names: list[str | int] = []
        while True:
            self.skip_blanks()
            names.append(self.name())
            self.skip_blanks()
            if self.peek() != ".":
                return tuple(names)
            self.advance(1)

    def name(self) -> str:
        begin = self.at
        if self.peek() in "\"'":
            self.string()
            quoted = self.text[begin : self.at]
            return str(tomllib.loads(f"name = {quoted}")["name"])
        while self.peek() and self.peek() not in " \t.=]":
            self.advance(1)
        return self.text[begin : self.at]

    def value(self, path: Path) -> None:
        match self.peek():
            case '"' | "'":
                self.string()
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case _:
                while self.peek() and self.peek() not in ",]}#\r\n":
                    self.advance(1)

    def array(self, path: Path) -> None:
        self.advance(1)
        number = 0
        while self.skip_to_content() and self.peek() != "]":
            if self.peek() == ",":
                self.advance(1)
                continue
            self.note((*path, number), self.line)
            self.value((*path, number))
            number += 1
        self.advance(1)

    def inline_table(self, path: Path) -> None:
        self.advance(1)
        while self.skip_to_content() and self.peek() != "}":
            if self.peek() == ",":
                self.advance(1)
                continue
            self.entry(path)
        self.advance(1)

    def string(self) -> None:
        """Pass over a string of any of the four kinds."""
        quote = self.peek()
        ends = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.advance(len(ends))
        while not self.text.startswith(ends, self.at):
            self.advance(2 if quote == '"' and self.peek() == "\\" else 1)
        self.advance(len(ends))
        while len(ends) == 3 and self.peek() == quote:  # One or two quotes may end the text itself.
            self.advance(1)

    def skip_to_content(self) -> bool:
        """Pass over blanks, line ends and comments; tell whether anything is left."""
        while self.peek():
            if self.peek() in " \t\r\n":
                self.advance(1)
            elif self.peek() == "#":
                while self.peek() and self.peek() != "\n":
                    self.advance(1)
            else:
                return True
        return False

    def skip_blanks(self) -> None:
        while self.peek() and self.peek() in " \t":
            self.advance(1)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def advance(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def note(self, path: Path, line: int) -> None:
        self.lines.setdefault(path, line)
