"""What answers cost, and by how much a discussion costs more than a blend."""

from billy_mlx.bench.report.numbers import NONE, plain
from billy_mlx.bench.report.tables import ReportTable
from billy_mlx.bench.result import GroupCost, Result

PAPER = "arXiv 2510.10157"
PAPER_TIME, PAPER_TOKENS = "27", "about 190"  # discussion ÷ BILLY, with Llama-3.1-8B on a GPU
SPREAD = (1, 100, 10_000)  # queries
DISCUSSION, BLENDS = "discussion", "billy"


def seconds(cost: GroupCost) -> float:
    """Return wall-clock seconds a query: of a batch, divided by its rows."""
    return cost.wall_seconds / max(1, cost.queries)


def tokens(cost: GroupCost) -> float:
    """Return tokens a query, in and out."""
    return (cost.tokens_in + cost.tokens_out) / max(1, cost.queries)


def forwarded(cost: GroupCost) -> float:
    """Return tokens a query that went through the model."""
    return cost.tokens_forwarded / max(1, cost.queries)


def group_of(result: Result, arm: str) -> GroupCost | None:
    """Return what the group of `arm` cost."""
    return next((cost for cost in result.costs if arm in cost.arms or arm == cost.group), None)


def cost_table(result: Result) -> ReportTable:
    """Return what a query took: a row for each arm, or for several that do the same work and were written together."""
    columns = (
        "arms", "queries", "turns a query", "seconds a query", "tokens in a query", "tokens out a query",
        "tokens forwarded a query", "tokens out a second", "peak memory (GB)", "rows at once",
    )  # fmt: skip
    rows = [
        (
            cost.group if len(cost.arms) == 1 else f"{cost.group} ({len(cost.arms)} arms)",
            plain(cost.queries),
            *map(plain, (cost.turns / n, seconds(cost), cost.tokens_in / n, cost.tokens_out / n, forwarded(cost))),
            plain(cost.tokens_out / cost.wall_seconds if cost.wall_seconds > 0 else None),
            plain(cost.peak_memory_gb),
            plain(cost.rows_at_once),
        )
        for cost in result.costs
        for n in (max(1, cost.queries),)
    ]
    return ReportTable("What a query took", columns, tuple(rows))


def ratio_table(result: Result) -> ReportTable:
    """Return how many times as much a discussion takes as a blend, here and in the paper.

    What steering itself takes is not told of here: it is less than the times of two batches differ by.
    """
    discussion, blends = group_of(result, DISCUSSION), group_of(result, BLENDS)
    rows = [] if discussion is None or blends is None else [_ratios(discussion, blends)]
    if result.costs:
        rows.append((f"{DISCUSSION} ÷ BILLY in the paper ({PAPER})", PAPER_TIME, PAPER_TOKENS, NONE, NONE))
    columns = ("groups", "time a query", "tokens a query (in and out)", "tokens forwarded a query", "rows at once")
    return ReportTable("How many times as much", columns, tuple(rows))


def spread_table(result: Result) -> ReportTable:
    """Return what a query took with the vectors' one-time cost spread over N queries; no rows if that is not known."""
    vectors, discussion, blend = result.vectors, group_of(result, DISCUSSION), group_of(result, BLENDS)
    rows = [
        (
            f"{blend.group}, N = {n:,}",
            plain(_spread(seconds(blend), vectors.wall_seconds, n)),
            plain(_spread(tokens(blend), vectors.tokens, n)),
            *(
                plain(_over(None if discussion is None else of(discussion), _spread(of(blend), once, n)))
                for of, once in ((seconds, vectors.wall_seconds), (tokens, vectors.tokens))
            ),
        )
        for n in SPREAD
        if blend is not None
        and vectors is not None
        and (vectors.tokens is not None or vectors.wall_seconds is not None)
    ]
    columns = ("queries", "seconds a query", "tokens a query", "time: discussion ÷ this", "tokens: discussion ÷ this")
    return ReportTable("With the vectors' one-time cost spread over N queries", columns, tuple(rows))


def vectors_sentence(result: Result) -> str:
    """Return in a sentence what the vectors cost once, or that nobody knows."""
    vectors = result.vectors
    if vectors is None:
        return "No vectors were used."
    known = [
        f"{plain(amount)} {unit}" for amount, unit in ((vectors.tokens, "tokens"), (vectors.wall_seconds, "seconds"))
        if amount is not None
    ]  # fmt: skip
    most = f"take at most {' and '.join(known)} to make, once, at the speed of this run"
    cost = most if known else "came ready-made: what they cost once is not known here"
    return f"The vectors of {', '.join(vectors.personas)} {cost} ({vectors.source})."


def ratios(result: Result, above: str, below: str) -> tuple[float, float] | None:
    """Return how many times the time and the tokens a query of the group of `below` that of `above` takes."""
    one, other = group_of(result, above), group_of(result, below)
    if one is None or other is None:
        return None
    time, amount = _over(seconds(one), seconds(other)), _over(tokens(one), tokens(other))
    return None if time is None or amount is None else (time, amount)


def _ratios(above: GroupCost, below: GroupCost) -> tuple[str, ...]:
    time, amount, through = (plain(_over(of(above), of(below))) for of in (seconds, tokens, forwarded))
    return f"{above.group} ÷ {below.group}", time, amount, through, f"{above.rows_at_once} and {below.rows_at_once}"


def _over(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _spread(each: float, once: float | None, n: int) -> float | None:
    return None if once is None else each + once / n
