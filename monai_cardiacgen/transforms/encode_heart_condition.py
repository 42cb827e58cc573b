"""View, phase and the like as the vector that a conditional network is told."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import MapTransform

from ..anatomy.heart_condition import HeartCondition


class EncodeHeartConditiond(MapTransform):
    """Add the condition of an item, encoded from its categories, as a float32 vector.

    Args:
        condition: the categories, which the items must have; for example `APICAL_CONDITION`.
        output_key: where the vector goes; trainers look for `"condition"`.

    Example:
        >>> from monai_cardiacgen.anatomy import APICAL_CONDITION
        >>> EncodeHeartConditiond(APICAL_CONDITION)({"view": "2CH", "phase": "ES"})["condition"]
        tensor([1., 0., 0., 1.])
    """

    def __init__(self, condition: HeartCondition, output_key: str = "condition") -> None:
        super().__init__(tuple(condition.categories))
        self.condition = condition
        self.output_key = output_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with the vector added.

        Raises:
            InputError: when a category is missing, or has an unknown value.
        """
        categories = {name: data.get(name) for name in self.condition.categories}
        return {**data, self.output_key: self.condition.encode([categories])[0]}
