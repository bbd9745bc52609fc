"""What Stable-Baselines3 has and this package has not: an import of it says so, and what there is instead."""

_PICTURES = "there are no convolutional networks: pictures have to become features"
_ON_POLICY = "there are no on-policy algorithms"
_POLICIES = 'policies and networks of one\'s own are not supported: policy="MlpPolicy" with policy_kwargs'

_REASONS = {
    "VecVideoRecorder": "gymnasium.wrappers.RecordVideo films an environment, and that of Stable-Baselines3 can be passed",
    "make_atari_env": _PICTURES,
    "AtariWrapper": _PICTURES,
    "FakeImageEnv": _PICTURES,
    "RolloutBuffer": _ON_POLICY,
    "DictRolloutBuffer": _ON_POLICY,
    "OnPolicyAlgorithm": _ON_POLICY,
    "ActorCriticPolicy": _ON_POLICY,
    "ActorCriticCnnPolicy": _ON_POLICY,
    "BaseFeaturesExtractor": _POLICIES,
    "CombinedExtractor": _POLICIES,
    "FlattenExtractor": _POLICIES,
    "NatureCNN": _PICTURES,
    "BaseModel": _POLICIES,
    "ContinuousCritic": _POLICIES,
    "create_mlp": _POLICIES,
    "register_policy": _POLICIES,
    "load_from_zip_file": "load() of a model reads files",
    "load_from_pkl": "no pickle is read: load_replay_buffer() reads what save_replay_buffer() wrote",
    "save_to_pkl": "no pickle is written: save_replay_buffer() writes buffers",
}


def refuse(module: str, name: str) -> object:
    """Raises what an import of a name fails of."""
    if name in _REASONS:
        raise ImportError(f"{module} has no {name}: {_REASONS[name]}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
