# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Checks the plain English of docstrings and pages; `python -m tests.english` lists the findings.

A docstring begins with a subject or a verb, and a public function names the errors that it raises.
A page has no long lines, and no cell of its tables is a paragraph.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import imports

ROOT = Path(__file__).resolve().parents[1]
CODE = ("harness", "host_server", "tests")
LONGEST_LINE = LONGEST_CELL = 160
SENTENCES_A_CELL = 2

# A docstring that begins so says only in its middle what it is about; a question may.
_WORDS = """
it its they them their this that these those he she his we our you your one's both none of there
what whatever who whoever whom whose which whichever whether how however
where wherever when whenever while why as so
"""
PRONOUNS = frozenset(_WORDS.split())

_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True)
class Finding:
    """One sentence to mend, and where it stands."""

    path: Path
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.problem}"


class Errors:
    """The error classes of a package, and who promises to raise them."""

    def __init__(self, trees: list[ast.Module]) -> None:
        self._classes: dict[str, ast.ClassDef] = {}
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    self._classes.setdefault(node.name, node)

    def is_ours(self, name: str) -> bool:
        """Tell whether a class is an error that the package itself defines."""
        bases = self._bases(name)
        return name in self._classes and any(
            base.endswith(("Error", "Exception")) for base in bases
        )

    def promised(self, function: _DEFINITION, owner: ast.ClassDef | None) -> str:
        """Return all docstrings that speak for a function: its own, its class's and the bases'."""
        said = [ast.get_docstring(function) or ""]
        for name in (owner.name, *self._bases(owner.name)) if owner else ():
            node = owner if owner and name == owner.name else self._classes.get(name)
            for part in (node, *node.body) if node else ():
                if part is node or (isinstance(part, _DEFINITION) and part.name == function.name):
                    said.append(ast.get_docstring(part) or "")
        return "\n".join(said)

    def _bases(self, name: str) -> list[str]:
        node = self._classes.get(name)
        direct = [ast.unparse(base).rpartition(".")[2] for base in node.bases] if node else []
        return direct + [far for near in direct if near != name for far in self._bases(near)]


def first_word(docstring: str) -> str:
    """Return the word that a docstring begins with, in small letters."""
    found = re.match(r"[A-Za-z']+", docstring)
    return found[0].lower() if found else ""


def is_question(docstring: str) -> bool:
    """Tell whether the first sentence asks, e.g. "What does reading a report promise?"."""
    return re.match(r"[^.?!]*\?", docstring) is not None


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each docstring of a file, public or private, with the line of what it describes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | _DEFINITION):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def functions(
    node: ast.AST, owner: ast.ClassDef | None = None
) -> Iterator[tuple[_DEFINITION, ast.ClassDef | None]]:
    """Yield the public functions and methods below a module or class, each with its class."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITION):
            if not child.name.startswith("_") or child.name == "__init__":
                yield child, owner
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from functions(child, child)


def raised(function: _DEFINITION) -> set[str]:
    """Return the names of the classes that the function's own body raises."""
    names = set()
    open_nodes: list[ast.AST] = list(function.body)
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.Raise) and node.exc:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            names.add(ast.unparse(called).rpartition(".")[2])
        if not isinstance(node, _SCOPE):
            open_nodes.extend(ast.iter_child_nodes(node))
    return names


def in_docstrings(path: Path) -> Iterator[Finding]:
    """Yield the docstrings of a file that begin with a pronoun or a relative word."""
    for line, text in docstrings(ast.parse(path.read_text())):
        if first_word(text) in PRONOUNS and not is_question(text):
            start = text.partition("\n")[0]
            yield Finding(path, line, f'the docstring begins with a pronoun: "{start}"')


def in_promises(folder: Path) -> Iterator[Finding]:
    """Yield the errors of a package that its public functions raise and do not name."""
    # The shims are modules of MicroPython: they keep its words, and have no docstrings.
    files = [path for path in imports.files(folder) if "shims" not in path.parts]
    trees = {path: ast.parse(path.read_text()) for path in files}
    errors = Errors(list(trees.values()))
    for path, tree in trees.items():
        for function, owner in functions(tree):
            promised = errors.promised(function, owner)
            for name in sorted(raised(function)):
                if errors.is_ours(name) and name not in promised:
                    problem = f"{function.name}() raises {name}, and its docstring does not say so"
                    yield Finding(path, function.lineno, problem)


def pages() -> list[Path]:
    """Return the pages that people read: docs/ and every README."""
    readmes = [
        ROOT / "README.md",
        *ROOT.glob("*/README.md"),
        *ROOT.glob("harness/examples/*/*.md"),
    ]
    return sorted([*ROOT.glob("docs/*.md"), *readmes])


def in_page(path: Path) -> Iterator[Finding]:
    """Yield the long lines of a page, and the cells of its tables that are paragraphs."""
    is_code = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif is_code:
            continue
        elif line.startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                problem = in_cell(cell.strip())
                if problem:
                    yield Finding(path, number, f'{problem}: "{cell.strip()[:40]}…"')
        elif len(line) > LONGEST_LINE:
            yield Finding(path, number, f"a line of {len(line)} characters")


def in_cell(cell: str) -> str:
    """Return what is wrong with a cell of a table, where a link's address does not count."""
    text = re.sub(r"\]\([^)]*\)", "]", cell)
    if len(text) > LONGEST_CELL:
        return f"a cell of {len(text)} characters"
    sentences = len(re.findall(r"[.?!:;](?= [A-Z`])|[.?!]$", text))
    return f"a cell of {sentences} sentences" if sentences > SENTENCES_A_CELL else ""


def findings() -> list[Finding]:
    """Return everything that is to be mended, in the order of files and lines."""
    found = [
        f for folder in CODE for path in imports.files(ROOT / folder) for f in in_docstrings(path)
    ]
    found += [f for name in ("harness", "host_server") for f in in_promises(ROOT / name)]
    found += [f for page in pages() for f in in_page(page)]
    return sorted(found, key=lambda f: (f.path, f.line, f.problem))


def main() -> int:
    """List what is to be mended; 1 if there is anything."""
    found = findings()
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
