"""MOVED to ..data.files: import from there; this shim goes away soon."""

from ..data.files import *  # noqa: F403
from ..data.files import load_checkpoint, read_csv, save_checkpoint, whole_file, write_csv, write_json  # noqa: F401
