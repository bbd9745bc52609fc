"""The arguments of the constructors, which are Stable-Baselines3's, as hyperparameters of the library.

Everything that the library does not do is refused here, by its name, before anything is made.
"""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, NamedTuple, Optional

from .argument_numbers import check_numbers, number, plain
from .errors import UnsupportedError, nearest


class TrainFreq(NamedTuple):
    """How much is collected between two rounds of updates: so many steps of all environments, or episodes."""

    frequency: int
    unit: str  # "step" or "episode"


def train_freq(value: Any) -> TrainFreq:
    """Reads `train_freq`: n, (n, "step") or (n, "episode")."""
    frequency, unit = value if isinstance(value, (tuple, list)) else (value, "step")
    unit = getattr(unit, "value", unit)
    if unit not in ("step", "episode"):
        raise ValueError(f"the unit of train_freq is 'step' or 'episode', not {unit!r}")
    if isinstance(frequency, bool) or not hasattr(frequency, "__index__") or frequency < 1:
        raise ValueError(f"train_freq needs a whole number from 1, not {frequency!r}")
    return TrainFreq(int(frequency), unit)


def timeouts_are_ends(replay_buffer_kwargs: Optional[Dict[str, Any]]) -> bool:
    """Whether an episode that ran out of time counts as one that ended for good."""
    return not (replay_buffer_kwargs or {}).get("handle_timeout_termination", True)


def check_policy(policy: Any) -> str:
    """The policy's name; refuses others than multilayer perceptrons."""
    name = policy if isinstance(policy, str) else getattr(policy, "__name__", repr(policy))
    if name in ("MlpPolicy", "MultiInputPolicy"):
        return name
    # SB3's own classes of the same networks
    same = dict.fromkeys(("SACPolicy", "TQCPolicy", "CrossQPolicy", "TD3Policy", "DQNPolicy"), "MlpPolicy")
    if not isinstance(policy, str) and name in same:
        return same[name]
    if name == "CnnPolicy":
        raise UnsupportedError("CnnPolicy is not supported: there are no convolutional networks; use MlpPolicy on features")
    if isinstance(policy, str):
        guess = nearest(name, ("MlpPolicy", "MultiInputPolicy"))
        raise ValueError(f"there is no policy {name!r}{guess}; there are 'MlpPolicy' and 'MultiInputPolicy'")
    raise UnsupportedError(f"policies of one's own ({name}) are not supported; use 'MlpPolicy' with policy_kwargs")


def refuse_sde(use_sde: bool, use_sde_at_warmup: bool) -> None:
    """Refuses state-dependent exploration."""
    for name, value in (("use_sde", use_sde), ("use_sde_at_warmup", use_sde_at_warmup)):
        if value:
            raise UnsupportedError(
                f"{name}=True: state-dependent exploration (gSDE) is not supported; leave it out, or explore with action_noise"
            )


def check_device(device: Any) -> None:
    """Says once that everything is computed on the CPU."""
    if str(device).split(":")[0] not in ("auto", "cpu"):
        warnings.warn(f"device={str(device)!r}: this library computes on the CPU", UserWarning, stacklevel=4)


#: how many critics who has, by the number that the algorithm at hand has
_CRITICS = {
    None: "leave it out",
    1: "this algorithm has one; SAC and TD3 have 2, REDQ and TQC any number",
    2: "this algorithm has 2; REDQ and TQC have any number, DDPG has one",
}

_TAKEN = (
    "net_arch", "activation_fn", "n_critics", "features_extractor_class", "features_extractor_kwargs", "optimizer_class",
    "optimizer_kwargs",
)  # fmt: skip

#: what has no effect in Stable-Baselines3 either, without gSDE and images
_HARMLESS = {
    "normalize_images", "share_features_extractor", "use_sde", "use_expln", "clip_mean", "sde_net_arch", "full_std",
    "squash_output", "ortho_init", "log_std_init",
}  # fmt: skip


