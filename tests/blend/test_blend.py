"""The blend's text form reads back to the same blend, and what is not a blend is said to be none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billy_mlx.blend.blend import ALONE, OWN_DOSE, Blend, Dose, Mode, Unit
from billy_mlx.errors import BlendError

ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
weights = st.floats(-1000, 1000)
layers = st.none() | st.lists(st.integers(0, 200), min_size=1, max_size=4).map(tuple)


@st.composite
def blends(draw):
    mode = draw(st.sampled_from(Mode))
    units = [Unit.FULL] + [Unit.RESIDUAL_NORMS] * (mode is not Mode.LAYERED)
    units += [Unit.COEFFICIENT] * (mode in (Mode.PAPER, Mode.RAW))
    parts = draw(st.dictionaries(ids, weights, min_size=1, max_size=6))
    dose = draw(st.just(OWN_DOSE) | st.builds(Dose, weights, st.sampled_from(units)))
    flags = {name: draw(st.booleans()) for name in ("everywhere", "norm_preserving")}
    return Blend(tuple(parts.items()), dose=dose, mode=mode, layers=draw(layers), **flags)


@pytest.mark.slow
@given(blends())
def test_the_text_form_reads_back_to_the_same_blend(blend):
    assert Blend.parse(str(blend)) == blend
    assert hash(Blend.parse(str(blend))) == hash(blend)
    assert Blend.stored(str(blend)) == blend
    assert f"/{blend.mode}" in str(blend)


@given(st.text(max_size=60))
def test_any_text_is_a_blend_or_an_error_of_ours(text):
    try:
        said = str(Blend.parse(text))
    except BlendError as error:
        said = str(error)
    assert not {"\x1b", "\x9b", "\u202e"} & set(said)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("noir", "noir:1@1/layered"),
        ("noir:0.6+gothic:0.4", "gothic:0.4+noir:0.6@1/layered"),
        ("noir:1+gothic:-0.3@0.3r/balanced", "gothic:-0.3+noir:1@0.3r/balanced"),
        (" noir : 1 ", None),
        ("futurist+futurist", "futurist:2@1/layered"),
        ("noir/L6,5", "noir:1@1/layered/L5,6"),
        ("noir/paper", "noir:1@2a/paper"),
        ("noir/raw", "noir:1@1a/raw"),
        ("noir@0.25r/orthogonal/L16,15/all/np", "noir:1@0.25r/orthogonal/L15,16/all/np"),
        ("noir:1e-05@-2", "noir:1e-05@-2/layered"),
        ("noir+7th-wave:.5", "7th-wave:0.5+noir:1@1/layered"),
    ],
)
def test_the_text_form(text, form):
    if form is None:
        with pytest.raises(BlendError):
            Blend.parse(text)
    else:
        assert str(Blend.parse(text)) == form


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the end"),
        ("noir:0.5+", "the end"),
        ("Noir", "'Noir'"),
        ("noir:x", "'noir:x'"),
        ("noir@", "'' is not a dose"),
        ("noir@1q", "'1q' is not a dose"),
        ("noir@nan", "is not a dose"),
        ("noir@1e9", "cannot be given"),
        ("noir:1e9", "goes from -1000 to 1000"),
        ("noir@2a", "only for the modes paper and raw, not layered"),
        ("noir@0.3r", "give a plain number, or add /balanced"),
        ("noir@0.3r/layered", "give a plain number, or add /balanced"),
        ("noir/loud", "'/loud' is not known"),
        ("noir/all/all", "has said already"),
        ("noir/paper/raw", "has said already"),
        ("noir/L", "'/L' is not known"),
        ("noir/L-1", "'/L-1' is not known"),
        ("x" * 20_000, "too long"),
        ("\x1b[2Jnoir", "␛"),
    ],
)
def test_what_is_no_blend_is_said_to_be_none(text, said):
    with pytest.raises(BlendError, match=said.replace("[", r"\[")):
        Blend.parse(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("noir:0.6+gothic:0.4", "gothic:0.4+noir:0.6@1/balanced"),
        ("noir@0.3r/L15/all", "noir:1@0.3r/balanced/L15/all"),
        ("noir/layered", "noir:1@1/layered"),
        ("noir/paper", "noir:1@2a/paper"),
    ],
)
def test_a_stored_blend_without_a_mode_means_what_it_meant(text, form):
    assert str(Blend.stored(text)) == form


def test_a_blend_that_is_made_takes_the_mode_that_a_typed_one_does():
    assert Blend((("noir", 1.0),)) == Blend.parse("noir") == Blend.parse("noir/layered")


def test_a_blend_is_the_same_in_whatever_order_it_is_written():
    assert Blend.parse("noir:0.6+gothic:0.4") == Blend((("gothic", 0.4), ("noir", 0.6)))


def test_without_weights_it_is_the_model_alone_however_it_is_made():
    assert (
        Blend.parse(" none ")
        == Blend.stored("none")
        == Blend()
        == Blend(dose=Dose(2.0), mode=Mode.PAPER, everywhere=True)
    )
    assert (str(Blend()), Blend().spelled, Blend.parse("noir").spelled) == ("none", None, "noir:1@1/layered")
    assert Blend().adds_nothing
    assert Blend().persona_ids == ()
    assert Blend.parse(str(ALONE)) == ALONE
    assert len({ALONE, Blend(), Blend.parse("none")}) == 1


@pytest.mark.parametrize("text", ["none@1", "none/paper", "none+noir", "noir+none:0.5", "none:1"])
def test_the_word_for_the_model_alone_stands_by_itself(text):
    with pytest.raises(BlendError, match="none is the model alone, and stands by itself"):
        Blend.parse(text)
