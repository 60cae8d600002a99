"""Mails read as a mail program reads them: what is seen, where links lead, what would be loaded."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSEEN = ("head", "style", "script", "title")
VOID = ("meta", "br", "img", "link", "input", "hr")


@dataclass
class Page(HTMLParser):
    """The elements of an HTML mail; `text` is what stands in its body, in one line."""

    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, html: str) -> "Page":
        page = cls()
        HTMLParser.__init__(page, convert_charrefs=True)
        page.feed(html)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not set(self.open) & set(UNSEEN):
            self.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        return one_spaced(" ".join(self.pieces))


def one_spaced(text: str) -> str:
    return " ".join(text.split())
