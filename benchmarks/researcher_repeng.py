"""What researchers do with steering vectors, in repeng and PyTorch; `researcher_billy.py` has the same functions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from repeng import ControlModel, ControlVector, DatasetEntry
from repeng.extract import batched_get_hiddens
from transformers import AutoModelForCausalLM, AutoTokenizer

Floats = NDArray[np.float32]
Pairs = Sequence[tuple[str, str]]

PACKAGES = ("repeng", "torch", "transformers", "scikit-learn", "gguf", "numpy")


def load_and_tokenise(folder: Path, text: str) -> tuple[Any, Any, list[int]]:
    """Return a model, its tokenizer, and the tokens of a text."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return model, tokenizer, tokenizer.encode(text)


def residual_stream(model: Any, tokens: Sequence[int]) -> Floats:
    """Return (layers, T, D), what each block hands on; what the last one does, behind the final norm."""
    with torch.no_grad():
        found = model(torch.tensor([tokens]), output_hidden_states=True).hidden_states
    return torch.cat(found[1:]).numpy()


def principal_component(model: Any, tokenizer: Any, pairs: Pairs) -> ControlVector:
    """Return the uncentred first component of the pairs' differences at the last token."""
    dataset = [DatasetEntry(positive, negative) for positive, negative in pairs]
    return ControlVector.train(model, tokenizer, dataset, method="pca_center")


def centred_component(model: Any, tokenizer: Any, pairs: Pairs) -> ControlVector:
    """Return the centred first component of the same differences, which is the default."""
    dataset = [DatasetEntry(positive, negative) for positive, negative in pairs]
    return ControlVector.train(model, tokenizer, dataset)


def mean_difference(model: Any, tokenizer: Any, pairs: Pairs) -> ControlVector:
    """Return the mean of the same differences: not among repeng's methods, but its states of the last token are."""
    texts, layers = [text for pair in pairs for text in pair], list(range(1, model.config.num_hidden_layers))
    states = batched_get_hiddens(model, tokenizer, texts, layers, batch_size=32)
    means = {layer: (rows[::2] - rows[1::2]).mean(0) for layer, rows in states.items()}
    return ControlVector(model.config.model_type, means)


def steered_logits(
    model: Any, tokens: Sequence[int], vector: ControlVector, coefficient: float, layers: Sequence[int]
) -> Floats:
    """Return (V,), the next token's logits with a vector added to every token at some layers."""
    controlled = ControlModel(model, layers)
    controlled.set_control(vector, coefficient)
    with torch.no_grad():
        logits = controlled(torch.tensor([tokens])).logits[0, -1].numpy()
    controlled.unwrap()
    return logits


def sum_and_difference(first: ControlVector, second: ControlVector) -> tuple[ControlVector, ControlVector]:
    """Return two vectors that are made of two others."""
    return first + second, first - second


def greedy_tokens(
    model: Any, tokens: Sequence[int], vector: ControlVector, coefficient: float, layer: int, count: int
) -> Sequence[int]:
    """Return the likeliest tokens, one after the other, with a vector added to every token."""
    controlled = ControlModel(model, [layer])
    controlled.set_control(vector, coefficient)
    prompt = torch.tensor([tokens])
    written = controlled.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=count, do_sample=False)
    controlled.unwrap()
    return written[0, len(tokens) :].tolist()


def ablated_logits(model: Any, tokens: Sequence[int], vector: ControlVector, layer: int) -> Floats:
    """Return (V,), the next token's logits with all taken out at one layer that lies along a vector."""

    def without(stream: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        unit = direction / direction.norm(dim=-1, keepdim=True)
        return stream - (stream * unit).sum(-1, keepdim=True) * unit

    controlled = ControlModel(model, [layer])
    controlled.set_control(vector, operator=without)
    with torch.no_grad():
        logits = controlled(torch.tensor([tokens])).logits[0, -1].numpy()
    controlled.unwrap()
    return logits


def write_control_vector(_: Any, vector: ControlVector, path: Path) -> None:
    """Write a vector as GGUF."""
    vector.export_gguf(path)


def read_directions(_: Any, path: Path) -> Floats:
    """Return (layers - 1, D), what a GGUF file holds for the layers from 1 on."""
    return above_the_first(ControlVector.import_gguf(path))


def above_the_first(vector: ControlVector) -> Floats:
    """Return (layers - 1, D), a vector as one array; layer 0 is left out by default."""
    return np.stack([vector.directions[layer] for layer in sorted(vector.directions)])
