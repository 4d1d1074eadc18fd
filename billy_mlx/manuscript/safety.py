"""How safe a manuscript is: what a status line says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Safety:
    """Where the text is, besides memory.

    Attributes:
        unsaved: the file does not have the text as it is now.
        at_risk: some of it is in memory only: neither in the file nor in the journal.
        problems: a sentence each for what goes wrong: file, journal, history.
        conflict: another program has changed, moved or made the file.
        named: there is a file to save to.
    """

    unsaved: bool
    at_risk: bool
    problems: tuple[str, ...] = ()
    conflict: bool = False
    named: bool = True

    def __str__(self) -> str:
        state = "NOT SAVED" if self.at_risk or self.conflict or (self.unsaved and self.problems) else ""
        return state or ("no name yet" if not self.named else "unsaved" if self.unsaved else "saved")

    def farewell(self, why: str) -> str | None:
        """Return what is to be said when the text is let go of like this, beginning with `why`; None if it is saved."""
        if not self.unsaved or (not self.named and not self.at_risk):  # the start screen offers it
            return None
        lost = "it could not be kept anywhere else either, so what was typed last is lost"
        return f"{why}; {lost if self.at_risk else 'the text is kept, and is offered when you open it the next time'}"
