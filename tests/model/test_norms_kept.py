"""Why /np is refused where a blend is added layer by layer: the sum would not be what was asked for."""

import mlx.core as mx
import numpy as np
import pytest
from helpers.random_vectors import persona_vector
from mlx_lm.models.cache import make_prompt_cache

from billy_mlx.blend.blend import Blend
from billy_mlx.blend.directions import directions
from billy_mlx.errors import BlendError
from billy_mlx.model.layers import Steering, record, steer

TOKENS = mx.array([[3, 7, 11, 2, 9, 4]])
NOIR = {"noir": persona_vector()}


@pytest.mark.parametrize("text", ["noir/np", "noir@0.2/np/all", "noir/L1,2/np"])
def test_it_is_refused_and_what_to_do_instead_is_said(text):
    with pytest.raises(
        BlendError, match=r"^/np gives .* all of which layered builds; leave out /np, or .*/balanced/np$"
    ):
        directions(Blend.parse(text), NOIR)


@pytest.mark.parametrize("text", ["noir/balanced/np", "noir/raw/np", "noir@0/np"])
def test_elsewhere_it_is_taken(text):
    assert directions(Blend.parse(text), NOIR).norm_preserving == ("@0" not in text)


def test_each_layer_would_take_from_what_the_layers_below_have_added(tiny):
    along = stream(tiny, {}, False)[1].mean(axis=0)  # a part along the stream, as every real direction has
    asked = along / np.linalg.norm(along)
    plain, kept = (stream(tiny, {1: asked, 2: asked}, norms)[2] for norms in (False, True))
    assert ((kept - plain) @ asked).mean() < -0.5  # of the 2 that were asked for


def stream(model, added, norm_preserving):
    steering = Steering({layer: mx.array(d) for layer, d in added.items()}, norm_preserving=norm_preserving)
    with steer(model.layers, steering), record(model.layers) as recording:
        model.model(TOKENS, cache=make_prompt_cache(model.model))
    return [np.array(recording.latest[layer][0]) for layer in range(len(model.layers))]
