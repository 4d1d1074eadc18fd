"""A text with changes made, as a test expects it."""


def made(text, hunks):
    """Return `text` with all of `hunks`, which do not overlap, from the last to the first."""
    for hunk in sorted(hunks, key=lambda hunk: (hunk.start, hunk.end), reverse=True):
        text = text[: hunk.start] + hunk.text + text[hunk.end :]
    return text
