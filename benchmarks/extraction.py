"""What a persona vector costs, against the published way of extracting it, on the same model in the same process.

Ours writes one pole per persona, averages the residual stream meanwhile, and reads every answer a second time behind
the plain prompt, in batches; the neutral pole is written once behind that prompt, and every persona is charged a
twelfth of it, as the paper has twelve of them. The published pipeline writes both poles for every persona, each behind
system prompts of its own, in batches of 20, and then reads every prompt with its answer once more, one at a time. It
has mlx-lm's own batch generator, and a second reading that works out no logits. The persona's prompts and sampling are
the same, and nothing ends an answer early, so that both write the same number of tokens. They take turns, persona by
persona.

In the first comparison both write as many answers in batches of the same size. In the second each writes what it needs:
the published pipeline 240 a pole (24 questions, ten answers to each), whose batches have nothing in common, so that
they take twelve times as long as the 20 that are timed; ours 24, one to each question. Larger batches need more answers
to fill them, which then share more of their prompts as well; those lines compare the time per answer. `--quick`
measures next to nothing, to see whether it runs.
"""

import argparse
import os
import shutil
import tempfile
import tracemalloc
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import billy_mlx  # noqa: F401  puts a fast BLAS into the process, before mlx is imported

# isort: split
import mlx.core as mx
import numpy as np
from paired import Spread, Timing, machine, print_table, speed_ratios
from pipelines import Cost, Ours, Published, answer_count, pole_prompts, read_again
from tqdm import tqdm

from billy_mlx.extraction.extract import Extracted, extract
from billy_mlx.extraction.rollouts import RolloutSettings, begin_pole, tokens_of
from billy_mlx.model.load import load
from billy_mlx.model.model import Model
from billy_mlx.vectors.card import Persona, bundled_ids, get_persona, load_questions

