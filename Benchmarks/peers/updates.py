"""Times updates alone (U): sample, update, targets; no task. One contender, one process, one line of JSON.

    updates.py CONTENDER THREADS [WARM-UP TIMED CAPACITY]

CONTENDER: sb3, sbx (one update a call, as in training with one update a step), sbx-batched (50 a call, its best),
torch-eager, torch-compile. 17 observations, 6 actions, 256 × 256, batch 256, 1,000,000 random transitions. Threads are
set before anything is imported; `compare.py` also pins the process to as many processors.
"""

import os
import sys

CONTENDER, THREADS = sys.argv[1], int(sys.argv[2])
WARM_UP, TIMED, CAPACITY = (int(x) for x in (sys.argv[3:] or (200, 2000, 1_000_000)))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(THREADS)
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import json
import time
from importlib.metadata import version

import numpy as np

S, A, B, HIDDEN = 17, 6, 256, [256, 256]


def transitions():
    random = np.random.default_rng(1)
    terminated = np.arange(CAPACITY) % 1000 == 999
    return [
        random.standard_normal((CAPACITY, S), dtype=np.float32),
        random.uniform(-1, 1, (CAPACITY, A)).astype(np.float32),
        random.standard_normal(CAPACITY, dtype=np.float32),
        random.standard_normal((CAPACITY, S), dtype=np.float32),
        terminated.astype(np.float32),
    ]


def spaces_only():
    """A task with the right spaces, which is never stepped."""
    import gymnasium

    class Spaces(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (S,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (A,), np.float32)

    return Spaces()


def baselines(algorithm, versions, updates_per_call):
    """SB3 or SBX: their own train(), on their own buffer, filled."""
    from stable_baselines3.common.logger import configure

    model = algorithm(
        "MlpPolicy", spaces_only(), learning_rate=3e-4, buffer_size=CAPACITY, batch_size=B, ent_coef="auto_1.0",
        policy_kwargs={"net_arch": HIDDEN}, seed=1, device="cpu",
    )
    model.set_logger(configure(None, []))
    buffer = model.replay_buffer
    s, a, r, s2, d = transitions()
    buffer.observations[:, 0], buffer.actions[:, 0], buffer.rewards[:, 0] = s, a, r
    buffer.next_observations[:, 0], buffer.dones[:, 0] = s2, d
    buffer.full, buffer.pos = True, 0

    def run(count):
        for _ in range(max(1, count // updates_per_call)):
            model.train(gradient_steps=updates_per_call, batch_size=B)
        return max(1, count // updates_per_call) * updates_per_call

    return run, versions


def sb3():
    import torch
    from stable_baselines3 import SAC

    torch.set_num_threads(THREADS)
    return baselines(SAC, f"stable-baselines3 {version('stable-baselines3')}, torch {version('torch')}", 1)


def sbx(updates_per_call):
    from sbx import SAC

    return baselines(SAC, f"sbx-rl {version('sbx-rl')}, jax {version('jax')}", updates_per_call)


def lean_torch(compiled):
    import torch
    from lean_sac import Buffer, LeanSAC

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    learner = LeanSAC(S, A, HIDDEN, compiled)
    buffer = Buffer(CAPACITY, S, A)
    buffer.fill(transitions())

    def run(count):
        for _ in range(count):
            learner.update(*buffer.batch(B))
        return count

    return run, f"torch {version('torch')}"


CONTENDERS = {
    "sb3": sb3,
    "sbx": lambda: sbx(1),
    "sbx-batched": lambda: sbx(50),
    "torch-eager": lambda: lean_torch(False),
    "torch-compile": lambda: lean_torch(True),
}


def main():
    run, versions = CONTENDERS[CONTENDER]()
    run(WARM_UP)  # compiles, too
    rates, total, start = [], 0, time.perf_counter()
    for _ in range(10):
        since = time.perf_counter()
        count = run(max(1, TIMED // 10))
        rates.append(count / (time.perf_counter() - since))
        total += count
    seconds = time.perf_counter() - start
    print(json.dumps({
        "contender": CONTENDER, "what": "U", "threads": THREADS, "updatesPerSecond": round(total / seconds, 3),
        "spread": [round(min(rates), 3), round(max(rates), 3)], "updates": total, "version": versions,
    }))


if __name__ == "__main__":
    main()
