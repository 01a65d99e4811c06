"""What the finder is told."""

import dataclasses
import math

from helikon.errors import InputError

__all__ = ["FLOOD_SIGMA", "SCORE_THRESHOLD", "SEED_SIGMA", "FinderSettings"]

SEED_SIGMA, FLOOD_SIGMA, SCORE_THRESHOLD = 5.0, 3.0, 0.3
"""What holds where nothing is said, here and for commands and services."""

LEAST_WINDOW = 256
FAINT_SHARE = 0.8
"""Part of the seed threshold from which islands may belong to a source that reaches it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinderSettings:
    """What the finder is told.

    Attributes
    ----------
    seed_sigma : float
        A source has a pixel of at least this significance.
    flood_sigma : float
        Its pixels reach down to this significance; not above ``seed_sigma``.
    score_threshold : float
        Pieces are joined where the pairs between them, taken together, are more
        probable than this to be one source; 0 to 1. Of pairs of one island it is
        a probability of 4/9 of its odds, 0.16 for 0.3, and of pairs that are not
        both wider than most sources of the map one of three times its odds, 9/16 for 0.3.
    tile_pixels, overlap_pixels : int
        Largest side of the tiles that the network looks at, and how much they
        share, in pixels of its own scale (beam of 5 pixels).
    window_pixels : int
        Largest side of the windows in which a large map is searched; one of
        no more pixels than such a window is searched as a whole.
    """

    seed_sigma: float = SEED_SIGMA
    flood_sigma: float = FLOOD_SIGMA
    score_threshold: float = SCORE_THRESHOLD
    tile_pixels: int = 1152
    overlap_pixels: int = 160
    window_pixels: int = 2560

    def __post_init__(self) -> None:
        """Refuse thresholds that find nothing or everything."""
        if not 0 < self.flood_sigma <= self.seed_sigma < math.inf:
            raise InputError(
                "these thresholds cannot be used",
                got=f"seed {self.seed_sigma:g} and flood {self.flood_sigma:g} sigma",
                expected="0 < flood <= seed, finite",
            )
        if not 0 <= self.score_threshold <= 1:
            raise InputError(
                "this score threshold cannot be used", got=f"{self.score_threshold:g}", expected="0 to 1"
            )
        if self.window_pixels < LEAST_WINDOW:
            raise InputError(
                "windows cannot be so small",
                got=f"{self.window_pixels} pixels",
                expected=f"{LEAST_WINDOW} or more",
            )

    @property
    def faint_sigma(self) -> float:
        """Significance from which an island may be a part of a source that reaches ``seed_sigma``."""
        return max(self.flood_sigma, FAINT_SHARE * self.seed_sigma)
