"""Queries that differ in their times only are translated once, and mean what they say."""

from azsim.kql import Translated, translate_once

EARLY, LATE = "2026-03-02T08:00:00Z", "2026-03-02T09:30:00.123456Z"


class Translator:
    """Makes of a query what the engine's translator makes of its times: strings in SQL."""

    def __init__(self, quote: str = "'") -> None:
        self.asked: list[str] = []
        self.quote = quote

    def __call__(self, text: str) -> Translated:
        self.asked.append(text)
        sql = text.replace("datetime(", self.quote).replace(")", self.quote)
        return Translated(sql, frozenset(), frozenset())


def ask(translator: Translator, *texts: str) -> list[str]:
    return [translate_once(text, translator, ValueError).sql for text in texts]


def test_another_time_is_no_other_query() -> None:
    translator = Translator()

    made = ask(translator, f"T | where a > datetime({EARLY})", f"T | where a > datetime({LATE})")

    assert made == [f"T | where a > '{EARLY}'", f"T | where a > '{LATE}'"]
    assert len(set(translator.asked)) == 1


def test_each_time_stays_in_its_place() -> None:
    text = f"T | where a > datetime({EARLY}) and b < datetime({LATE})"

    assert ask(Translator(), text) == [f"T | where a > '{EARLY}' and b < '{LATE}'"]


def test_what_stands_in_quotes_is_no_time() -> None:
    text = f'T | where a == "datetime({EARLY})"'
    translator = Translator()
    ask(translator, text)

    assert translator.asked == [text]


def test_a_time_that_the_translator_makes_something_else_of_is_translated_as_it_came() -> None:
    text = f"T | where a > datetime({EARLY})"
    translator = Translator(quote="#")

    assert ask(translator, text) == [f"T | where a > #{EARLY}#"]
    assert translator.asked[-1] == text
