"""The links and headings of a Markdown file, as far as we use them: inline and reference links, # headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
INLINE = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """`target` as written: `concepts.md#verdicts`."""

    line: int
    target: str


def prose(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of what is no code: lines outside fences, without their `code spans`."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if found and (fence is None or found[1].startswith(fence)):
            fence = found[1] if fence is None else None
        elif fence is None:
            yield number, re.sub(r"(`+).+?\1", "", line)


def links(text: str) -> Iterator[Link]:
    for number, line in prose(text):
        for pattern in (INLINE, REFERENCE):
            for target in pattern.findall(line):
                yield Link(number, target)


def anchors(text: str) -> set[str]:
    """What `#...` may name: headings in lower case, hyphens for blanks, without punctuation; a second one has `-1`."""
    found: list[str] = []
    fenced = {number for number, _line in prose(text)}
    for number, line in enumerate(text.splitlines(), 1):
        if number in fenced and (heading := HEADING.match(line)):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            found.append(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return {
        slug if not (before := found[:place].count(slug)) else f"{slug}-{before}" for place, slug in enumerate(found)
    }


def broken(file: Path, root: Path) -> Iterator[str]:
    """A line for each link of a file that leads nowhere below `root`. Addresses in the world are left alone."""
    text = file.read_text(encoding="utf-8")
    for link in links(text):
        if ADDRESS.match(link.target):
            continue
        path, _, anchor = link.target.partition("#")
        target = (file.parent / path).resolve() if path else file
        place = f"{file.relative_to(root)}:{link.line}: {link.target}"
        if not target.exists() or not target.is_relative_to(root):
            yield f"{place}: no such file in the project"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{place}: no such heading"