def networks(
    given: Optional[Dict[str, Any]], default: List[int], critics: Optional[int], separate: bool
) -> Dict[str, Any]:
    """Hyperparameters of `policy_kwargs`.

    :param default: the hidden layers where `net_arch` is missing
    :param critics: how many critics the algorithm has; None: as many as the caller takes out of `given`
    :param separate: whether policy and critics may differ
    """
    found: Dict[str, Any] = {"hiddenSizes": list(default)}
    for name, value in (given or {}).items():
        if name == "net_arch":
            found.update(_sizes(value, default, separate))
        elif name == "activation_fn":
            found.update(_activation(value, separate))
        elif name == "n_critics":
            if value != critics:
                raise UnsupportedError(f"policy_kwargs: n_critics={value} is not supported: {_CRITICS[critics]}")
        elif name in ("features_extractor_class", "features_extractor_kwargs"):
            if name.endswith("kwargs") and value or name.endswith("class") and _name(value) not in (
                "FlattenExtractor", "CombinedExtractor", "NoneType",
            ):  # fmt: skip
                raise UnsupportedError(f"policy_kwargs: {name} is not supported; observations are flattened")
        elif name == "optimizer_class":
            if _name(value) != "Adam":
                raise UnsupportedError(f"policy_kwargs: optimizer_class={_name(value)} is not supported, only Adam")
        elif name == "optimizer_kwargs":
            found.update(_adam(value or {}))
        elif name not in _HARMLESS:
            raise UnsupportedError(f"policy_kwargs: {name} is not supported" + nearest(name, _TAKEN))
    return found


#: the activations of hidden layers: torch's classes, and the library's names
ACTIVATIONS = {"ReLU": "relu", "Tanh": "tanh", "ELU": "elu", "SiLU": "silu"}


def activation_name(value: Any) -> str:
    """The name of an activation's class in torch.nn, in its own letters."""
    name = _name(value)
    return {own.lower(): own for own in ACTIVATIONS}.get(name.lower(), name)


def _activation(value: Any, separate: bool) -> Dict[str, Any]:
    """Hyperparameters of `activation_fn`, a class of torch.nn or its name. Of a single network the critic is all there is."""
    name = activation_name(value)
    if name not in ACTIVATIONS:
        raise UnsupportedError(
            f"policy_kwargs: activation_fn={name} is not supported; there are {', '.join(ACTIVATIONS)}"
        )
    case: Dict[str, Any] = {ACTIVATIONS[name]: {}}
    return {"policyActivation": case, "criticActivation": case} if separate else {"criticActivation": case}


