"""What became of a push, in words and for machines."""

from __future__ import annotations

from typing import Any

from mldr.hub.pushing import Pushed


def as_text(done: Pushed) -> str:
    """Return a line a file that goes, the sums, and where it all is."""
    changes = done.difference
    verb = "sent" if done.commit else "to send"
    lines = [f"{'send':<8}{one.size:>14,}  {one.path}" for one in changes.changed]
    lines += [f"{'remove':<8}{'':>14}  {path}" for path in changes.gone]
    lines.append(f"{len(changes.changed):,} files {verb}; {len(changes.same):,} are there already")
    lines.append(f"{changes.size:,} bytes")
    version = f", version {done.tag}" if done.tag else ""
    if done.commit:
        lines.append(f"{done.page} at {done.commit}{version}")
    else:
        lines.append(f"dry run: nothing was sent to {done.page}{version}")
    return "\n".join(lines)


def as_json(done: Pushed) -> dict[str, Any]:
    """Return the same for machines."""
    changes = done.difference
    return {
        "page": done.page,
        "commit": done.commit,
        "tag": done.tag,
        "created": done.created,
        "sent": [{"path": one.path, "size": one.size, "sha256": one.sha256} for one in changes.changed],
        "unchanged": [one.path for one in changes.same],
        "removed": list(changes.gone),
        "notes": list(done.notes),
    }
