"""Run one rival on one map, in this process: ``python source_finding_rivals.py NAME MAP FOLDER SETTINGS``.

SETTINGS is JSON, for the rival's own parameters. Writes the rival's own
results to FOLDER; ``source_finding_entries.py`` reads them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np


def pybdsf(path: Path, folder: Path, settings: dict[str, Any]) -> None:
    """PyBDSF: sources, and the Gaussians that they are made of."""
    import bdsf
    from astropy.io import fits

    header = fits.getheader(path)  # PyBDSF does not read RESTFRQ
    settings = {"frequency": float(header.get("RESTFRQ", 1.4e9)), **settings}
    here = folder / path.name
    here.unlink(missing_ok=True)
    here.symlink_to(path.resolve())  # it writes its log beside the map
    image = bdsf.process_image(str(here), quiet=True, ncores=1, **settings)
    for kind in ("srl", "gaul"):
        out = str(folder / f"{kind}.fits")
        image.write_catalog(outfile=out, format="fits", catalog_type=kind, clobber=True, correct_proj=False)


def aegean(path: Path, folder: Path, settings: dict[str, Any]) -> None:
    """BANE, then Aegean on its maps of background and noise."""
    bane = settings.get("bane", [])
    base, programs = str(folder / "map"), Path(sys.executable).parent
    run([str(programs / "BANE"), "--cores", "1", "--out", base, *bane, str(path)])
    noise = ["--noise", f"{base}_rms.fits", "--background", f"{base}_bkg.fits"]
    rest = settings.get("aegean", [])
    table = ["--table", str(folder / "table.fits"), "--out", os.devnull]
    run([sys.executable, "-c", AEGEAN, "--cores", "1", *noise, *table, *rest, str(path)])


AEGEAN = """
import sys
import numpy
# AegeanTools 2.3.5 asks for it where a fit is singular; NumPy 2.4 has it no more
numpy.linalg.linalg = numpy.linalg
from AegeanTools.CLI.aegean import main
sys.exit(main())
"""


def run(command: list[str]) -> None:
    """Run a program quietly; its words are shown if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def read(path: Path) -> Any:
    """Read the map's pixels, blanks as NaN."""
    from astropy.io import fits

    return np.ascontiguousarray(np.squeeze(fits.getdata(path)).astype(np.float32))


def source_extractor(path: Path, folder: Path, settings: dict[str, Any]) -> None:
    """Run sep; flux densities are Kron's, as SExtractor's FLUX_AUTO."""
    import sep

    sep.set_extract_pixstack(3_000_000)
    data = read(path)
    mask, mesh = ~np.isfinite(data), settings.get("mesh", 64)
    data[mask] = 0
    back = sep.Background(data, mask=mask, bw=mesh, bh=mesh, fw=3, fh=3)
    rms, data = back.rms(), data - back.back()
    kernel = np.array(settings["kernel"], dtype=np.float32) if "kernel" in settings else sep_kernel()
    found, segments = sep.extract(
        data,
        settings.get("flood", 3.0),
        err=rms,
        mask=mask,
        minarea=settings.get("minarea", 5),
        deblend_cont=settings.get("deblend_cont", 0.005),
        filter_kernel=kernel if settings.get("filter", True) else None,
        segmentation_map=True,
    )
    angle = np.clip(found["theta"], -np.pi / 2 + 1e-6, np.pi / 2 - 1e-6)  # sep refuses more
    shape = found["x"], found["y"], found["a"], found["b"], angle
    radius, _ = sep.kron_radius(data, *shape, 6.0, mask=mask)
    good = np.isfinite(radius) & (radius > 0)
    flux = found["flux"].astype(float)
    part = [column[good] for column in shape]
    flux[good] = sep.sum_ellipse(data, *part, 2.5 * np.maximum(radius[good], 1.4), mask=mask)[0]
    yp, xp = found["ypeak"], found["xpeak"]
    save(folder, found["x"], found["y"], flux, data[yp, xp], rms[yp, xp], segments)


def sep_kernel() -> Any:
    """Return sep's own default kernel."""
    return np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], dtype=np.float32)


def photutils(path: Path, folder: Path, settings: dict[str, Any]) -> None:
    """photutils: background on a mesh, SourceFinder with deblending, SourceCatalog."""
    from photutils.background import Background2D
    from photutils.segmentation import SourceCatalog, SourceFinder

    data = read(path)
    mask, mesh = ~np.isfinite(data), settings.get("mesh", 64)
    back = Background2D(data, mesh, mask=mask)
    rms, data = back.background_rms, data - back.background
    finder = SourceFinder(
        settings.get("n_pixels", 5),
        contrast=settings.get("contrast", 0.001),
        n_levels=settings.get("n_levels", 32),
        deblend=settings.get("deblend", True),
        progress_bar=False,
    )
    segments = finder(data, settings.get("flood", 3.0) * rms, mask=mask)
    found = SourceCatalog(data, segments, mask=mask)
    peak_y, peak_x = np.array(found.max_value_index, dtype=int).T
    flux = np.where(np.isfinite(found.kron_flux), found.kron_flux, found.segment_flux)
    save(
        folder,
        found.x_centroid,
        found.y_centroid,
        flux,
        data[peak_y, peak_x],
        rms[peak_y, peak_x],
        segments.data,
    )


def save(folder: Path, x: Any, y: Any, flux: Any, peak: Any, rms: Any, segments: Any) -> None:
    """Write what finders that segment give; ``flux`` is a sum of pixels, not yet over the beam."""
    part = folder / "segments.npz.part"
    with part.open("wb") as file:
        np.savez_compressed(file, x=x, y=y, flux=flux, peak=peak, rms=rms, segments=segments)
    part.rename(folder / "segments.npz")


RIVALS = {"pybdsf": pybdsf, "aegean": aegean, "sep": source_extractor, "photutils": photutils}

if __name__ == "__main__":
    _, name, map_name, out, text = sys.argv
    RIVALS[name](Path(map_name), Path(out), json.loads(text))
