"""GDAL's way to object storage: the options and the keys of ``rasterio.Env``. Needs rasterio."""

from typing import Any

from rasterio.session import Session

from helikon.object_keys import Place, find_keys
from helikon.spark.objects import Folder

__all__ = ["options"]


class _Session(Session):  # type: ignore[misc]
    """Finds the keys when GDAL wants them, and is pickled without."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def get_credential_options(self) -> dict[str, str]:
        """See rasterio."""
        keys = find_keys(self.place)
        if not keys.access_key:
            return {"AWS_NO_SIGN_REQUEST": "YES"}
        found = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
        return found | ({"AWS_SESSION_TOKEN": keys.session_token} if keys.session_token else {})


def options(folder: Folder) -> dict[str, Any]:
    """Return the keyword arguments of ``rasterio.Env`` for a folder; see :meth:`Folder.gdal_options`."""
    if not folder.is_remote:
        return {}
    ours: dict[str, Any] = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        # Short: who waits for a store that is away is Folder.patiently.
        "GDAL_HTTP_MAX_RETRY": "2",
        "GDAL_HTTP_RETRY_DELAY": "0.2",
        "GDAL_HTTP_RETRY_CODES": "ALL",
        "GDAL_HTTP_CONNECTTIMEOUT": "5",
        # GDAL would remember that an object is not there when its store was away for a moment.
        "CPL_VSIL_CURL_NON_CACHED": folder.gdal_path("x").removesuffix("/x"),
    }
    if folder.place is None:
        return ours
    ours |= {"AWS_REGION": folder.place.region, "session": _Session(folder.place)}
    if folder.place.endpoint:
        scheme, _, host = folder.place.endpoint.partition("://")
        ours |= {
            "AWS_S3_ENDPOINT": host,
            "AWS_HTTPS": "NO" if scheme == "http" else "YES",
            "AWS_VIRTUAL_HOSTING": "FALSE",
        }
    return ours
