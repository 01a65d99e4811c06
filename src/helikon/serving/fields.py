"""What an interface of a model server is sent: the fields that it knows, and no others.

BentoML passes over fields that an interface does not have, so that a misspelt
one is its default without a word. An interface that is told what it takes
refuses them::

    class Fields(KnownFields):
        table: Path
        offset: float = 0.0

    @bentoml.api(input_spec=Fields)
    def total(self, table: Path, offset: float) -> float: ...
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, model_validator

__all__ = ["KnownFields"]


class KnownFields(BaseModel):
    """Refuses what it does not know and names what it does; BentoML answers with status 400."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_others(cls, given: Any) -> Any:
        known = cls.model_fields
        if isinstance(given, Mapping) and (others := [name for name in given if name not in known]):
            raise ValueError(f"there is no field {others[0]}: expected one of {', '.join(known)}")
        return given
