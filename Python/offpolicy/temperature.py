"""The temperature α of soft actor-critics, as it is now."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import Any, ClassVar, Dict, Iterator, Optional

import numpy as np

from . import _safetensors, arguments
from .tensors import as_array, as_used


class WithTemperature:
    """A model whose policy's entropy is weighted by α: learned or fixed, as `ent_coef` says."""

    #: H̄ for each action dimension where `target_entropy` is "auto"
    _entropy_per_action: ClassVar[float] = -1.0

    @property
    def log_ent_coef(self) -> Any:
        """log α (1) as it is now; None where α is fixed."""
        if "learned" not in arguments.temperature(self.ent_coef):  # type: ignore[attr-defined]
            return None
        return self.get_parameters()["policy"]["log_temperature"]  # type: ignore[attr-defined]

    @property
    def ent_coef_tensor(self) -> Any:
        """α as it is now, an array of no dimensions."""
        logarithm = as_array(self.get_parameters()["policy"]["log_temperature"])  # type: ignore[attr-defined]
        return as_used(np.exp(logarithm).reshape(()))

    def _fixed_temperature(self) -> Optional[bytes]:
        """log α of a new learner, as parameters; None where α is learned."""
        if "learned" in arguments.temperature(self.ent_coef):  # type: ignore[attr-defined]
            return None
        tensors, _ = _safetensors.decode(self._learner.result("parameters"))  # type: ignore[attr-defined]
        return _safetensors.encode({name: tensors[name] for name in ("number.log_temperature", "log_temperature")})

    def _temperature_loss(self, means: Dict[str, float]) -> Optional[float]:
        """log α (H − H̄), what α descends, of means over updates; None where α is fixed or nothing was updated."""
        alpha, entropy = means.get("temperature"), means.get("entropy")
        target = self.target_entropy  # type: ignore[attr-defined]
        if target == "auto":
            target = self._entropy_per_action * int(np.prod(self.action_space.shape))  # type: ignore[attr-defined]
        is_learned = "learned" in arguments.temperature(self.ent_coef) and not self.is_discrete  # type: ignore[attr-defined]
        if alpha is None or entropy is None or not is_learned or not alpha > 0:
            return None
        return math.log(alpha) * (entropy - float(target))

    def _soft_settings(self, has_targets: bool = True) -> Dict[str, Any]:
        """Rates, targets and temperature of a soft actor-critic with real-valued actions, by the library's names."""
        entropy = self.target_entropy  # type: ignore[attr-defined]
        tracking: Dict[str, Any] = {}
        if has_targets:
            tracking["targetTracking"] = arguments.tracking(self.tau, self.target_update_interval)  # type: ignore[attr-defined]
        return {
            **tracking,
            **self._rates(  # type: ignore[attr-defined]
                "policyLearningRate", "criticLearningRate", "temperatureLearningRate"),
            "temperature": arguments.temperature(self.ent_coef),  # type: ignore[attr-defined]
            "targetEntropy": None if entropy == "auto" else arguments.number("target_entropy", entropy),
        }


@contextmanager
def keeping_temperature(model: Any, is_new: bool) -> Iterator[None]:
    """Around a restore: keeps the temperature that a new `ent_coef` fixes, instead of the saved one."""
    fixed = model._fixed_temperature() if is_new and hasattr(model, "_fixed_temperature") else None
    yield
    if fixed is not None:
        model._learner.give("set_parameters", fixed)
