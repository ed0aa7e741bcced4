"""The page of all figures: nothing is missing, no link is broken, and nothing needs a server."""

import json
import os
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from figures import FIGURES, files
from figures.gallery_page import PAGE, gallery_page, write_gallery_page
from theory import claims

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """What a browser would see: balanced tags, links, pictures, places and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.alts, self.ids, self.text = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [attrs[key] for key in ("href", "src") if key in attrs]
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag == "img":
            self.alts.append(attrs["alt"])
            width, height = (int(attrs[key] or 0) for key in ("width", "height"))
            assert 0 < height < 2 * width
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def folder(tmp_path):
    """A folder as if all figures had been drawn: recorded pictures and numbers, their stories."""
    for name, figure in FIGURES.items():
        recorded = sorted(files.recorded_folder().glob(f"{name}-*.csv"))
        panels = {path.stem.removeprefix(f"{name}-"): {} for path in recorded}
        for path in [*recorded, files.recorded_folder() / f"{name}.png"]:
            shutil.copy(path, tmp_path)
        (tmp_path / f"{name}.pdf").write_bytes(b"%PDF")
        (tmp_path / f"{name}.json").write_text(files.provenance(figure, panels), encoding="utf-8")
    return tmp_path


def test_every_figure_is_there_with_all_that_belongs_to_it(folder):
    text = write_gallery_page(folder).read_text(encoding="utf-8")
    page = Page(text)
    said = " ".join("".join(page.text).split())
    assert page.ids == [name.replace("_", "-") for name in FIGURES]
    for figure, alt in zip(FIGURES.values(), page.alts, strict=True):
        assert figure.title in alt
        assert alt.endswith(".")
        for part in (figure.title, figure.caption, figure.source, *figure.parameters):
            assert part in said
        for key in figure.claims:
            assert f"{key}: {claims.registry[key].title} ({claims.registry[key].verdict})" in said
    for path in folder.iterdir():
        assert path.name == PAGE or path.name in page.links


def test_every_link_is_relative_and_leads_somewhere(folder):
    page = Page(gallery_page(folder))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert urlsplit(link)[:2] == ("", "")
            assert (folder / unquote(link)).is_file()
            assert not link.startswith("/")


def test_it_needs_nothing_else_and_suits_phones_dark_rooms_and_paper(folder):
    text = gallery_page(folder)
    assert not {"script", "link", "iframe"} & set(Page(text).tags)
    assert "@import" not in text
    assert "url(" not in text
    for wanted in ("width=device-width", "prefers-color-scheme: dark", "@media print", 'lang="en"'):
        assert wanted in text


def test_the_same_files_give_the_same_bytes(folder):
    first = write_gallery_page(folder).read_bytes()
    assert write_gallery_page(folder).read_bytes() == first
    assert not list(folder.glob("*.part"))


def test_what_is_not_there_is_not_shown(folder):
    names = list(FIGURES)
    (folder / f"{names[0]}.png").unlink()
    (folder / f"{names[1]}.json").unlink()
    next(folder.glob(f"{names[2]}-*.csv")).unlink()
    page = Page(gallery_page(folder))
    assert page.ids == [name.replace("_", "-") for name in names[3:]]
    assert f"{len(names) - 3} figures" in page.text


def test_an_empty_folder_gives_an_empty_page(tmp_path):
    assert "0 figures" in Page(gallery_page(tmp_path)).text


def test_what_a_figure_says_of_itself_is_text_and_no_html(folder):
    name = next(iter(FIGURES))
    path = folder / f"{name}.json"
    story = json.loads(path.read_text(encoding="utf-8"))
    nasty = "</p><script>alert('&amp;')</script>\" onload=\"x"
    for key in ("title", "caption", "source"):
        story[key] = nasty
    story["claims"], story["parameters"] = [nasty], {nasty: nasty}
    path.write_text(json.dumps(story), encoding="utf-8")
    page = Page(gallery_page(folder))
    assert "script" not in page.tags
    assert page.alts[0].startswith(f"Plot: {nasty}.")
    assert "".join(page.text).count(nasty) == 7  # in the list, too


def test_a_page_that_cannot_be_written_leaves_the_old_one(folder, monkeypatch):
    before = write_gallery_page(folder).read_bytes()
    (folder / f"{next(iter(FIGURES))}.png").unlink()

    def fails(*_):
        raise OSError("no room")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no room"):
        write_gallery_page(folder)
    assert (folder / PAGE).read_bytes() == before
