"""A search for hyperparameters with Optuna, which ends what does not look good.

pip install optuna
python optuna_search.py [TRIALS] [STEPS]
"""

import sys

import optuna

from offpolicy import SAC, BuiltInEnvironment, evaluate_policy
from offpolicy.callbacks import BaseCallback

trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000


class Report(BaseCallback):
    """Tells Optuna how good the policy is, and stops where it says so."""

    def __init__(self, trial):
        super().__init__()
        self.trial, self.environment = trial, BuiltInEnvironment("Pendulum-v1")
        self.value = float("-inf")

    def _on_step(self):
        if self.n_calls % max(steps // 4, 1) == 0:
            self.value, _ = evaluate_policy(self.model, self.environment, n_eval_episodes=3)
            self.trial.report(self.value, self.n_calls)
            return not self.trial.should_prune()
        return True


def objective(trial):
    model = SAC(
        "MlpPolicy",
        "Pendulum-v1",
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
        tau=trial.suggest_float("tau", 0.002, 0.05, log=True),
        batch_size=trial.suggest_categorical("batch_size", [64, 128, 256]),
        policy_kwargs={"net_arch": [64, 64]},
        seed=trial.number,
    )
    report = Report(trial)
    model.learn(steps, callback=report)
    if model.num_timesteps < steps:
        raise optuna.TrialPruned
    return report.value


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=4))
study.optimize(objective, n_trials=trials)
pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
print(f"{trials} trials, {pruned} ended early; best return {study.best_value:.0f} with {study.best_params}")
