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
    "rewrite": "With a rewrite",
    "draft": "With a draft",
    "voices": "Voices",
    "saved-blends": "Saved blends",
    "chorus": "Chorus",
    "chorus-voices": "Who sings",
    "start": "Start",
    "recover": "After a crash",
    "conflict": "Changed by another program",
    "personas": "Personas",
    "new-persona": "New persona",
    "history": "Versions",
    "branches": "Branches",
    "find": "Find and replace",
    "context": "What the model is sent",
    "guide": "Memory and notes",
    "settings": "Settings",
    "export": "Export",
    "offer": "Models",
    "beside": "A rewrite beside your words",
}
"""Where things are done, and how the help calls that, in its order."""

COMMANDS = (
    Command("help", "anywhere", "Help", "f1", "Show what can be done, and by which keys.", footer=True),
    Command("command-palette", "anywhere", "Commands", "ctrl+p", "Find any command by its name.", footer=True),
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
    Command("select-all", "page", "Select all", "f7", "Select the whole text."),
    Command("context", "page", "What the model is sent", "f4", "Show what goes to the model, and what was cut."),
    Command("colours", "page", "Colours", "f5", "Colour the text by who wrote it, by persona, or not at all."),
    Command("history", "page", "Versions", "f8", "Show every version of the text, and go back to one."),
    Command("personas", "page", "Personas", "f9", "Show all personas and their vectors; make your own."),
    Command("settings", "page", "Settings", "f10", "Change how the studio looks and writes."),
    Command("focus-mode", "page", "Focus mode", "f12", "Show nothing but the text."),
    Command("guide", "page", "Memory and notes", "", "Write down what the model should always know."),
    Command("who", "page", "Who wrote this", "", "Say who wrote the passage at the cursor, when, and in which blend."),
    Command("legend", "page", "Who wrote what", "", "Show which sign at the left edge stands for whom."),
    Command("goal", "page", "Word goal", "", "Set how many words you want to write in this text today."),
    Command("editor", "page", "Open in your editor", "", "Hand the text to $EDITOR, and take it back."),
    Command("export", "page", "Export", "", "Write the text out as Word, EPUB, Markdown or plain text."),
    Command("open", "page", "Open another text", "", "Go to the start screen, where your texts are."),
    Command("models", "page", "Models", "", "See which models this machine can run, and get one."),
    Command("reload", "page", "Load the model again", "", "Load the model, after it was missing or failed."),
    # With a rewrite, which is a draft as well; its keys come first.
    Command("change-take-all", "rewrite", "Take all", "tab", "Make all changes but those you skipped.", footer=True),
    Command("change-take", "rewrite", "Take", "ctrl+t", "Make the change that stands out.", footer=True),
    Command(
        "change-skip",
        "rewrite",
        "Skip",
        "shift+tab",
        "Leave your words there; you can come back to it until the rewrite is decided.",
        footer=True,
    ),
    Command("change-next", "rewrite", "Next", "f6", "Go to the next change, also to one you skipped.", footer=True),
    Command("change-previous", "rewrite", "Previous", "ctrl+b", "Go to the change before.", footer=True),
    Command("rewrite-away", "rewrite", "Put away", "escape", "Leave your words where you took no change.", footer=True),
    # With a draft.
    Command("accept", "draft", "Take it", "tab", "Put the draft into the text.", footer=True),
    Command(
        "accept-sentence", "draft", "Take a sentence", "ctrl+t", "Put its next sentence into the text.", footer=True
    ),
    Command("accept-word", "draft", "Take a word", "shift+tab", "Put its next word into the text."),
    Command(
        "stop", "draft", "Stop", "escape", "Stop the model; what it wrote stays. Or put the draft away.", footer=True
    ),
    Command("retry", "draft", "Try again", "ctrl+n", "Write another alternative; this one is kept.", footer=True),
    Command("next-draft", "draft", "Next alternative", "ctrl+l", "Show the next alternative of this draft."),
    Command("previous-draft", "draft", "Previous alternative", "", "Show the alternative before this one."),
    Command("beside", "draft", "Side by side", "f6", "See a rewrite beside what you had.", footer=True),
    Command("reopen", "draft", "Bring the draft back", "", "Take up the last draft that was put away or undone."),
    Command("uncut", "draft", "Bring back what was cut", "", "Show the last words too, which end no sentence."),
    Command("next-waiting", "page", "Next draft", "", "Go to the next draft that waits in the text; ┊… marks it."),
    # In the voices panel.
    Command("voice-previous", "voices", "Dial above", "up", "Go to the dial above."),
    Command("voice-next", "voices", "Dial below", "down", "Go to the dial below; the first one is for all together."),
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
    Command("voice-set", "voices", "Type a number", "enter", "Type this dial's number; 0 to 9 set it in tenths."),
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
    # On the screens around the page.
    Command("setting-next", "settings", "Next choice", "right", "Take the next choice of this setting."),
    Command("setting-previous", "settings", "Choice before", "left", "Take the choice before of this setting."),
    Command(
        "setting-reset",
        "settings",
        "As it came",
        "delete,backspace",
        "Have this setting, or these keys, as they came.",
        footer=True,
    ),
    Command("history-checkpoint", "history", "Name it", "k", "Give the version that is chosen a name.", footer=True),
    Command(
        "history-branch", "history", "Branch here", "b", "Begin a branch at the version that is chosen.", footer=True
    ),
    Command("history-switch", "history", "Branches", "s", "Go on with another branch, or rename one.", footer=True),
    Command("history-all", "history", "All or few", "a", "Show every version, or the turning points.", footer=True),
    Command("branch-rename", "branches", "Rename", "r", "Give this branch another name."),
    Command("find-next", "find", "Next", "down", "Go to the next place.", footer=True),
    Command("find-previous", "find", "Previous", "up", "Go to the place before."),
    Command("find-field", "find", "Other line", "tab,shift+tab", "Go to the other line, to find or to replace by."),
    Command("find-replace", "find", "Replace", "ctrl+r", "Replace this place, and go to the next.", footer=True),
    Command("find-replace-all", "find", "Replace all", "ctrl+t", "Replace every place, as one step.", footer=True),
    Command("find-case", "find", "Capitals", "f5", "Tell capitals from small letters, or do not."),
    Command("find-words", "find", "Words", "f6", "Find whole words only, or parts of words too."),
    Command("find-pattern", "find", "Pattern", "f7", "Look for a pattern, or for what stands there."),
    Command("find-keep", "find", "Keep capitals", "f8", "Write “Away” for “Out” and “AWAY” for “OUT”, or do not."),
    Command(
        "context-raw", "context", "As sent", "r", "Show the text as it is sent, or the account of it.", footer=True
    ),
    Command("guide-keep", "guide", "Keep", "ctrl+s", "Keep what you changed, and go back.", footer=True),
    Command("guide-import", "guide", "Import", "ctrl+o", "Take the entries of a lorebook file in.", footer=True),
    Command("export-write", "export", "Export", "ctrl+s", "Write the file.", footer=True),
    # Among the personas.
    Command("persona-add", "personas", "Add it", "enter", "Have this persona speak too.", footer=True),
    Command("persona-new", "personas", "New persona", "n", "Write a persona of your own, by a form.", footer=True),
    Command("persona-learn", "personas", "Own voice", "w", "Make a voice of a text that you wrote.", footer=True),
    Command(
        "persona-extract", "personas", "Make its vector", "x", "Extract and calibrate this persona, here.", footer=True
    ),
    Command("persona-cancel", "personas", "Cancel that", "c", "Stop making a vector; the answers so far are kept."),
    Command("persona-find", "personas", "Find a persona", "slash", "Search for a persona."),
    Command("persona-save", "new-persona", "Save the card", "ctrl+s", "Write the card of this persona.", footer=True),
    Command("blend-forget", "saved-blends", "Forget it", "delete,backspace", "Keep this saved blend no longer."),
    # On the start screen.
    Command("start-new", "start", "New text", "n", "Begin a text that is not there yet.", footer=True),
    Command("start-open", "start", "Open", "o", "Open a text by its path.", footer=True),
    Command("start-import", "start", "Import", "i", "Make a text of a Word document.", footer=True),
    Command("start-models", "start", "Models", "m", "See which models this machine can run, and get one.", footer=True),
    # After a crash, and after another program.
    # Without keys: these questions open by themselves, and a key that is typed must not answer them.
    Command("recover-take", "recover", "Recover", "", "Take the text that never reached its file."),
    Command("recover-decline", "recover", "Stay with the file", "", "Keep the file's text; the other stays a version."),
    Command("conflict-both", "conflict", "Keep both", "", "Put the other program's changes into your text."),
    Command("conflict-mine", "conflict", "Keep mine", "", "Save your text over the other program's."),
    Command("conflict-theirs", "conflict", "Take theirs", "", "Have the text be the other program's."),
    Command("conflict-copy", "conflict", "Save a copy", "", "Save your text beside it under a new name."),
    # A rewrite beside what it is of.
    Command("beside-take", "beside", "Take all", "tab", "Put the rewrite in the place of your words.", footer=True),
    Command("beside-away", "beside", "Put away", "delete,backspace", "Keep your words as they are.", footer=True),
    Command("beside-next", "beside", "Next alternative", "ctrl+l,right", "Show the next alternative.", footer=True),
    Command("beside-previous", "beside", "Alternative before", "left", "Show the alternative before this one."),
    Command("beside-back", "beside", "Back", "escape", "Go back to the page, where the rewrite stays.", footer=True),
    Command("beside-down", "beside", "Scroll down", "down,pagedown", "See more of what is below."),
    Command("beside-up", "beside", "Scroll up", "up,pageup", "See what is above again."),
    # With the models.
    Command("offer-cancel", "offer", "Cancel", "c", "Stop getting a model, and preparing voices.", footer=True),
    # In the chorus.
    Command("chorus-next", "chorus", "Next voice", "right,down,tab", "Go to the next voice."),
    Command("chorus-previous", "chorus", "Previous voice", "left,up,shift+tab", "Go to the voice before."),
    Command("chorus-down", "chorus", "Scroll down", "pagedown", "See more of what is below."),
    Command("chorus-up", "chorus", "Scroll up", "pageup", "See what is above again."),
    Command("chorus-take", "chorus", "Take it", "enter", "Put this voice's text into the manuscript.", footer=True),
    Command(
        "chorus-take-sentence", "chorus", "Take a sentence", "ctrl+t", "Put only its next sentence in.", footer=True
    ),
    Command(
        "chorus-again",
        "chorus",
        "All go on",
        "ctrl+g,ctrl+n",
        "Have all voices go on from the text as it is now; what they wrote is kept.",
        footer=True,
    ),
    Command("chorus-before", "chorus", "Before", "ctrl+l", "Show what they wrote the time before.", footer=True),
    Command("chorus-take-back", "chorus", "Take it back", "ctrl+z", "Take out of the manuscript what you took last."),
    Command("chorus-stop", "chorus", "Stop", "ctrl+x", "Stop all voices; what they wrote stays."),
    Command(
        "chorus-voices", "chorus", "Who sings", "f2,ctrl+d", "Choose the voices, and whether the model alone joins."
    ),
    Command("chorus-add", "chorus-voices", "Add a persona", "a,slash", "Search for a persona to sing as well."),
)


_SHORT = {"shift+tab": "⇧tab"}
"""How keys are shown in the footer, where their usual names take too much of it."""


def at(place: str) -> tuple[Command, ...]:
    """Return the commands of a place."""
    return tuple(command for command in COMMANDS if command.place == place)


def bindings(*places: str) -> list[Binding]:
    """Return what the BINDINGS of a screen or widget are for these places."""
    return [
        Binding(
            command.keys,
            command.action,
            command.title,
            show=command.footer,
            key_display=_SHORT.get(command.keys),
            id=command.name,
            tooltip=command.help,
        )
        for place in places
        for command in at(place)
        if command.keys
    ]
