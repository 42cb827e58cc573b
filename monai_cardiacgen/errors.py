"""Every error that this package raises on purpose, so that one `except` can catch them.

```
CardiacGenError
├── InputError (also ValueError)      a tensor or an argument is not what was expected
│   ├── ShapeError                    wrong number of dimensions, channels or an indivisible size
│   ├── LabelError                    unknown codes, an empty label, a label that is not integer or one-hot
│   ├── SpacingError                  a spacing or a field of view that the model was not made for
│   └── IntensityError                NaN, infinity, or a constant image where contrast is needed
├── DataError (also OSError)          a file or folder is missing, odd or damaged
├── CheckpointError (also OSError)    weights or a bundle are missing, damaged, or not safe to load
└── SamplingError (also RuntimeError) no valid heart was found within the allowed number of draws
```

A message says what was expected, what came, and what to do.
"""

from __future__ import annotations


class CardiacGenError(Exception):
    """Base of all errors of this package."""


class InputError(CardiacGenError, ValueError):
    """A tensor or an argument is not what was expected."""


class ShapeError(InputError):
    """Wrong number of dimensions or channels, or a size that the network's depth does not divide."""


class LabelError(InputError):
    """Label codes that the scheme does not know, or a label map without what the call needs."""


class SpacingError(InputError):
    """A spacing or field of view that the model was not made for."""


class IntensityError(InputError):
    """Intensities that are not finite, or without any contrast."""


class DataError(CardiacGenError, OSError):
    """A file or a folder is missing, odd or damaged."""


class CheckpointError(CardiacGenError, OSError):
    """Weights or a bundle are missing, damaged, or not safe to load."""


class SamplingError(CardiacGenError, RuntimeError):
    """No valid heart was found within the allowed number of draws."""
