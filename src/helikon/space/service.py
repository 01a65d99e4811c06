"""The model server of space: a map goes in, a catalogue comes out."""

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType
from starlette.responses import JSONResponse

from helikon.errors import UserError
from helikon.pool import run_here
from helikon.serving.fields import KnownFields
from helikon.space.beam import parse_beam
from helikon.space.card import SHIPPED
from helikon.space.finder_settings import FLOOD_SIGMA, SCORE_THRESHOLD, SEED_SIGMA, FinderSettings
from helikon.space.fits import open_map
from helikon.space.formats import write_catalogue
from helikon.space.model import load_model
from helikon.space.report import report
from helikon.space.survey import ModelFile, search_map

__all__ = ["SourceFinder"]

ZIP = ContentType("application/zip")
_UPLOAD = re.compile("^tmp[a-z0-9_]{8}(?=.)")
"""What BentoML puts before the name of an uploaded file."""


class FindFields(KnownFields):
    """The form of :meth:`SourceFinder.find`, which tells what they mean."""

    map: Path
    seed_sigma: float = SEED_SIGMA
    flood_sigma: float = FLOOD_SIGMA
    score_threshold: float = SCORE_THRESHOLD
    beam: str = ""
    name: str = ""


@bentoml.service(name="SourceFinder", workers=1)
class SourceFinder:
    """Find, classify and measure sources in radio maps.

    The model is the folder that ``HELIKON_MODEL_DIR`` names, else the one that
    comes with Helikon. Threads, time limits and the token that callers need
    are set by ``helikon.serving``.
    """

    def __init__(self) -> None:
        folder = Path(os.environ.get("HELIKON_MODEL_DIR") or SHIPPED)
        load_model(folder)  # refuses to start on a model that cannot be used
        self.model = ModelFile.of(folder)

    @bentoml.api(input_spec=FindFields)  # type: ignore[untyped-decorator]
    def find(
        self,
        context: bentoml.Context,
        *,
        map: Path,
        seed_sigma: float,
        flood_sigma: float,
        score_threshold: float,
        beam: str,
        name: str,
    ) -> Annotated[Path, ZIP]:
        """Return a ZIP file of the catalogue in all formats, its picture and report.json.

        Parameters
        ----------
        map : Path
            A radio map in FITS, uploaded; of any content type.
        seed_sigma, flood_sigma : float
            A source has a peak of at least ``seed_sigma`` local sigma and
            reaches down to ``flood_sigma``.
        score_threshold : float
            Pieces are joined if more probably than this one source; less will do in one island
            (0.16), and more is asked of points (9/16).
        beam : str
            FWHM or MAJOR,MINOR,PA in arcseconds; instead of the header's.
        name : str
            What the map is called in titles; by default its file name.

        Notes
        -----
        A map that cannot be used is answered with status 400 and
        ``{"error": {"what", "got", "expected", "next"}}``, a field that there is
        not with BentoML's ``{"error", "detail"}``.
        """
        try:
            settings = FinderSettings(
                seed_sigma=seed_sigma, flood_sigma=flood_sigma, score_threshold=score_threshold
            )
            return self._answer(map, Path(context.temp_dir), settings, beam, name)
        except UserError as error:
            context.response.status_code = 400
            refusal: Any = JSONResponse({"error": error.as_dict()}, status_code=400)
            return refusal  # type: ignore[no-any-return]

    def _answer(self, file: Path, folder: Path, settings: FinderSettings, beam: str, name: str) -> Path:
        used = parse_beam(beam) if beam else None
        out, name = folder / "sources", name or _UPLOAD.sub("", file.name)
        search = search_map(file, self.model, settings, out=out, run=run_here, beam=used, name=name)
        with search as (catalogue, radio_map), open_map(file, beam=used, name=name) as searched:
            files = write_catalogue(catalogue, radio_map, out, searched=searched)
        archive = folder / "sources.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for label, path in files.items():
                zipped.write(path, label)
            zipped.writestr("report.json", json.dumps(report(catalogue), indent=1))
        return archive
