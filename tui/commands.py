"""Everything the studio can be told, in one list: keys, footer, palette and help are made of it, and so are settings.

A command's name is its binding's id and, with `action_` before it and `-` as `_`, the method that does it on the screen
or widget of its place. Its keys work in a stock macOS Terminal and over ssh: no Option, no brackets, no shift+enter.
"""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Command:
    """One thing to do.

    Attributes:
        name: for settings and code.
        place: where it is done: "anywhere", or the name of a screen or panel.
        title: for footer, palette and help: a verb.
        keys: as Textual names them, separated by commas; may be empty, for the palette alone.
        help: one sentence for a writer.
        footer: it is worth a place in the footer.
    """

    name: str
    place: str
    title: str
    keys: str
    help: str
    footer: bool = False

    @property
    def action(self) -> str:
        """What Textual calls."""
        return self.name.replace("-", "_")


PLACES = {
    "anywhere": "Anywhere",
    "page": "On the page",
    "draft": "With a draft",
    "voices": "Voices",
    "chorus": "Chorus",
    "start": "Start",
    "personas": "Personas",
    "history": "Versions",
    "find": "Find and replace",
    "context": "What the model is sent",
    "settings": "Settings",
    "export": "Export",
    "offer": "Models",
}
"""Where things are done, and how the help calls that, in its order."""

COMMANDS = (
    Command("help", "anywhere", "Help", "f1", "Show what can be done, and by which keys.", footer=True),
    Command("palette", "anywhere", "Commands", "ctrl+p", "Find any command by its name.", footer=True),
    Command("quit", "anywhere", "Quit", "ctrl+q", "Leave the studio; the text is saved."),
    Command("back", "anywhere", "Back", "escape", "Leave this screen or panel."),
    # On the page.
    Command("continue", "page", "Go on", "ctrl+g", "Have the voices go on from the cursor.", footer=True),
    Command("rewrite", "page", "Rewrite", "ctrl+r", "Have the voices write the selection anew.", footer=True),
    Command("instruct", "page", "Instruct", "ctrl+o", "Say what should happen, then go on or rewrite."),
    Command("chorus", "page", "Chorus", "f3", "See the continuation in several voices at once."),
    Command("voices", "page", "Voices", "f2,ctrl+d", "Go to the voices: who speaks, and how much.", footer=True),
    Command("save", "page", "Save", "ctrl+s", "Save the text now; it is saved by itself as well."),
    Command("find", "page", "Find", "ctrl+f", "Find text, and replace it if you want."),
    Command("undo", "page", "Undo", "ctrl+z", "Take the last step back; a draft you took is one step."),
    Command("redo", "page", "Redo", "ctrl+y", "Make the step again."),
    Command("context", "page", "What the model is sent", "f4", "Show what goes to the model, and what was cut."),
    Command("colours", "page", "Colours", "f5", "Colour the text by who wrote it, by persona, or not at all."),
    Command("history", "page", "Versions", "f8", "Show every version of the text, and go back to one."),
    Command("personas", "page", "Personas", "f9", "Show all personas and their vectors; make your own."),
    Command("settings", "page", "Settings", "f10", "Change how the studio looks and writes."),
    Command("focus-mode", "page", "Focus mode", "f12", "Show nothing but the text."),
    Command("guide", "page", "Memory and notes", "", "Write down what the model should always know."),
    Command("goal", "page", "Word goal", "", "Set how many words you want to write today."),
    Command("editor", "page", "Open in your editor", "", "Hand the text to $EDITOR, and take it back."),
    Command("export", "page", "Export", "", "Write the text out as Word, EPUB, Markdown or plain text."),
    Command("open", "page", "Open another text", "", "Go to the start screen, where your texts are."),
    Command("models", "page", "Models", "", "See which models this machine can run, and get one."),
    Command("reload", "page", "Load the model again", "", "Load the model, after it was missing or failed."),
    # With a draft.
    Command("accept", "draft", "Take it", "tab", "Put the draft into the text.", footer=True),
    Command(
        "accept-sentence", "draft", "Take a sentence", "ctrl+t", "Put its next sentence into the text.", footer=True
    ),
    Command("accept-word", "draft", "Take a word", "shift+tab", "Put its next word into the text."),
    Command(
        "stop", "draft", "Stop", "escape", "Stop the model; what it wrote stays. Once more puts it away.", footer=True
    ),
    Command("retry", "draft", "Try again", "ctrl+n", "Write another alternative; this one is kept.", footer=True),
    Command("next-draft", "draft", "Next alternative", "ctrl+l", "Show the next alternative of this draft."),
    Command("previous-draft", "draft", "Previous alternative", "", "Show the alternative before this one."),
    Command("reopen", "draft", "Bring the draft back", "", "Take up the last draft that was put away or undone."),
    # In the voices panel.
    Command("voice-more", "voices", "More", "right,plus", "Turn this dial up a little.", footer=True),
    Command(
        "voice-less",
        "voices",
        "Less",
        "left,minus",
        "Turn this dial down a little; below zero is the opposite.",
        footer=True,
    ),
    Command("voice-much-more", "voices", "Much more", "shift+right,pagedown", "Turn this dial up a lot."),
    Command("voice-much-less", "voices", "Much less", "shift+left,pageup", "Turn this dial down a lot."),
    Command(
        "voice-mute", "voices", "Mute", "m,space", "Leave this voice out for now, or let it speak again.", footer=True
    ),
    Command("voice-invert", "voices", "Opposite", "o", "Steer away from this voice."),
    Command("voice-add", "voices", "Add", "a,slash", "Search for a persona and add it.", footer=True),
    Command("voice-remove", "voices", "Remove", "delete,backspace", "Take this voice out of the blend."),
    Command(
        "voice-extract", "voices", "Make its vector", "x", "Extract and calibrate this persona for the model, here."
    ),
    Command("voice-cancel", "voices", "Cancel that", "c", "Stop making a vector; the answers so far are kept."),
    Command("blend-save", "voices", "Save the blend", "s", "Keep this blend under a name."),
    Command("blend-load", "voices", "Saved blends", "l", "Take a blend that you saved."),
    Command("blend-text", "voices", "As text", "t", "See or type the blend as --blend has it."),
    Command("blend-advanced", "voices", "Advanced", "v", "Show mode, layers and positions."),
    # In the chorus.
    Command("chorus-next", "chorus", "Next voice", "right,down,tab", "Go to the next voice."),
    Command("chorus-previous", "chorus", "Previous voice", "left,up,shift+tab", "Go to the voice before."),
    Command("chorus-take", "chorus", "Take it", "enter", "Put this voice's text into the manuscript.", footer=True),
    Command(
        "chorus-take-sentence", "chorus", "Take a sentence", "ctrl+t", "Put only its next sentence in.", footer=True
    ),
    Command("chorus-again", "chorus", "Again", "ctrl+n", "Have all of them write once more.", footer=True),
    Command("chorus-stop", "chorus", "Stop", "ctrl+x", "Stop all voices; what they wrote stays."),
    Command(
        "chorus-voices", "chorus", "Who sings", "f2,ctrl+d", "Choose the voices, and whether the unsteered model joins."
    ),
)


def at(place: str) -> tuple[Command, ...]:
    """Return the commands of a place."""
    return tuple(command for command in COMMANDS if command.place == place)


def bindings(*places: str) -> list[Binding]:
    """Return what the BINDINGS of a screen or widget are for these places."""
    return [
        Binding(command.keys, command.action, command.title, show=command.footer, id=command.name, tooltip=command.help)
        for place in places
        for command in at(place)
        if command.keys
    ]
