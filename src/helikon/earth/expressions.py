"""Indices of bands: the usual ones by name, and any arithmetic expression.

An expression is parsed with :mod:`ast` and walked; nothing is evaluated that
is not one of the few operations below.
"""

import ast
import dataclasses
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError

__all__ = ["INDICES", "Index", "evaluate", "parse_index"]

Float = npt.NDArray[np.float32]

INDICES: Mapping[str, str] = {
    "ndvi": "(nir - red) / (nir + red)",
    "ndwi": "(green - nir) / (green + nir)",
    "nbr": "(nir - swir22) / (nir + swir22)",
    "evi": "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)",
    "evi2": "2.5 * (nir - red) / (nir + 2.4 * red + 1)",
    "savi": "1.5 * (nir - red) / (nir + red + 0.5)",
    "ndmi": "(nir - swir16) / (nir + swir16)",
    "mndwi": "(green - swir16) / (green + swir16)",
    "ndsi": "(green - swir16) / (green + swir16)",
}
"""Tucker 1979 (NDVI), McFeeters 1996 (NDWI), Key and Benson 2006 (NBR), Huete 2002 (EVI), Jiang 2008
(EVI2), Huete 1988 (SAVI), Gao 1996 (NDMI), Xu 2006 (MNDWI), Hall 1995 (NDSI)."""

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
    "log": (1, np.log),
    "exp": (1, np.exp),
    "minimum": (2, np.minimum),
    "maximum": (2, np.maximum),
}
_MOST_NODES = 200
_EXPECTED = f"band names, numbers, + - * / ** and {', '.join(_FUNCTIONS)}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A named expression of bands.

    Attributes
    ----------
    name : str
        Of the band that it makes.
    text : str
        The expression.
    bands : tuple of str
        The bands that it uses, in order of appearance.
    """

    name: str
    text: str
    bands: tuple[str, ...]


def parse_index(text: str) -> Index:
    """Read ``ndvi``, ``NAME=EXPRESSION`` or an expression.

    Raises
    ------
    InputError
        If it is no expression, or uses anything but bands, numbers and the
        operations allowed.
    """
    name, sign, expression = text.partition("=")
    if not sign:
        name, expression = text, INDICES.get(text.lower().strip(), text)
    elif not re.fullmatch(r"\s*[A-Za-z]\w*\s*", name):
        raise InputError("an index has no usable name", got=repr(text), expected="NAME=EXPRESSION")
    tree = _parse(expression)
    bands = dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    found = tuple(band for band in bands if band not in _FUNCTIONS)
    if not found:
        raise InputError("an index uses no band", got=repr(text), expected=_EXPECTED)
    return Index(name=name.strip().lower(), text=expression.strip(), bands=found)


def evaluate(index: Index, bands: Mapping[str, Float], out: Float | None = None) -> Float:
    """Return an index of bands, in float32; where it is not finite, NaN.

    Parameters
    ----------
    index : Index
    bands : Mapping[str, ndarray]
        Of one shape; NaN where there is nothing.
    out : ndarray, optional
        Is filled and returned.
    """
    with np.errstate(all="ignore"):
        value = np.asarray(_value(_parse(index.text).body, bands), dtype=np.float32)
    made = np.empty_like(value) if out is None else out
    made[...] = value
    np.copyto(made, np.float32(np.nan), where=~np.isfinite(value))
    return made


def _parse(text: str) -> ast.Expression:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError("this is no expression", got=repr(text[:200]), expected=_EXPECTED) from error
    nodes = list(ast.walk(tree))
    if len(nodes) > _MOST_NODES:
        raise InputError(
            "an expression is too long", got=f"{len(nodes)} terms", expected=f"{_MOST_NODES} at most"
        )
    _check(tree.body, text)
    return tree


def _check(node: ast.AST, text: str) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name():
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, text)
            _check(right, text)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            _check(operand, text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            if len(arguments) != _FUNCTIONS[name][0]:
                raise InputError(
                    f"{name} takes {_FUNCTIONS[name][0]} arguments", got=ast.unparse(node), expected=_EXPECTED
                )
            for argument in arguments:
                _check(argument, text)
        case _:
            raise InputError(
                "this is not allowed in an expression", got=repr(ast.unparse(node)), expected=_EXPECTED
            )


def _value(node: ast.expr, bands: Mapping[str, Float]) -> Any:
    match node:
        case ast.Constant(value=value):
            return np.float32(value)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return bands[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, bands), _value(right, bands))
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](_value(operand, bands))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name][1](*(_value(argument, bands) for argument in arguments))
    raise AssertionError("checked before")
