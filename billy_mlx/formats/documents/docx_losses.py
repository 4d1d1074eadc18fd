"""What of a Word document does not come in as it was: counted while it is read, and said in a sentence each."""

from enum import StrEnum


class Loss(StrEnum):
    """A sentence for what is left out or becomes something else."""

    DELETED = "text that is marked as deleted was left out ({letters}); what is marked as inserted was kept"
    HIDDEN = "hidden text was left out ({letters})"
    FOOTNOTES = "footnotes were left out: {count} ({letters})"
    ENDNOTES = "endnotes were left out: {count} ({letters})"
    COMMENTS = "comments were left out: {count} ({letters})"
    HEADERS = "headers and footers were left out ({letters})"
    BOXES = "pictures and text boxes were left out: {count} ({letters})"
    READINGS = "readings above words (furigana) were left out: {count} ({letters})"
    EMBEDDED = (
        "parts of this document are embedded files that were not read: {count}; open it in Word, copy all into a new "
        "document and import that"
    )
    VERSIONS = "a second version of a passage, for other programs, was left out ({letters})"
    UNKNOWN = "text in a place that is not known here was left out ({letters}); compare the result with the document"
    SYMBOLS = "signs of fonts such as Webdings were left out: {count}"
    HYPHENS = "hyphens that show only at the end of a line were left out: {count}"
    NUMBERS = "numbers that Word sets before headings were left out: {count}"
    EMPTY = "empty lines between paragraphs were left out: {count}; some may be breaks between scenes"
    TABLES = "tables became lines of text"
    FORMULAS = "formulas became plain letters ({letters}); compare them with the document"
    UNDERLINED = "underlining became italics ({letters})"
    STRUCK = "striking through was left out; the words were kept ({letters})"


class Losses:
    """How much there was of each loss.

    Attributes:
        total: how often there was any.
    """

    def __init__(self) -> None:
        self.total = 0
        self._of: dict[Loss, tuple[int, int]] = {}

    def add(self, loss: Loss, letters: int = 0, count: int = 1) -> None:
        """Count a loss once more, or `count` times."""
        counted, held = self._of.get(loss, (0, 0))
        self.total += count
        self._of[loss] = (counted + count, held + letters)

    def count(self, loss: Loss) -> int:
        """Return how often there was a loss."""
        return self._of.get(loss, (0, 0))[0]

    def notes(self) -> tuple[str, ...]:
        """Return the sentences, in the order in which the losses first came."""
        return tuple(
            loss.value.format(count=f"{count:,}", letters=_amount(letters))
            for loss, (count, letters) in self._of.items()
        )


def _amount(letters: int) -> str:
    return "no letters" if letters == 0 else "1 letter" if letters == 1 else f"{letters:,} letters"
