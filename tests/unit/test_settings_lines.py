import tomllib

from vmbackup_core.settings.lines import find_lines

NASTY = '''\
title = "a # b"  # c [not.a.table]
[server]
"odd . name" = 'x = 1'
a.b."c d" = { x = [1, 2, { y = "}" }], 'z' = 3 }
text = """
[no.table]
key = "no key" \\"""
""""
literal = \'\'\'
no = 1\'\'\'\'
list = [
  "one", # two
  # [three]
  [4,
   5],
]
when = 1979-05-27 07:32:00
[[ fruit ]]
name = "apple"
[fruit.skin]
red = true
[[fruit.kinds]]
kind = 1
[[fruit]]
name = "plum"
[[fruit.kinds]]
kind = 2
[[fruit.kinds]]
kind = 3
'''


def paths_of(value, path=()):
    yield path
    inner = enumerate(value) if isinstance(value, list) else ()
    for name, one in value.items() if isinstance(value, dict) else inner:
        yield from paths_of(one, (*path, name))


def test_every_key_and_element_of_a_document_has_its_line():
    assert set(find_lines(NASTY)) == set(paths_of(tomllib.loads(NASTY))) - {()}


def test_lines_are_found_through_strings_comments_and_tables_of_all_kinds():
    lines = find_lines(NASTY)

    assert lines["server", "odd . name"] == 3
    assert lines["server", "a", "b", "c d", "x", 2, "y"] == 4
    assert lines["server", "literal"] == 9
    assert lines["server", "list", 1, 1] == 15
    assert lines["server", "when"] == 17
    assert lines["fruit", 0, "skin", "red"] == 21
    assert lines["fruit", 0, "kinds", 0, "kind"] == 23
    assert lines["fruit", 1] == 24
    assert lines["fruit", 1, "kinds", 1, "kind"] == 29