def _name(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


def _sizes(value: Any, default: List[int], separate: bool) -> Dict[str, Any]:
    if value is None:
        return {"hiddenSizes": list(default)}
    if isinstance(value, dict):
        if not separate or set(value) - {"pi", "qf"}:
            raise UnsupportedError(f"policy_kwargs: net_arch={value} needs {'pi and qf' if separate else 'a list'}")
        policy, critic = _layers(value.get("pi", default)), _layers(value.get("qf", default))
        return {"hiddenSizes": policy, "policyHiddenSizes": policy, "criticHiddenSizes": critic}
    return {"hiddenSizes": _layers(value)}


def _layers(value: Any) -> List[int]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError(f"policy_kwargs: net_arch={value!r} is no list of sizes of hidden layers")
    layers = [int(number("net_arch", size)) for size in value]
    if not layers:
        raise UnsupportedError("policy_kwargs: net_arch=[] is not supported: networks have at least one hidden layer")
    return layers


def _adam(given: Dict[str, Any]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for name, value in given.items():
        if name == "betas":
            found["adamBeta1"], found["adamBeta2"] = float(value[0]), float(value[1])
        elif name == "eps":
            found["adamEpsilon"] = float(value)
        elif value not in (False, None, 0):
            raise UnsupportedError(f"policy_kwargs: optimizer_kwargs {name}={value} is not supported")
    return found


def seed(value: Any) -> Optional[int]:
    """A seed: a whole number from 0 to 2⁶³ − 1, or None."""
    if value is None:
        return None
    if not hasattr(value, "__index__") or not 0 <= int(value) < 2**63:
        raise ValueError(f"seed={value!r}: a seed is a whole number from 0, or None for another one in each run")
    return int(value)


def check_kinds(model: Any) -> None:
    """Refuses a model's arguments that are of another kind than they should be."""
    model.seed = seed(model.seed)
    check_numbers(model)
    noise, rate = model.action_noise, model.learning_rate
    if noise is not None and not (callable(noise) and hasattr(noise, "reset")):
        raise TypeError(f"action_noise={noise!r} is no noise, such as NormalActionNoise(mean, sigma)")
    if not callable(rate) and not number("learning_rate", rate) >= 0:
        raise ValueError(f"learning_rate={rate!r}: a rate is at least 0")


def dictionary(name: str, value: Any) -> Dict[str, Any]:
    """An argument as a dictionary of its own, with Python's numbers; None: an empty one."""
    if not isinstance(value, (dict, type(None))):
        raise TypeError(f"{name}={value!r} is no dictionary")
    return plain(value or {})


def temperature(ent_coef: Any) -> Dict[str, Any]:
    """`ent_coef` "auto", "auto_0.1" or a number."""
    name, _, initial = ent_coef.partition("_") if isinstance(ent_coef, str) else ("", "", "")
    if name != "auto":
        try:
            return {"fixed": {"value": float(ent_coef)}}
        except (TypeError, ValueError):
            raise ValueError(f'ent_coef={ent_coef!r}: it is "auto", "auto_0.1" for a first value, or a number') from None
    value = number("ent_coef", initial) if initial else 1.0
    if not value > 0:
        raise ValueError(f"ent_coef={ent_coef!r}: the first temperature must be greater than 0")
    return {"learned": {"initial": value}}


def tracking(tau: float, interval: float) -> Dict[str, Any]:
    """How targets follow, where they move by `tau` at every `interval`-th update; below 1: several times an update."""
    if tau >= 1:
        return {"hard": {"every": max(1, round(interval))}}
    if interval > 1.000001:
        raise UnsupportedError(
            f"target_update_interval with tau={tau}: targets that move softly do so at every update, not at every "
            f"{interval:g}th; use target_update_interval=1, or tau=1.0"
        )
    # several soft steps in a row are one larger step
    return {"soft": {"rate": 1 - (1 - float(tau)) ** (1 / interval)}}


class Hindsight(NamedTuple):
    """Whether rows get other goals, and how many of them."""

    goals: int  # other goals to one of the row's own; 0: no hindsight
    strategy: str = "future"  # the step after which another goal was reached: "future", "final" or "episode"

    def sampler(self) -> Dict[str, Any]:
        """The library's hyperparameter."""
        return {{"future": "hindsight"}.get(self.strategy, "hindsight" + self.strategy.title()): {"goals": self.goals}}


def hindsight(buffer_class: Any, given: Optional[Dict[str, Any]], buffer_size: int) -> Hindsight:
    """Reads `replay_buffer_class`, by class or by name, and `replay_buffer_kwargs`."""
    keywords = dict(given or {})
    name = buffer_class if isinstance(buffer_class, str) else getattr(buffer_class, "__name__", None)
    keywords.pop("handle_timeout_termination", None)
    if name in (None, "NoneType", "ReplayBuffer", "DictReplayBuffer", "NStepReplayBuffer"):
        _refuse_rest(keywords)
        return Hindsight(0)
    if name != "HerReplayBuffer":
        raise UnsupportedError(f"replay_buffer_class={name} is not supported, only HerReplayBuffer")
    strategy = keywords.pop("goal_selection_strategy", "future")
    strategy = str(getattr(strategy, "name", strategy)).lower()
    if strategy not in ("future", "final", "episode"):
        raise ValueError(f"goal_selection_strategy is 'future', 'final' or 'episode', not {strategy!r}")
    if keywords.pop("copy_info_dict", False):
        raise UnsupportedError(
            "replay_buffer_kwargs: copy_info_dict=True is not supported: compute_reward is called with empty infos; leave it "
            "out if your compute_reward does not read them, else let it read the goals alone"
        )
    goals = int(keywords.pop("n_sampled_goal", 4))
    _refuse_rest(keywords)
    return Hindsight(goals, strategy)


def _refuse_rest(keywords: Dict[str, Any]) -> None:
    for name in keywords:
        raise UnsupportedError(f"replay_buffer_kwargs: {name} is not supported")


class Cadence(NamedTuple):
    """How many updates follow how many steps.

    `by_library`: `updateEvery` and `updatesPerStep` say all. Else the loop asks for each round's updates.
    """

    by_library: bool
    update_every: int
    updates_per_step: float


def cadence(frequency: TrainFreq, gradient_steps: int, n_envs: int) -> Cadence:
    """One round of updates after train_freq steps of all environments; gradient_steps −1: as many as steps."""
    if frequency.unit == "episode" and n_envs > 1:
        raise UnsupportedError("train_freq in episodes needs a single environment")
    steps = n_envs * frequency.frequency
    ratio = 1.0 if gradient_steps < 0 else gradient_steps / steps
    if frequency.unit == "step" and 0.05 <= ratio <= 1_000:
        return Cadence(True, steps, ratio)
    return Cadence(False, 1, 1.0)


def check_n_steps(n_steps: int, goals: int) -> None:
    """Refuses returns over several steps together with hindsight."""
    if n_steps > 1 and goals > 0:
        raise UnsupportedError("n_steps > 1 together with HerReplayBuffer: rewards on the way are those of the old goal")
