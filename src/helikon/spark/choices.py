"""Optuna's samplers and pruners by name, with their own options. Imports Optuna only when one is made."""

import inspect
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from helikon.errors import InputError, Missing

if TYPE_CHECKING:
    import optuna

__all__ = ["PRUNERS", "SAMPLERS", "make_pruner", "make_sampler", "read_options"]

SAMPLERS = {
    "tpe": "TPESampler",
    "random": "RandomSampler",
    "qmc": "QMCSampler",
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "nsga2": "NSGAIISampler",
    "nsga3": "NSGAIIISampler",
    "grid": "GridSampler",
    "brute-force": "BruteForceSampler",
    "partial-fixed": "PartialFixedSampler",
}
"""Name of each sampler, and Optuna's class."""

PRUNERS = {
    "median": "MedianPruner",
    "percentile": "PercentilePruner",
    "halving": "SuccessiveHalvingPruner",
    "hyperband": "HyperbandPruner",
    "threshold": "ThresholdPruner",
    "patient": "PatientPruner",
    "wilcoxon": "WilcoxonPruner",
    "none": "NopPruner",
}
"""Name of each pruner, and Optuna's class."""

_QUIET = {
    "QMCSampler": {"warn_independent_sampling": False},
    "CmaEsSampler": {"warn_independent_sampling": False},
}


class _Yaml(yaml.SafeLoader):
    """YAML in which ``1e-3`` is a number, as in YAML 1.2; in 1.1 it takes a point to be one."""


_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def make_sampler(
    name: str, *, seed: int | None = None, options: Mapping[str, Any] | None = None
) -> "optuna.samplers.BaseSampler":
    """Return a sampler.

    Parameters
    ----------
    name : str
        One of :data:`SAMPLERS`.
    seed : int, optional
        Of its random numbers.
    options : Mapping[str, object], optional
        The class's own. ``search_space`` of ``grid`` is a mapping from each
        parameter to its values; ``fixed_params`` of ``partial-fixed`` one from
        parameter to value, and ``base_sampler`` the name of another sampler.

    Raises
    ------
    InputError
        If there is no such sampler or option, or a value cannot be used.
    Missing
        If it needs a package that is not installed.
    """
    from optuna import samplers

    given = dict(options or {})
    if name == "brute-force":
        from helikon.spark import brute_force

        return _make(brute_force, SAMPLERS, "sampler", name, {"seed": seed} | given)
    if name == "partial-fixed":
        given["base_sampler"] = make_sampler(str(given.get("base_sampler", "tpe")), seed=seed)
    return _make(samplers, SAMPLERS, "sampler", name, {"seed": seed} | given)


def make_pruner(name: str, *, options: Mapping[str, Any] | None = None) -> "optuna.pruners.BasePruner":
    """Return a pruner: one of :data:`PRUNERS`, with its own options; see :func:`make_sampler`.

    ``wrapped_pruner`` of ``patient`` is the name of another pruner, or nothing.
    """
    from optuna import pruners

    given = dict(options or {})
    if name == "patient":
        inner = given.get("wrapped_pruner")
        given["wrapped_pruner"] = None if inner is None else make_pruner(str(inner))
    return _make(pruners, PRUNERS, "pruner", name, given)


def read_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``key=value`` options, the values as YAML: ``multivariate=true``, ``percentile=25.0``.

    Raises
    ------
    InputError
        If one has no ``=``, or its value is no YAML.
    """
    read = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        try:
            read[key.strip()] = yaml.load(value, Loader=_Yaml)
        except yaml.YAMLError as error:
            raise InputError(f"option {key} cannot be read", got=repr(value), expected="YAML") from error
        if not sign or not key.strip():
            raise InputError("an option cannot be read", got=repr(pair), expected="key=value")
    return read


def _make(module: Any, names: Mapping[str, str], kind: str, name: str, options: Mapping[str, Any]) -> Any:
    from optuna.exceptions import ExperimentalWarning

    if name not in names:
        raise InputError(f"there is no {kind} {name}", expected=f"one of {', '.join(names)}")
    made = getattr(module, names[name])
    known = [key for key in inspect.signature(made.__init__).parameters if key != "self"]
    given = {key: value for key, value in options.items() if key != "seed" or "seed" in known}
    if unknown := [key for key in given if key not in known]:
        raise InputError(f"{kind} {name} has no option {unknown[0]}", expected=f"one of {', '.join(known)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return made(**_QUIET.get(names[name], {}) | given)
    except ImportError as error:
        reason = str(error).split(".")[0]
        raise Missing(f"{kind} {name} needs a package that is not installed", got=reason) from error
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0].removeprefix(f"{names[name]}.__init__() ")
        raise InputError(f"{kind} {name} cannot be made", got=reason) from error
