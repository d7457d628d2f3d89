"""The files that pages are made of: every string is there and used, every script and style is found, none is inline."""

import re
from pathlib import Path

import jinja2
import pytest

import bot.review
from bot.review.assets import Assets
from bot.review.strings import Strings

ROOT = Path(bot.review.__file__).parent
TEMPLATES = {path.name: path.read_text() for path in (ROOT / "templates").glob("*.html")}
STATIC = ROOT / "static"
MODULES = {str(path.relative_to(STATIC)): path.read_text() for path in STATIC.rglob("*.js")}
CODE = "\n".join([*TEMPLATES.values(), *(path.read_text() for path in ROOT.rglob("*.py"))])
STRINGS = Strings.load("en")

_LITERAL = re.compile(r"""\b(?:t|strings|strings\.count|t\.count|site\.strings)\(\s*f?["']([\w.{}]+)["'](\s*~)?""")


def named() -> set[str]:
    """Every name of a string in templates and code; where it is put together, its beginning up to the last dot."""
    names = set()
    for name, is_begun in _LITERAL.findall(CODE):
        names.add(name.partition("{")[0] if is_begun or "{" in name else name)
    return names


def test_every_string_that_is_named_is_written():
    written = STRINGS.names()
    missing = {name for name in named() if not any(f"{each}.".startswith(f"{name.rstrip('.')}.") for each in written)}
    assert missing == set()


def test_every_string_that_is_written_is_used():
    used = set(re.findall(r"\w+", CODE + "".join(MODULES.values())))
    families = {name.rstrip(".") for name in named()} | set(re.findall(r"[\"']([\w.]+)\.(?:[\"']|\{)", CODE))
    unused = {
        name
        for name in STRINGS.names()
        if not {name.rpartition(".")[2], name.split(".")[-2]} & used and name.rpartition(".")[0] not in families
    }
    assert unused == set()


def test_no_string_holds_markup():
    assert [name for name in STRINGS.names() if re.search(r"<\w|&\w+;", STRINGS.find(name, ""))] == []


def test_a_string_that_nobody_wrote_is_noticed():
    with pytest.raises(LookupError, match=r"no string is named 'nowhere\.title'"):
        STRINGS("nowhere.title")


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_holds_no_script_no_style_and_nothing_unescaped(name):
    text = TEMPLATES[name]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", text)
    assert not re.search(r"\|\s*safe|autoescape false", text)
    jinja2.Environment(autoescape=True).parse(text)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_finds_what_it_imports_and_writes_no_markup(name):
    text = MODULES[name]
    for wanted in re.findall(r"""from "(\.[\w./-]+)";""", text):
        assert (STATIC / name).parent.joinpath(wanted).is_file(), wanted
    if "vendor" not in name:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)


def test_assets_have_one_address_together_which_changes_with_any_of_them():
    one, other = Assets({"a.css": b"a", "b.js": b"b"}), Assets({"a.css": b"a", "b.js": b"c"})
    assert one.url("a.css") == f"/static/{one.version}/a.css"
    assert one.version != other.version == Assets({"b.js": b"c", "a.css": b"a"}).version
    with pytest.raises(LookupError, match=r"there is no bot/review/static/c\.css"):
        one.url("c.css")


def test_what_gzip_does_not_shorten_is_sent_as_it_is():
    assets = Assets({"a.css": b"a" * 1000, "b.png": bytes(1000), "c.js": b"c"})
    found = {name: assets.find(name) for name in assets.names()}
    assert {name: asset is not None and asset.gzipped is not None for name, asset in found.items()} == {
        "a.css": True,
        "b.png": False,
        "c.js": False,
    }


def test_the_frame_of_a_page_weighs_little():
    assets = Assets.load()
    frame = ["offhook.css", "offhook.js", "favicon.svg", *(f"{name}.js" for name in
             ("times", "dialogs", "toasts", "menus", "themes", "copying"))]  # fmt: skip
    weight = sum(len(asset.gzipped or asset.body) for name in frame if (asset := assets.find(name)) is not None)
    assert weight < 20_000
