"""What the figures say of one claim: pure functions from a claim and the figures that concern it to a verdict.

The claims are lines of `warehouse/ref/claim.csv`; `warehouse/mart/claim_check.py` fetches the figures and `judge` makes
one line of `mart.claim_check` of each. Rules: docs/methods.md, *Claims*.

Here are `judge`, the kinds of claims, and those that need no figures of the warehouse: sums, and what nobody publishes.
`etl.claim_counts` judges by recorded crime, `etl.claim_ranks` by ranks; `etl.claim_terms` holds what all of them share.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Sequence

from etl.claim_counts import judge_change, judge_change_percent, judge_lowest_since, judge_ratio, judge_total
from etl.claim_ranks import judge_rank, judge_rank_all_within
from etl.claim_terms import (
    LONGEST_EXPRESSION,
    CannotJudgeError,
    Check,
    Claim,
    Facts,
    UnitCost,
    Verdict,
    check_value,
    format_number,
    parse_tolerance,
    unreadable,
)


def judge(claim: Claim, facts: Facts) -> Check:
    """The verdict on a claim.

    Args:
        claim: what is claimed.
        facts: the figures that concern it.

    Raises:
        JusticeError: the claim's line cannot be read: no such `claim_check`, a column that its check needs is empty,
            a figure, a tolerance or an expression that is none, a year compared with that is no earlier one. Names
            file, claim and column.
    """
    if claim.claim_check not in KINDS:
        raise unreadable(claim, "claim_check", claim.claim_check, f"write one of: {', '.join(KINDS)}")
    if not math.isfinite(claim.claimed_value):
        raise unreadable(claim, "claimed_value", claim.claimed_value, "write a number: 215354, -40 or 0.5")
    parse_tolerance(claim)
    try:
        return KINDS[claim.claim_check](claim, facts)
    except CannotJudgeError as ending:
        return ending.check


# --- Without figures of the warehouse

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def evaluate(claim: Claim) -> float:
    """The value of the expression in `measure`: decimal numbers with + - * / and brackets, 200 characters at the most.

    Raises:
        JusticeError: it is anything else, divides by zero or is no finite number.
    """
    text = claim.measure or ""
    at_most = f"{LONGEST_EXPRESSION} characters at the most"
    allowed = f"write decimal numbers with + - * / and brackets, {at_most}: (21633 - 13431) / 2"
    if len(text) > LONGEST_EXPRESSION or not re.fullmatch(r"[0-9.+\-*/() ]+", text):
        raise unreadable(claim, "measure", text, allowed)
    try:
        return _evaluate(ast.parse(text.strip(), mode="eval").body)
    except ZeroDivisionError as error:
        raise unreadable(claim, "measure", text, "it divides by zero: mend it") from error
    except (SyntaxError, ValueError) as error:
        raise unreadable(claim, "measure", text, allowed) from error


def _evaluate(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _evaluate(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    raise ValueError(f"{type(node).__name__} is not allowed")


def judge_arithmetic(claim: Claim, facts: Facts) -> Check:
    """The sum that a claim states, over its own figures; without a tolerance what it implies is told beside others."""
    observed = evaluate(claim)
    if claim.tolerance is None:
        return _set_beside(claim, facts, observed)
    return check_value(claim, observed, f"{claim.measure} gives {format_number(observed, 2)} {claim.unit}", [])


def _set_beside(claim: Claim, facts: Facts, observed: float) -> Check:
    told = f"The claim implies {claim.measure} = {format_number(observed, 2)} {claim.unit} each, which is neither true "
    told += "nor false by itself."
    if claim.unit == "pounds" and facts.unit_costs:
        told += f" {_tell_unit_costs(facts.unit_costs)}"
    return Check(
        Verdict.NOT_CHECKABLE,
        told,
        publication_needed=f"The offences by group that the claim rests on, each with its published unit cost (records "
        f"of {claim.area_name})",
    )


def _tell_unit_costs(costs: Sequence[UnitCost]) -> str:
    low, high = min(costs, key=lambda cost: cost.pounds), max(costs, key=lambda cost: cost.pounds)
    average = sum(cost.pounds * cost.reoffences for cost in costs) / sum(cost.reoffences for cost in costs)
    base = f"Ministry of Justice, cohort of {low.cohort_year}, {low.price_base} prices"
    return (
        f"Published unit costs of a reoffence run from {low.pounds:,.0f} pounds ({low.offence_group}) to "
        f"{high.pounds:,.0f} ({high.offence_group}), {average:,.0f} on average over all reoffences ({base}): which of "
        "them would be needed depends on the mix of the offences, and that is not known."
    )


def judge_not_published(claim: Claim, _: Facts) -> Check:
    """A figure that nobody publishes."""
    return Check(
        Verdict.NOT_CHECKABLE,
        f"No published table states it: it is a figure of the records of {claim.area_name}.",
        publication_needed=f"Own records of {claim.area_name}",
    )


KINDS: dict[str, Callable[[Claim, Facts], Check]] = {
    "rank": judge_rank,
    "rank_all_within": judge_rank_all_within,
    "total": judge_total,
    "change": judge_change,
    "change_percent": judge_change_percent,
    "ratio": judge_ratio,
    "arithmetic": judge_arithmetic,
    "lowest_since": judge_lowest_since,
    "not_published": judge_not_published,
}
"""How each `claim_check` is judged."""
