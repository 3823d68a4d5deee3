"""Hooks of the documentation's site: pages made from the code, and links that lead out of docs/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPTIONAL = ("board.md", "training.md", "retrievers.zh.md")
"""Pages that may not be written yet; the navigation leaves them out until they are."""
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def on_config(config: Any) -> Any:
    """Leave pages out of the navigation that are not written yet."""
    config.nav = list(_present(config.nav, Path(config.docs_dir)))
    return config


def _present(items: list[Any], docs: Path) -> Iterator[Any]:
    for item in items:
        if isinstance(item, dict):
            ((title, value),) = item.items()
            if isinstance(value, list):
                yield {title: list(_present(value, docs))}
            elif value not in OPTIONAL or (docs / value).is_file():
                yield item
        else:
            yield item


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that the code itself tells."""
    from mkdocs.structure.files import File

    for name, text in (("commands.md", commands()), ("format.md", format_page(Path(config.docs_dir)))):
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to files outside of the site into what a reader of the site can use."""
    folder = Path(page.file.src_uri).parent

    def rewritten(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path, _, anchor = target.partition("#")
        if not path or "://" in target or target.startswith("mailto:"):
            return match[0]
        if path in ("../README.md", "../../README.md"):
            up = "../" * len(folder.parts)
            return f"[{text}]({up}index.md{'#' + anchor if anchor else ''})"
        docs = Path(config.docs_dir).resolve()
        place = (docs / folder / path).resolve()
        if not place.is_relative_to(docs) or place.suffix == ".py":
            return f"{text} (`{place.relative_to(docs.parent).as_posix()}`)"
        return text if (folder / path).as_posix() in OPTIONAL and not place.is_file() else match[0]

    return _LINK.sub(rewritten, markdown)


def commands() -> str:
    """Return the page of all commands, as the command line describes itself."""
    import typer

    from mldr.cli import app as mldr_app
    from mldr.eval.cli import app as eval_app

    parts = [
        "# Commands\n\nMade from the command line itself. Exit codes: 0 done, 1 the input is bad, 2 wrong usage, 3 stopped and can "
        "be resumed, 130 Ctrl-C.\n"
    ]
    for name, app in (("mldr", mldr_app), ("mldr-eval", eval_app)):
        parts.extend(_described(typer.main.get_command(app), name, None))
    return "\n".join(parts)


def _described(command: Any, name: str, parent: Any) -> Iterator[str]:
    import click

    context = click.Context(command, info_name=name, parent=parent, terminal_width=110, max_content_width=110)
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield f"## `{context.command_path}`\n"
        yield f"```text\n{command.get_help(context).strip()}\n```\n"
        return
    for key in subcommands:
        yield from _described(subcommands[key], key, context)


def format_page(docs: Path) -> str:
    """Return the page of the format: the tables' columns and the JSON Schemas, from the code and from docs/schemas."""
    from mldr.tables import CHOICES, KEYS, TABLES, arrow_schema

    lines = [(docs / "site" / "format.head.txt").read_text(encoding="utf-8")]
    for table in TABLES:
        lines += [
            f"## The table `{table}`\n",
            f"Sorted by `{KEYS[table]}`.\n",
            "| column | type | values |",
            "|---|---|---|",
        ]
        for field in arrow_schema(table):
            values = ", ".join(f"`{one}`" for one in CHOICES.get(f"{table}.{field.name}", ()) if one)
            lines.append(f"| `{field.name}` | `{field.type}` | {values} |")
        lines.append("")
    lines.append("## JSON Schemas\n")
    for path in sorted((docs / "schemas").glob("*.schema.json")):
        title = path.name.removesuffix(".schema.json")
        properties = json.loads(path.read_text(encoding="utf-8")).get("properties", {})
        lines.append(f"- [{title}](schemas/{path.name}): {len(properties)} fields")
    return "\n".join([*lines, ""])
