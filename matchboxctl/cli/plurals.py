"""Counts in messages."""


def counted(count: int, one: str) -> str:
    """`1 group` or `2 groups`."""
    return f"{count} {one}{'' if count == 1 else 's'}"
