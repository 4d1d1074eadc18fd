"""What a paragraph is, in words for the screens that ask for it."""

from billy_mlx.formats.documents.paragraphs import Paragraphs

PARAGRAPHS = {
    "blank lines separate them": Paragraphs.BLANK,
    "each line is one": Paragraphs.LINE,
    "indents begin them": Paragraphs.INDENT,
    "lines are broken by hand": Paragraphs.WRAPPED,
}
