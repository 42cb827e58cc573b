"""Would MONAI's model zoo take this bundle?"""

from .check import Check
from .check_bundle import check_bundle

__all__ = ["Check", "check_bundle"]
