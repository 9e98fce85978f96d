"""Check and repair of the copies of releases that CloudFront serves."""

from collections.abc import Iterator

from lambda_matchbox.aws.fsck.rules import Finding, Kind
from lambda_matchbox.aws.releases.copies import ReleaseCopies, is_of_a_release


def check_copies(copies: ReleaseCopies, settled: float, *, repair: bool) -> Iterator[Finding]:
    """All findings; unless it repairs, not those of sources whose pointer has moved in so many seconds."""
    found = copies.differences(0 if repair else settled)
    if repair and (found.missing or found.superfluous):
        copies.complete()
    for key, origin in found.missing.items():
        text = f"CloudFront does not find {origin!r}: its copy {key!r} is missing or that of another file"
        yield Finding(Kind.LOST_OBJECT, text, repair)
    for key in found.superfluous:
        if is_of_a_release(key):
            yield Finding(Kind.UNUSED_OBJECT, f"no kept release has the copy {key!r} for CloudFront", repair)
        else:
            yield Finding(Kind.WRONG, f"CloudFront serves {key!r}, which no current release has", repair)
    for key in found.unhidden:
        text = (
            f"CloudFront serves {key!r}, which the app does not: it lies where a source has releases; move or delete it"
        )
        yield Finding(Kind.NOTE, text)
