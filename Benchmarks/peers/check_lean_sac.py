"""Checks that the PyTorch contender does SAC before its speed counts: one update of the conformance case
sac-default-wide, whose expected parameters were computed in float64 by code it does not share.

    .deps/peers/bin/python Benchmarks/peers/check_lean_sac.py
"""

import pathlib

import lean_sac
import torch
from safetensors.torch import load_file

CASES = pathlib.Path(__file__).parents[2] / "Tests/CommandTests/Fixtures/conformance"


def names(network, layers):
    return [f"{network}.layer.{k}.{part}" for k in range(layers) for part in ("weight", "bias")]


def main():
    case = load_file(CASES / "sac-default-wide.case.safetensors")
    expected = load_file(CASES / "sac-default-wide.expected.safetensors")
    learner = lean_sac.LeanSAC(3, 2, [256, 256], compiled=False)
    pairs = list(zip(learner.policy, names("policy", 2)))
    for j in (0, 1):
        pairs += zip(learner.critics[j], names(f"critic.{j}", 3))
        pairs += zip(learner.targets[j], names(f"target_critic.{j}", 3))

    def heads(tensors):
        parts = ("weight", "bias")
        return [torch.cat([tensors[f"policy.mean.{part}"], tensors[f"policy.log_std.{part}"]]) for part in parts]

    with torch.no_grad():
        for parameter, name in pairs:
            parameter.copy_(case[name])
        for parameter, value in zip(learner.policy[-2:], heads(case)):
            parameter.copy_(value)
    noises = iter([case["noise.next"][0], case["noise.current"][0]])
    torch.randn_like = lambda _: next(noises)
    columns = ("observations", "actions", "rewards", "next_observations", "terminated")
    learner.update(*(case[f"batch.{column}"][0] for column in columns))

    differences = [(parameter - expected[name]).abs().max().item() for parameter, name in pairs]
    differences += [(p - v).abs().max().item() for p, v in zip(learner.policy[-2:], heads(expected))]
    differences.append((learner.log_alpha - expected["log_temperature"]).abs().item())
    print(f"differs by at most {max(differences):.1e}")
    if max(differences) > 1e-5:
        raise SystemExit("the contender does not do SAC's update")


if __name__ == "__main__":
    main()
