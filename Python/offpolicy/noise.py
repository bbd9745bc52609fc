"""Noise that a model adds to its actions while it collects data, in units of actions scaled to [−1, 1].

Noise of these classes with mean 0 and one standard deviation for all actions is drawn by the library itself. Any other object
that is called for its next value is drawn in Python. The state of the classes here is part of a saved model.
"""

from __future__ import annotations

import copy
from typing import Any, Dict, Iterable, List, Optional

import numpy as np

from .errors import UnsupportedError
from .packing import pack, unpack


class ActionNoise:
    """Base: called for the next value, an array of the shape of an action."""

    _generator: Optional[np.random.Generator] = None

    @property
    def generator(self) -> np.random.Generator:
        """What it draws from, seeded by NumPy's global generator at the first use."""
        if self._generator is None:
            self._generator = np.random.default_rng(np.random.randint(2**32, size=4, dtype=np.uint32))
        return self._generator

    def reset(self) -> None:
        """Called when an episode ends."""

    def __call__(self) -> np.ndarray:
        raise NotImplementedError


class NormalActionNoise(ActionNoise):
    """Independent at each step: mean + sigma ε, with ε from a normal distribution."""

    def __init__(self, mean: Any, sigma: Any, dtype: Any = np.float32) -> None:
        self._mu, self._sigma, self._dtype = np.asarray(mean), np.asarray(sigma), dtype

    def __call__(self) -> np.ndarray:
        return self.generator.normal(self._mu, self._sigma).astype(self._dtype)

    def __repr__(self) -> str:
        return f"NormalActionNoise(mu={self._mu}, sigma={self._sigma})"


class OrnsteinUhlenbeckActionNoise(ActionNoise):
    """Correlated: x ← x + theta (mean − x) dt + sigma √dt ε (Uhlenbeck & Ornstein 1930)."""

    def __init__(
        self, mean: Any, sigma: Any, theta: float = 0.15, dt: float = 1e-2, initial_noise: Any = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        self._mu, self._sigma, self._theta, self._dt, self._dtype = np.asarray(mean), np.asarray(sigma), theta, dt, dtype
        self.initial_noise = initial_noise
        self.reset()

    def reset(self) -> None:
        start = np.zeros_like(self._mu, dtype=float) if self.initial_noise is None else np.asarray(self.initial_noise)
        self.noise_prev = start

    def __call__(self) -> np.ndarray:
        drift = self._theta * (self._mu - self.noise_prev) * self._dt
        spread = self._sigma * np.sqrt(self._dt)
        self.noise_prev = self.noise_prev + drift + spread * self.generator.normal(size=self._mu.shape)
        return self.noise_prev.astype(self._dtype)

    def __repr__(self) -> str:
        return f"OrnsteinUhlenbeckActionNoise(mu={self._mu}, sigma={self._sigma})"


class VectorizedActionNoise(ActionNoise):
    """A noise of its own for each of `n_envs` environments, stacked."""

    def __init__(self, base_noise: Any, n_envs: int) -> None:
        if base_noise is None or not callable(base_noise):
            kind = ValueError if base_noise is None else TypeError
            raise kind(f"expected an ActionNoise, got {base_noise!r}")
        if not hasattr(n_envs, "__index__") or int(n_envs) < 1:
            raise ValueError(f"expected at least one environment, got n_envs={n_envs!r}")
        self.base_noise, self.n_envs = base_noise, int(n_envs)
        self.noises: List[Any] = [copy.deepcopy(base_noise) for _ in range(self.n_envs)]
        # each draws for itself
        restart_noise(self)

    def reset(self, indices: Optional[Iterable[int]] = None) -> None:
        """Resets the noise of some environments, or of all."""
        for i in range(self.n_envs) if indices is None else indices:
            self.noises[i].reset()

    def __call__(self) -> np.ndarray:
        return np.stack([noise() for noise in self.noises])

    def __repr__(self) -> str:
        return f"VectorizedActionNoise({self.base_noise!r}, n_envs={self.n_envs})"


def check_noise(noise: Any, size: int, n_envs: int) -> None:
    """Refuses noise of another size than a model's actions, or of another number of environments."""
    if hasattr(noise, "noises") and len(noise.noises) != n_envs:
        raise UnsupportedError(
            f"action_noise is for {len(noise.noises)} environments, the model has {n_envs}; give the noise of one, without "
            "VectorizedActionNoise, and each environment gets a copy"
        )
    one = noise.noises[0] if hasattr(noise, "noises") else noise
    for name, what in (("_mu", "mean"), ("_sigma", "sigma")):
        given = np.size(getattr(one, name, 0.0))
        if given not in (1, size):
            raise UnsupportedError(f"the {what} of action_noise has {given} numbers, an action has {size}")


def noise_for(noise: Any, n_envs: int) -> Any:
    """The noise of a saved model for another number of environments."""
    is_other = hasattr(noise, "noises") and len(noise.noises) != n_envs
    return VectorizedActionNoise(noise.base_noise, n_envs) if is_other else noise


def reset_noise(noise: Any, lane: int) -> None:
    """Resets the noise of one environment."""
    noise.reset(**({"indices": [lane]} if hasattr(noise, "noises") else {}))


def restart_noise(noise: Any) -> None:
    """Lets noise draw from a new generator, which NumPy's global one seeds."""
    for one in getattr(noise, "noises", [noise]):
        if isinstance(one, ActionNoise):
            one._generator = None


def noise_state(noise: Any) -> Any:
    """The state of a noise as JSON; None for classes that are not in this file."""
    if isinstance(noise, VectorizedActionNoise):
        states = [noise_state(one) for one in noise.noises]
        return None if None in states else states
    if type(noise) not in (NormalActionNoise, OrnsteinUhlenbeckActionNoise):
        return None
    generator = None if noise._generator is None else noise._generator.bit_generator.state
    return pack({"generator": generator, "previous": getattr(noise, "noise_prev", None)})


def set_noise_state(noise: Any, state: Any) -> None:
    """Sets a noise to a saved state."""
    if isinstance(noise, VectorizedActionNoise):
        for one, its in zip(noise.noises, state):
            set_noise_state(one, its)
    elif state is not None:
        state = unpack(state)
        if state["generator"] is not None:
            noise.generator.bit_generator.state = state["generator"]
        if state["previous"] is not None:
            noise.noise_prev = state["previous"]


def native_noise(noise: Any) -> Optional[Dict[str, Any]]:
    """The library's setting `explorationNoise` for a noise; None where the library does not have it."""
    if noise is None:
        return {"gaussian": {"standardDeviation": 0.0}}
    name = type(noise).__name__
    if name not in ("NormalActionNoise", "OrnsteinUhlenbeckActionNoise"):
        return None
    if not type(noise).__module__.startswith(("offpolicy.", "stable_baselines3.")):
        return None
    mean, sigma = np.ravel(noise._mu), np.ravel(noise._sigma)
    if np.any(mean != 0) or sigma.size == 0 or np.any(sigma != sigma[0]) or not 0 <= sigma[0] <= 10:
        return None
    if name == "NormalActionNoise":
        return {"gaussian": {"standardDeviation": float(sigma[0])}}
    if noise.initial_noise is not None or not 0 < noise._dt <= 1 or not 0 <= noise._theta <= 100:
        return None
    return {
        "ornsteinUhlenbeck": {
            "stiffness": float(noise._theta), "standardDeviation": float(sigma[0]), "timestep": float(noise._dt),
        }
    }  # fmt: skip
