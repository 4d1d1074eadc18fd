"""Settings: one schema for the file, its checks and the screen."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.screen_host import seen, shown, typed

from billy_mlx import paths
from billy_mlx.errors import BillyError
from billy_mlx.tui.commands import COMMANDS
from billy_mlx.tui.keys import checked_keys, shown_keys
from billy_mlx.tui.screens.settings import SettingsScreen
from billy_mlx.tui.setting_fields import checked, refusal
from billy_mlx.tui.settings import Settings, load_settings, save_setting, writing


@pytest.fixture
def configure(billy_home):
    def write(text):
        paths.config_file().parent.mkdir(parents=True, exist_ok=True)
        paths.config_file().write_text(text)

    return write


def test_without_a_file_everything_is_as_it_comes():
    assert load_settings() == (Settings(), ())


def test_every_default_is_a_value_that_its_own_check_accepts():
    for name in Settings().schema():
        save_setting(name, getattr(Settings(), name))
    assert load_settings() == (Settings(), ())


def test_the_file_gives_settings_and_keys_that_may_change_places(configure):
    configure(
        'model = "starter"\n[studio]\ntext-width = 60\nmin_p = 0\n[keys]\nfind = "F4, Ctrl+Ö"\ncontext = "ctrl+f"\n'
    )
    settings, wrong = load_settings()
    assert (settings.model, settings.text_width, settings.min_p, wrong) == ("starter", 60, 0.0, ())
    assert settings.keys == {"context": "ctrl+f", "find": "f4,ctrl+ö"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("text-width = 5", "Width of the text is 5; it can be a whole number from 30 to 300; until then it is 72"),
        ("text-width = 70.5", "it can be a whole number"),
        ("temperature = nan", "it can be a number from 0 to 10"),
        ("temperature = true", "it can be a number"),
        ('gauge = "perhaps"', "it can be true or false"),
        ('theme = "pink"', "it can be textual-dark, "),
        ('blend = "noir:x"', "First blend: "),
        ('author = "a\\u001b[31m"', "it can be a line of at most 400 characters"),
        ("text-widht = 5", "[studio] has no setting 'text-widht'; did you mean text-width"),
    ],
)
def test_a_bad_value_is_told_and_left_out(configure, line, sentence):
    configure(f"[studio]\n{line}\nword-goal = 300\n")
    settings, (told,) = load_settings()
    assert settings == replace(Settings(), word_goal=300)
    assert sentence in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("text", "blend"),
    [
        ("noir:0.6", "noir:0.6@1/balanced"),
        ("noir@0.3r/L5", "noir:1@0.3r/balanced/L5"),
        ("noir/paper", "noir:1@2a/paper"),
    ],
)
def test_a_blend_of_the_file_without_a_mode_means_what_it_meant(configure, text, blend):
    configure(f'[studio]\nblend = "{text}"\n')
    assert load_settings() == (replace(Settings(), blend=blend), ())
    assert text in paths.config_file().read_text()


def test_a_blend_that_is_typed_is_kept_with_the_mode_it_took():
    save_setting("blend", "noir:0.6+gothic")
    assert 'blend = "gothic:1+noir:0.6@1/layered"' in paths.config_file().read_text()
    assert load_settings()[0].blend == "gothic:1+noir:0.6@1/layered"
    assert Settings().blend.endswith("/layered")


@pytest.mark.parametrize("text", ["[studio", "studio = 1", "keys = 1", "a" * 70_000, "[studio]\nkeys = 1"])
def test_a_broken_file_is_told_and_does_not_crash(configure, text):
    configure(text)
    settings, wrong = load_settings()
    assert settings == Settings()
    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"acept": "f6"}, "[keys] has 'acept', which is no command; did you mean accept?"),
        ({"save": "ctrl+foo"}, "'ctrl+foo' of save is not a key"),
        ({"save": "hyperspace"}, "is not a key"),
        ({"save": ""}, "write them like ctrl+g"),
        ({"save": 3}, "write them like ctrl+g"),
        ({"find": "ctrl+g"}, "Ctrl+G cannot be both Continue (continue) and Find (find)"),
        ({"retry": "ctrl+r"}, "Ctrl+R cannot be both Rewrite (rewrite) and Try again (retry)"),
        ({"save": "s"}, "s cannot be the key of save: it is typed into the text; add ctrl to it"),
        ({"save": "shift+?"}, "it is typed into the text"),
        ({"find": "f1"}, "F1 cannot be both Help (help) and Find (find)"),
    ],
)
def test_keys_that_will_not_do_are_refused_in_words(keys, sentence):
    found, (told,) = checked_keys(keys)
    assert found == {}
    assert sentence in told


def test_the_keys_that_commands_come_with_are_all_right():
    own = {command.name: command.keys for command in COMMANDS if command.keys}
    assert checked_keys(own) == (own, ())


def test_keys_are_shown_as_they_stand_on_a_keyboard():
    assert shown_keys("f2,ctrl+d,pageup,slash,escape") == "F2 or Ctrl+D or PgUp or / or Esc"


def test_saving_keeps_comments_and_everything_else(configure):
    configure('# mine\nmodel = "starter"  # small\n\n[studio]\n# wide\ntext_width = 60\n')
    save_setting("text_width", 90)
    save_setting("keys", {"save": "f6"})
    assert paths.config_file().read_text() == (
        '# mine\nmodel = "starter"  # small\n\n[studio]\n# wide\ntext_width = 90\n\n[keys]\nsave = "f6"\n'
    )


@pytest.mark.parametrize("text", ["", "model = 'x'", "model = 'x'\r\n", "studio = {gauge = true}", "[studio]"])
def test_whatever_a_file_looks_like_what_is_saved_is_read_again(configure, text):
    configure(text)
    save_setting("word_goal", 500)
    save_setting("keys", {"save": "f6"})
    settings, wrong = load_settings()
    assert (settings.word_goal, settings.keys, wrong) == (500, {"save": "f6"}, ())


def test_keys_that_are_as_they_came_again_leave_the_file(configure):
    configure('[keys]\nsave = "f6" # six\nfind = "f7"\n')
    save_setting("keys", {"save": "f6"})
    assert paths.config_file().read_text() == '[keys]\nsave = "f6" # six\n'


@pytest.mark.parametrize(
    ("text", "name", "value"), [("[studio", "gauge", False), ("studio = 1", "gauge", False), ("keys = 1", "keys", {})]
)
def test_a_broken_file_is_not_written_over(configure, text, name, value):
    configure(text)
    with pytest.raises(BillyError, match=r"correct|write \["):
        save_setting(name, value)
    assert paths.config_file().read_text() == text


def test_a_link_to_the_file_stays_a_link(configure, tmp_path):
    configure("")
    kept = tmp_path / "dotfiles.toml"
    paths.config_file().rename(kept)
    paths.config_file().symlink_to(kept)
    save_setting("word_goal", 500)
    assert paths.config_file().is_symlink()
    assert "word-goal = 500" in kept.read_text()


def test_what_the_documentation_shows_is_accepted_and_all_there_is(configure):
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    configure(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    settings, wrong = load_settings()
    assert (settings.text_width, settings.keys["continue"], wrong) == (66, "f6", ())
    documented = re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", page.partition("Key of `[studio]`")[2], re.MULTILINE)
    assert documented == [(name.replace("_", "-"), known.help) for name, known in Settings().schema().items()]


def test_how_a_model_writes_follows_the_settings():
    made = writing(replace(Settings(), temperature=0.3, words=7, context_budget=99, thinking=True))
    assert (made.sampling.temperature, made.words, made.budget, made.thinking) == (0.3, 7, 99, True)


def test_auto_is_0_and_a_number_is_that_number():
    assert checked(Settings(), "context_budget", " Auto ") == checked(Settings(), "context_budget", 0) == 0
    assert checked(Settings(), "context_budget", "4096") == 4096
    assert "it can be auto, or a whole number from 64" in refusal(Settings(), "context_budget", "9")


@pytest.mark.slow
def test_choices_change_by_arrows_and_enter():
    host = shown(SettingsScreen(Settings()), "right", "left", "down", "enter", "down", "enter", "delete")
    names = [name for name, _ in host.said]
    assert names == ["theme", "theme", "colouring", "voices_panel", "voices_panel"]
    assert host.said[1:] == [
        ("theme", "textual-dark"), ("colouring", "none"), ("voices_panel", False), ("voices_panel", True),
    ]  # fmt: skip


@pytest.mark.slow
def test_numbers_are_typed_and_checked():
    pictures = []
    to_width = ["down"] * 3
    host = shown(
        SettingsScreen(Settings()), *to_width, "enter", *typed("9"), "enter", seen(pictures), "backspace", "enter"
    )
    assert "it can be a whole number" in pictures[0]
    assert host.said == [("text_width", 72)]


@pytest.mark.slow
def test_keys_are_typed_and_checked():
    pictures = []
    keys = ["end", "enter", *["backspace"] * 20, *typed("f1"), "enter", seen(pictures), *typed("1"), "enter"]
    host = shown(SettingsScreen(Settings()), *keys)
    assert "cannot be both" in pictures[0]
    ((name, value),) = host.said
    assert (name, list(value.values())) == ("keys", ["f11"])


def test_what_a_row_is_about_is_said_and_escape_goes_back():
    pictures = []
    host = shown(SettingsScreen(Settings()), "down", "down", "down", seen(pictures), "escape")
    assert "The longest line of the text" in pictures[0]
    assert host.given == [None]


def test_a_length_in_tokens_of_the_version_before_is_read_in_words(configure):
    configure("[studio]\nmax-tokens = 200\n")
    assert (load_settings()[0].words, load_settings()[1]) == (150, ())
    save_setting("words", 90)
    assert load_settings()[0].words == 90
