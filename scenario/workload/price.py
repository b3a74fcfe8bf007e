"""What things cost, in the language: an amount with its currency, `2.50USD`.

Money has no SI unit: the currency stays beside the amount, and amounts of different currencies do not mix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from scenario.text.fields import problem
from scenario.text.strict import Strict
from scenario.types.topology import Price

_AMOUNT = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_CURRENCY = r"[A-Z]{3}"
_EXPECTED = "an amount and a currency of three letters, such as 2.50USD"


@dataclass(frozen=True)
class _Money:
    """Reads an amount of money."""

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        pattern = rf"^{_AMOUNT} ?{_CURRENCY}$"
        return {
            "type": "string",
            "pattern": pattern,
            "examples": ["2.50USD"],
            "x-quantity": "money",
        }

    def read(self, written: object) -> Price:
        """The amount and its currency. Raises PydanticCustomError."""
        if isinstance(written, (int, float)) and not isinstance(written, bool):
            hint = f"did you mean {written}USD?"
            raise problem("an amount of money without its currency", _EXPECTED, hint)
        found = re.fullmatch(rf"({_AMOUNT}) ?({_CURRENCY})", str(written))
        if found is None:
            raise problem("not an amount of money", _EXPECTED)
        return Price(float(found[1]), found[2])


Money: TypeAlias = Annotated[Price, _Money()]


class PriceModel(Strict):
    """What the workload's hardware costs. Without it no money is spoken of."""

    gpu_hour: Money
    """One GPU for one hour, idle or not."""
