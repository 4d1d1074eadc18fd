"""Every command of the studio, in one list: keys, footer, palette, help and settings are made of it.

A command's name is its binding's id and, with `action_` before it and `-` as `_`, the method that does it on the screen
or widget of its place; for the page, that method stands in a module of `tui/page/`. Its keys work in a stock macOS
Terminal and over ssh: no Option, no brackets, no shift+enter.
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
    "chorus-voices": "Choosing voices",
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
    "import": "Import",
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
    Command("continue", "page", "Continue", "ctrl+g", "Let the voices write on from the cursor.", footer=True),
    Command("rewrite", "page", "Rewrite", "ctrl+r", "Let the voices rewrite the selection.", footer=True),
    Command("instruct", "page", "Instruct", "ctrl+o", "Say what should happen, then continue or rewrite."),
    Command("chorus", "page", "Chorus", "f3", "Let several voices continue the text, side by side."),
    Command("voices", "page", "Voices", "f2,ctrl+d", "Choose the voices, and how much of each.", footer=True),
    Command("save", "page", "Save", "ctrl+s", "Save the text now; it is also saved automatically."),
    Command("find", "page", "Find", "ctrl+f", "Find text, and replace it if you like."),
    Command("undo", "page", "Undo", "ctrl+z", "Undo the last step; a draft you took is one step."),
    Command("redo", "page", "Redo", "ctrl+y", "Redo the step that you undid."),
    Command("select-all", "page", "Select all", "f7", "Select the whole text."),
    Command("context", "page", "What the model is sent", "f4", "Show what the model is sent, and what was left out."),
    Command("colours", "page", "Colours", "f5", "Colour the text by who wrote it, by persona, or not at all."),
    Command("history", "page", "Versions", "f8", "Show all versions of the text, and go back to one."),
    Command("personas", "page", "Personas", "f9", "Show all personas, prepare them, or make your own."),
    Command("settings", "page", "Settings", "f10", "Change how the studio looks and writes."),
    Command("focus-mode", "page", "Focus mode", "f12", "Show nothing but the text."),
    Command("guide", "page", "Memory and notes", "", "Note down what the model should always know."),
    Command("who", "page", "Who wrote this", "", "Say who wrote the passage at the cursor, when, and in which blend."),
    Command("legend", "page", "Who wrote what", "", "Explain the signs in the left margin."),
    Command("goal", "page", "Word goal", "", "Set how many words you want to write in this text today."),
    Command("editor", "page", "Open in your editor", "", "Open the text in another editor until you close it there."),
    Command("export", "page", "Export", "", "Save a copy as Word, EPUB, HTML, Markdown or plain text."),
    Command("open", "page", "Open another text", "", "Go to the start screen, where your texts are."),
    Command("models", "page", "Models", "", "See which models this machine can run, and get one."),
    Command("reload", "page", "Load the model again", "", "Load the model again if it was missing or failed."),
    # With a rewrite, which is a draft as well; its keys come first.
    Command("change-take-all", "rewrite", "Take all", "tab", "Make all changes except those you skipped.", footer=True),
    Command("change-take", "rewrite", "Take", "ctrl+t", "Make the highlighted change.", footer=True),
    Command(
        "change-skip",
        "rewrite",
        "Skip",
        "shift+tab",
        "Keep your words here; you can come back while the rewrite is on the page.",
        footer=True,
    ),
    Command("change-next", "rewrite", "Next", "f6", "Go to the next change, even one you skipped.", footer=True),
    Command("change-previous", "rewrite", "Previous", "ctrl+b", "Go to the previous change.", footer=True),
    Command(
        "rewrite-away", "rewrite", "Put away", "escape", "Put the rewrite away; the changes you took stay.", footer=True
    ),
    # With a draft.
    Command("accept", "draft", "Take it", "tab", "Put the draft into the text.", footer=True),
    Command(
        "accept-sentence",
        "draft",
        "Take a sentence",
        "ctrl+t",
        "Put the draft's next sentence into the text.",
        footer=True,
    ),
    Command("accept-word", "draft", "Take a word", "shift+tab", "Put the draft's next word into the text."),
    Command(
        "stop", "draft", "Stop", "escape", "Stop the model and keep the draft; once more puts it away.", footer=True
    ),
    Command("retry", "draft", "Try again", "ctrl+n", "Write another alternative; this one is kept.", footer=True),
    Command("next-draft", "draft", "Next alternative", "ctrl+l", "Show the next alternative of this draft."),
    Command("previous-draft", "draft", "Previous alternative", "", "Show the previous alternative of this draft."),
    Command("beside", "draft", "Side by side", "f6", "See the rewrite next to your words.", footer=True),
    Command("reopen", "draft", "Bring the draft back", "", "Show the last draft that you put away or undid."),
    Command("uncut", "draft", "Bring back what was cut", "", "Show the unfinished last sentence that was cut off."),
    Command("next-waiting", "page", "Next draft", "", "Go to the next draft that waits in the text, marked ┊…."),
    # In the voices panel.
    Command("voice-previous", "voices", "Dial above", "up", "Go to the dial above."),
    Command("voice-next", "voices", "Dial below", "down", "Go to the dial below; the first is for all voices."),
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
    Command("voice-set", "voices", "Type a number", "enter", "Type a number for this dial; 0 to 9 set tenths."),
    Command("voice-mute", "voices", "Mute", "m,space", "Leave this voice out for now, or bring it back.", footer=True),
    Command("voice-invert", "voices", "Opposite", "o", "Turn this voice into its opposite, or back."),
    Command("voice-add", "voices", "Add", "a,slash", "Search for a persona and add its voice.", footer=True),
    Command("voice-remove", "voices", "Remove", "delete,backspace", "Take this voice out of the blend."),
    Command("voice-extract", "voices", "Prepare voice", "x", "Prepare this voice for the model, while you write."),
    Command(
        "voice-cancel", "voices", "Cancel preparing", "c", "Cancel preparing a voice; what is done so far is kept."
    ),
    Command("blend-save", "voices", "Save the blend", "s", "Save this blend under a name."),
    Command("blend-load", "voices", "Saved blends", "l", "Use or delete a blend that you saved."),
    Command("blend-text", "voices", "As text", "t", "See or type the blend as text, as commands take it."),
    Command("blend-advanced", "voices", "Advanced", "v", "Show what few need: mode, layers, what is steered."),
    # On the screens around the page.
    Command("setting-next", "settings", "Next choice", "right", "Go to the next choice of this setting."),
    Command("setting-previous", "settings", "Previous choice", "left", "Go to the previous choice of this setting."),
    Command(
        "setting-reset",
        "settings",
        "Default",
        "delete,backspace",
        "Set this setting, or these keys, back to the default.",
        footer=True,
    ),
    Command("history-checkpoint", "history", "Name it", "k", "Give the highlighted version a name.", footer=True),
    Command("history-branch", "history", "Branch here", "b", "Start a branch at the highlighted version.", footer=True),
    Command("history-switch", "history", "Branches", "s", "Switch to another branch, or rename one.", footer=True),
    Command("history-all", "history", "All or few", "a", "Show all versions, or only the turning points.", footer=True),
    Command("branch-rename", "branches", "Rename", "r", "Rename this branch."),
    Command("find-next", "find", "Next", "down", "Go to the next match.", footer=True),
    Command("find-previous", "find", "Previous", "up", "Go to the previous match."),
    Command(
        "find-field", "find", "Other field", "tab,shift+tab", "Move between what to find and what to replace it with."
    ),
    Command("find-replace", "find", "Replace", "ctrl+r", "Replace this match, and go to the next.", footer=True),
    Command("find-replace-all", "find", "Replace all", "ctrl+t", "Replace all matches, as one step.", footer=True),
    Command("find-case", "find", "Capitals", "f5", "Match capitals, or ignore them."),
    Command("find-words", "find", "Words", "f6", "Find whole words only, or parts of words as well."),
    Command("find-pattern", "find", "Pattern", "f7", "Search for a pattern, or for the exact text."),
    Command("find-keep", "find", "Keep capitals", "f8", "Replace “Out” with “Away” and “OUT” with “AWAY”, or do not."),
    Command("context-raw", "context", "As sent", "r", "Show exactly what is sent, or the overview.", footer=True),
    Command("guide-keep", "guide", "Save", "ctrl+s", "Save your changes, and go back.", footer=True),
    Command("guide-import", "guide", "Import", "ctrl+o", "Import the entries of a lorebook file.", footer=True),
    Command("export-write", "export", "Export", "ctrl+s", "Write the exported file.", footer=True),
    Command("import-write", "import", "Import", "ctrl+s", "Save the document as a text, and open it.", footer=True),
    Command("import-down", "import", "Scroll down", "pagedown", "Scroll down.", footer=True),
    Command("import-up", "import", "Scroll up", "pageup", "Scroll up."),
    # Among the personas.
    Command("persona-add", "personas", "Add it", "enter", "Add this persona's voice to the blend.", footer=True),
    Command("persona-new", "personas", "New persona", "n", "Describe a persona of your own.", footer=True),
    Command("persona-learn", "personas", "Own voice", "w", "Make a voice from a text that you wrote.", footer=True),
    Command(
        "persona-extract",
        "personas",
        "Prepare voice",
        "x",
        "Prepare this voice for the model, while you write.",
        footer=True,
    ),
    Command(
        "persona-cancel", "personas", "Cancel preparing", "c", "Cancel preparing a voice; what is done so far is kept."
    ),
    Command("persona-find", "personas", "Find a persona", "slash", "Search for a persona."),
    Command("persona-save", "new-persona", "Save", "ctrl+s", "Save this persona.", footer=True),
    Command("blend-forget", "saved-blends", "Delete it", "delete,backspace", "Delete this saved blend."),
    # On the start screen.
    Command("start-new", "start", "New text", "n", "Start a new text.", footer=True),
    Command("start-open", "start", "Open", "o", "Open a text by its path.", footer=True),
    Command("start-import", "start", "Import", "i", "Make a text of a Word document or plain text.", footer=True),
    Command("start-models", "start", "Models", "m", "See which models this machine can run, and get one.", footer=True),
    # After a crash, and after another program.
    # Without keys: these questions open by themselves, and a key that is typed must not answer them.
    Command("recover-take", "recover", "Recover", "", "Take the text that was never saved to its file."),
    Command("recover-decline", "recover", "Keep the file", "", "Keep the file's text; the other is kept as a version."),
    Command("conflict-both", "conflict", "Keep both", "", "Add the other program's changes to your text."),
    Command("conflict-mine", "conflict", "Keep mine", "", "Save your text over the other program's."),
    Command("conflict-theirs", "conflict", "Take theirs", "", "Take the other program's text."),
    Command("conflict-copy", "conflict", "Save a copy", "", "Save your text next to it under a new name."),
    # A rewrite beside what it is of.
    Command("beside-take", "beside", "Take all", "tab", "Replace your words with the rewrite.", footer=True),
    Command("beside-away", "beside", "Put away", "delete,backspace", "Keep your words as they are.", footer=True),
    Command("beside-again", "beside", "Try again", "ctrl+n", "Write another rewrite; this one is kept.", footer=True),
    Command("beside-next", "beside", "Next alternative", "ctrl+l,right", "Show the next alternative.", footer=True),
    Command(
        "beside-previous", "beside", "Previous alternative", "left", "Show the previous alternative of this draft."
    ),
    Command("beside-back", "beside", "Back", "escape", "Go back to the page; the rewrite stays there.", footer=True),
    Command("beside-down", "beside", "Scroll down", "down,pagedown", "Scroll down."),
    Command("beside-up", "beside", "Scroll up", "up,pageup", "Scroll up."),
    # With the models.
    Command("offer-cancel", "offer", "Cancel", "c", "Stop downloading the model and preparing voices.", footer=True),
    # In the chorus.
    Command("chorus-next", "chorus", "Next voice", "right,down,tab", "Go to the next voice."),
    Command("chorus-previous", "chorus", "Previous voice", "left,up,shift+tab", "Go to the previous voice."),
    Command("chorus-down", "chorus", "Scroll down", "pagedown", "Scroll down."),
    Command("chorus-up", "chorus", "Scroll up", "pageup", "Scroll up."),
    Command("chorus-take", "chorus", "Take it", "enter", "Put all that this voice wrote into the text.", footer=True),
    Command(
        "chorus-take-sentence",
        "chorus",
        "Take a sentence",
        "ctrl+t",
        "Put only this voice's next sentence into the text.",
        footer=True,
    ),
    Command(
        "chorus-again",
        "chorus",
        "All continue",
        "ctrl+g,ctrl+n",
        "Let all voices continue from the text as it is now; what they wrote is kept.",
        footer=True,
    ),
    Command("chorus-before", "chorus", "Before", "ctrl+l", "Show what the voices wrote before.", footer=True),
    Command("chorus-take-back", "chorus", "Undo", "ctrl+z", "Undo what you took last from the chorus."),
    Command("chorus-stop", "chorus", "Stop", "ctrl+x", "Stop all voices; what they wrote is kept."),
    Command(
        "chorus-voices",
        "chorus",
        "Choose voices",
        "f2,ctrl+d",
        "Choose which voices write, and whether the model alone does.",
    ),
    Command(
        "chorus-blind",
        "chorus",
        "Blind",
        "b",
        "Hide the names of the next drafts until you keep one, or show them.",
    ),
    Command("chorus-add", "chorus-voices", "Add a persona", "a,slash", "Search for a persona to write as well."),
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