BATCH = 20  # as published
PUBLISHED_ANSWERS = 240  # a pole, as published
_NEEDED = RolloutSettings(rollouts=1)  # of ours: one answer to each question
_MEMORY_TOKENS = 2  # an answer, where only memory is measured: what is kept of one does not depend on its length
_QUICK = {"personas": 2, "questions": 2, "rollouts": 1, "tokens": 2, "batches": [8, 24], "more_personas": 1}
Line = tuple[str, str, str, str]


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    model = load(arguments.model)
    model.tokenizer.eos_token_ids = set()  # what would end an answer
    settings = RolloutSettings(
        questions=arguments.questions, rollouts=arguments.rollouts, max_tokens=arguments.tokens, batch=BATCH
    )
    with _own_home() as folder:
        lines = _measure(model, settings, arguments, folder)
    print(f"{model.id}: {len(model.layers)} layers of {model.width}; {arguments.rounds} × ", end="")
    print(f"{arguments.personas} personas, {answer_count(settings)} answers of {settings.max_tokens} tokens a pole")
    print(machine())
    print_table(("median (quartiles)", "wall time", "CPU time", "aim"), lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a folder or a hub id; the default model otherwise")
    parser.add_argument("--personas", type=int, default=len(bundled_ids("paper")), help="how many of the paper's")
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--rollouts", type=int, default=5, help="answers per question and pole")
    parser.add_argument("--tokens", type=int, default=64, help="per answer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--batches", type=int, nargs="*", default=[60, 120], help="larger ones, of ours")
    parser.add_argument(
        "--more-personas", type=int, default=2, help="how many personas all but the first is measured with"
    )
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        vars(arguments).update(_QUICK)
    return arguments


@contextmanager
def _own_home() -> Iterator[Path]:
    """Keep what is stored in a folder that is thrown away; the model has been loaded from the user's own."""
    with tempfile.TemporaryDirectory(prefix="billy-extraction-") as folder:
        os.environ["BILLY_HOME"] = str(Path(folder) / "home")
        yield Path(folder)


def _measure(model: Model, settings: RolloutSettings, arguments: argparse.Namespace, folder: Path) -> list[Line]:
    personas = [get_persona(persona_id) for persona_id in bundled_ids("paper")[: arguments.personas]]
    read_again(model, pole_prompts(model, settings, personas[0].prompts)[:1], [[0]])  # a model's first pass is slower
    ours, published = Ours(model, settings, len(bundled_ids("paper")), folder), Published(model, settings)
    needed = Ours(model, replace(_NEEDED, max_tokens=settings.max_tokens), len(bundled_ids("paper")), folder)
    larger = [Ours(model, size, len(bundled_ids("paper")), folder) for size in _larger(settings, arguments.batches)]
    for turn in tqdm(range(arguments.rounds * len(personas)), disable=None):
        persona = personas[turn % len(personas)]
        for arm in (ours, published) if turn % 2 == 0 else (published, ours):
            arm.run(persona)
        for more in (needed, *larger) if turn < arguments.more_personas else ():
            more.run(persona)
    return [
        *_seconds(ours, published),
        _as_needed(needed, published),
        *(_per_answer(more, published) for more in larger),
        *_work(ours, published),
        _agreement(model, settings, personas),
        *_memory(model, settings, personas[0], folder),
    ]


def _larger(settings: RolloutSettings, batches: Sequence[int]) -> list[RolloutSettings]:
    """Return settings for `batches`, with as many answers as fill the largest of them: first by more questions."""
    most = max(batches, default=1)
    questions = min(-(-most // settings.rollouts), len(load_questions().questions))
    rollouts = -(-most // questions)
    return [replace(settings, questions=questions, rollouts=rollouts, batch=batch) for batch in batches]


def _seconds(ours: Ours, published: Published) -> list[Line]:
    wall, cpu = speed_ratios(_timings(ours.costs), _timings(published.costs))
    return [
        _line("s per persona, ours, its share of the neutral pole included", ours.costs),
        _line("s for the neutral pole, once", [ours.neutral]),
        _line("s per persona, published", published.costs),
        _line("s of it: writing both poles", published.writing),
        _line("s of it: reading all of it again", published.reading),
        (f"published / ours, as many answers in batches of {BATCH}", str(wall), str(cpu), ">= 3.5"),
    ]


def _as_needed(ours: Ours, published: Published) -> Line:
    """Compare what each takes for as many answers as it needs."""
    wall, cpu = _ratios(ours, published, PUBLISHED_ANSWERS / answer_count(published.settings))
    name = f"published / ours at what each needs, {PUBLISHED_ANSWERS} answers / {answer_count(ours.settings)}"
    return name, str(wall), str(cpu), ""


def _per_answer(ours: Ours, published: Published) -> Line:
    answers = answer_count(ours.settings)
    wall, cpu = _ratios(ours, published, answers / answer_count(published.settings))
    name = f"published / ours per answer, {answers} of ours in batches of {ours.settings.batch}"
    return name, str(wall), str(cpu), ""


def _ratios(ours: Ours, published: Published, times: float) -> tuple[Spread, Spread]:
    """Compare `times` what the published pipeline took with what ours did, for the personas that both had."""
    same = published.costs[: len(ours.costs)]
    return speed_ratios(_timings(ours.costs), _timings(same), rows=times)


def _line(name: str, costs: Sequence[Cost]) -> Line:
    timings = _timings(costs)
    return name, str(Spread.of([one.wall for one in timings])), str(Spread.of([one.cpu for one in timings])), ""


def _timings(costs: Sequence[Cost]) -> list[Timing]:
    return [cost.timing for cost in costs]


def _work(ours: Ours, published: Published) -> list[Line]:
    """Count what is the same on every machine."""
    tokens = [float(np.mean([cost.tokens for cost in arm.costs])) for arm in (published, ours)]
    passes = [float(np.mean([cost.passes for cost in arm.costs])) for arm in (published, ours)]
    return [
        ("tokens through the model per persona, published / ours", _quotient(*tokens, ",.0f"), "", ""),
        ("forward passes per persona, published / ours", _quotient(*passes, ",.0f"), "", ""),
    ]


def _quotient(over: float, under: float, form: str) -> str:
    return f"{over / under:.3g} ({over:{form}} / {under:{form}})"


def _agreement(model: Model, settings: RolloutSettings, personas: Sequence[Persona]) -> Line:
    """Compare our vectors with those of reading the very same answers again, one by one behind either prompt."""
    once, questions = replace(settings, rollouts=1), load_questions().questions
    least, cards = 1.0, iter(personas)
    for news in extract(model, personas, settings=once, common=()):
        if isinstance(news, Extracted):
            card = next(cards)
            asked = begin_pole(model, card.name, card.prompts, questions, once)[1]
            answers = [rollout.tokens for batch in news.pole for rollout in batch]
            behind = ([tokens_of(each.recipe) for each in asked], [each.plain for each in asked])
            whole, plain = (read_again(model, prompts, answers, before=1).mean(0) for prompts in behind)
            ours, again = news.vector.directions, whole - plain
            lengths = np.linalg.norm(ours, axis=-1) * np.linalg.norm(again, axis=-1)
            least = min(least, float(((ours * again).sum(-1) / lengths).min()))
    return "cosine with the vector of single readings, least over layers and personas", f"{least:.7f}", "", ">= 0.999"


def _memory(model: Model, settings: RolloutSettings, persona: Persona, folder: Path) -> list[Line]:
    """Compare the peaks of an extraction, its neutral pole included, with those of one of three times the rollouts."""
    # The smaller one has two batches already, so that one is written while the last is still there.
    sizes = [replace(settings, rollouts=times * settings.rollouts, max_tokens=_MEMORY_TOKENS) for times in (6, 2)]
    backend, host = zip(*(_peaks(model, size, persona, folder) for size in sizes), strict=True)
    return [
        ("peak MB of MLX beyond the model, 3 times the rollouts / once", _quotient(*backend, ",.1f"), "", ""),
        ("peak MB of Python and NumPy, 3 times the rollouts / once", _quotient(*host, ",.1f"), "", ""),
    ]


def _peaks(model: Model, settings: RolloutSettings, persona: Persona, folder: Path) -> tuple[float, float]:
    shutil.rmtree(folder / "home", ignore_errors=True)
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    tracemalloc.start()
    deque(extract(model, [persona], settings=settings, common=()), maxlen=0)
    host = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (mx.get_peak_memory() - before) / 1e6, host / 1e6


if __name__ == "__main__":
    main()
