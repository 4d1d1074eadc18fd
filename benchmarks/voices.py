"""What a voice does to what is written, beside its system prompt: prints the page docs/measured/voices.md.

Texts are measured by read-outs that had no part in the steering, against dose 0, a random direction, another persona
and the system prompt. With --keep texts go into a file as they come: a run that is stopped goes on where it was, and
several processes, of different personas, may share the file. The page is then printed of all that is in it:

    .venv/bin/python benchmarks/voices.py noir gothic --half report --keep voices.jsonl --no-page
    .venv/bin/python benchmarks/voices.py --half report --from voices.jsonl > docs/measured/voices.md
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from voice_arms import ARMS, UNTOUCHED, group_of
from voice_kept import Kept
from voice_measure import Plan, measure
from voice_page import page
from voice_readout import Ruler
from voice_shelf import Shelf
from voice_tasks import HALVES, KINDS, load_seeds
from voice_writing import ASKED, VoiceWriter

from billy_mlx import load
from billy_mlx.errors import BillyError, UsageError
from billy_mlx.measure.sentence_encoder import packaged_embedder
from billy_mlx.vectors.card import bundled_ids, load_sentences

_MANY = 4


def main() -> None:
    """Write, measure, print."""
    arguments = _arguments()
    try:
        plan = _plan(arguments)
        shelf = Shelf(arguments.from_file or arguments.keep, adding=arguments.from_file is None)
        source = Kept(shelf) if arguments.from_file else VoiceWriter(load(arguments.model), shelf, arguments.batch)
        sentences = load_sentences()
        ruler = Ruler(shelf, packaged_embedder(), sentences)
        sections = [measure(plan, kind, source, ruler, sentences, first=not at) for at, kind in enumerate(plan.kinds)]
    except BillyError as error:
        sys.exit(str(error))
    if arguments.page:
        left_out = source.left_out if isinstance(source, Kept) else []
        print(page(_head(plan, shelf, left_out), sections, plan.weights))


def _plan(arguments: argparse.Namespace) -> Plan:
    for persona in arguments.personas:
        group_of(persona)
    load_seeds(arguments.half, arguments.seeds)
    if arguments.prompts is not None and arguments.prompts < 2:
        raise UsageError("with fewer than two prompts nothing can be told; ask for more with --prompts")
    return Plan(
        personas=tuple(arguments.personas) or bundled_ids("writing"),
        kinds=_chosen(arguments.kind, tuple(KINDS), "kind of writing"),
        half=arguments.half,
        prompts=arguments.prompts,
        seeds=arguments.seeds,
        max_tokens=arguments.max_tokens,
        arms=_chosen(arguments.arms, ARMS, "arm"),
        dose=arguments.dose,
        weights=tuple(float(each) for each in arguments.weights.split(",") if each),
        pairs=arguments.blends,
        likelihood=arguments.likelihood,
    )


def _chosen(text: str, known: Sequence[str], what: str) -> tuple[str, ...]:
    chosen = tuple(each.strip() for each in text.split(",") if each.strip())
    for each in chosen:
        if each not in known:
            raise UsageError(f"there is no {what} {each}; there are {', '.join(known)}")
    return chosen


def _named(left_out: Sequence[tuple[str, str, str]]) -> str:
    """Return the voices that are left out; of many with one arm and kind only how many they are."""
    of_whom: dict[tuple[str, str], list[str]] = {}
    for arm, persona, kind in left_out:
        of_whom.setdefault((arm, kind), []).append(persona)
    return ", ".join(
        f"{arm} of {', '.join(personas) if len(personas) < _MANY else f'{len(personas)} voices'} ({kind})"
        for (arm, kind), personas in of_whom.items()
    )


def _head(plan: Plan, shelf: Shelf, left_out: Sequence[tuple[str, str, str]]) -> str:
    command = " ".join([".venv/bin/python benchmarks/voices.py", *sys.argv[1:]])
    control = [text.made_with for name, text in shelf.named.items() if name.arm == UNTOUCHED.arm]
    missing = f"\nNot all of their texts are there, so these are left out: {_named(left_out)}.\n" if left_out else ""
    return f"""# Do the voices show?

Model and versions: {control[-1] if control else "none"}. {len(plan.personas)} personas, dose {plan.dose:g}, prompts and
seeds of the half `{plan.half}` of `benchmarks/voices.toml`. They were frozen before the first run, and so were the
sentences in `personas/sentences.toml`: what there was to decide was decided on the half `decide`. Made by

    {command}
{missing}
An effect is always held against dose 0, the same prompt and seed without anything added; seeds are averaged within a
prompt before anything is tested, and intervals (95 %) and tests are over prompts.

- *specific effect*: the text by sentence embeddings, which nothing was steered by, on the line from plain sentences (0)
  to the persona's hand-written ones (1): its own line minus the mean of those of the others of its group. *own effect*
  is on its own line alone.
- *words*: those in a hundred that are of the card's `subject_words`, own minus others as well.
- *likelihood*: by how many nats a token the persona's hand-written sentences become likelier as answers to "{ASKED}",
  own minus others, over their eight subjects, the i-th read behind the card's i-th system prompt; *plain lost* is what
  plain sentences lose.
- *perplexity*: of the texts under the unsteered model without a system prompt, by that of dose 0; over personas the
  geometric mean. Another register is not damage: hold it against that of `prompt`. *effect a nat* is the specific
  effect by the logarithm of it.
- *repeated*: the share of runs of four words that have come before in a text, more than at dose 0.
- *shows*: the p-value of the specific effect by turning signs over prompts, two-sided and corrected over all personas
  of the arm (Holm), is below 0.05, and the mean above 0.

The arms: `prompt` is the card's system prompt, prompt number i with the card's i-th, so that the mean is over its five;
`layered` and `balanced` are the modes; `random` points anywhere and is as long as `layered` at each layer;
`prompt+half` is the system prompt and half the dose of `layered`. *another persona* reads, on a persona's own line, the
`layered` texts of the others."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("personas", nargs="*", help="ids; the twelve writing voices if none is named")
    add("--half", choices=HALVES, default="decide")
    add("--kind", default="chat", help=f"one or several of {','.join(KINDS)}")
    add("--prompts", type=int, help="of each kind at most; all there are, of `length` eight")
    add("--seeds", type=int, default=3, help="of the three that are frozen")
    add("--max-tokens", type=int, help="40 of chat and continuation; more of the others")
    add("--arms", default=",".join(ARMS), help="some of them; dose-0 is always there")
    add("--dose", type=float, default=1.0)
    add(
        "--weights", default="", metavar="0,0.25,0.5,0.75,1", help="weights of layered that its effect should rise with"
    )
    add("--blends", type=int, default=0, metavar="N", help="half-and-half pairs of the voices that show prompted")
    add("--likelihood", action=argparse.BooleanOptionalAction, default=True, help="of hand-written sentences")
    add("--batch", type=int, default=48, help="texts written at the same time")
    add("--keep", type=Path, metavar="FILE", help="add what is written to it, and do not write what is in it")
    add("--from", type=Path, metavar="FILE", dest="from_file", help="print the page of what is kept, without a model")
    add("--page", action=argparse.BooleanOptionalAction, default=True, help="print it")
    add("--model")
    return parser.parse_args()


if __name__ == "__main__":
    main()
