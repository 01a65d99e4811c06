"""What is searched, as text: ``1e-5..1e-2 log``, ``2..8``, ``0.1..0.5``, ``adam,sgd``."""

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from helikon.errors import InputError

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

__all__ = ["Choice", "Range", "distribution_of", "read_space", "suggest"]

_RANGE = re.compile(r"\s*(\S+?)\s*\.\.\s*(\S+?)\s*(?:\s(log|int|log int|int log))?\s*$")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers between two ends, both included.

    Attributes
    ----------
    low, high : float
        The ends.
    is_log : bool
        Whether their logarithms are drawn evenly.
    is_whole : bool
        Whether only whole numbers are drawn.
    """

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of some values."""

    values: tuple[str, ...]


def read_space(pairs: "tuple[str, ...] | list[str]") -> dict[str, Range | Choice]:
    """Read ``key=range`` texts.

    Both ends whole numbers make a range of whole numbers.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    read = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign or not key.strip():
            raise InputError(
                "a range to search cannot be read", got=repr(pair), expected="key=low..high or a,b"
            )
        read[key.strip()] = _read(text)
    return read


def suggest(trial: "optuna.Trial", space: dict[str, Range | Choice]) -> dict[str, Any]:
    """Return a value for each key, suggested by a trial."""
    return {key: _suggest(trial, key, one) for key, one in space.items()}


def distribution_of(what: Any) -> "BaseDistribution":
    """Return Optuna's distribution of what is searched: a range, a choice, a sequence, or one of its own."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(what, Choice):
        return CategoricalDistribution(what.values)
    if isinstance(what, list | tuple):
        return CategoricalDistribution(tuple(what))
    if not isinstance(what, Range):
        found: BaseDistribution = what
        return found
    if what.is_whole:
        return IntDistribution(int(what.low), int(what.high), log=what.is_log)
    return FloatDistribution(what.low, what.high, log=what.is_log)


def _suggest(trial: "optuna.Trial", key: str, one: Range | Choice) -> Any:
    if isinstance(one, Choice):
        return trial.suggest_categorical(key, one.values)
    if one.is_whole:
        return trial.suggest_int(key, int(one.low), int(one.high), log=one.is_log)
    return trial.suggest_float(key, one.low, one.high, log=one.is_log)


def _read(text: str) -> Range | Choice:
    if (found := _RANGE.match(text)) is None:
        values = tuple(value.strip() for value in text.split(","))
        if not all(values):
            raise InputError("a range to search cannot be read", got=repr(text), expected="low..high or a,b")
        return Choice(values=values)
    low, high, kind = found[1], found[2], (found[3] or "").split()
    try:
        ends = float(low), float(high)
    except ValueError as error:
        raise InputError("a range to search has no numbers", got=repr(text), expected="low..high") from error
    whole = "int" in kind or all(re.fullmatch(r"-?\d+", end) for end in (low, high))
    if not ends[0] < ends[1] or ("log" in kind and ends[0] <= 0):
        raise InputError(
            "a range to search is empty", got=repr(text), expected="low below high, above 0 if log"
        )
    return Range(low=ends[0], high=ends[1], is_log="log" in kind, is_whole=whole)
