// main.swift — the small way: checks the environment, trains SAC on it in memory, saves the policy and runs it.
//
//   swift run -c release SmallLoop          a few seconds; 5,000 steps
//   swift run -c release SmallLoop 2000     fewer steps

import CartTask
import OffPolicy

let report = EnvironmentChecker.check(Cart.entry)
for finding in report.findings { print(finding) }
precondition(report.isValid, "the environment breaks the contract")

// 64 units are plenty for an environment of two numbers
let configuration = try AlgorithmRegistry.entry("sac").defaults
  .setting(["hiddenSizes=64,64", "randomSteps=500", "policyLearningRate=1e-3", "criticLearningRate=1e-3"])
let run = RunConfiguration(
  algorithm: "sac", environment: Cart.entry.id, configuration: configuration.values,
  steps: CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5_000, seed: 0, threads: 1,
  evaluateEvery: 1_000, evaluationEpisodes: 5, checkpointEvery: nil)
let trainer = try Trainer(run, workers: WorkerPool(count: run.threads)) { try Cart.entry.make() }
trainer.observer.evaluated = { print("step \($0.step): return \($0.evaluation.mean)") }
try trainer.train()

// one file with the weights and the bounds; it needs nothing of the training any more
try trainer.policyFile().write(to: "cart.safetensors")
let policy = try PolicyFile.load("cart.safetensors")
let result = try Evaluator(Cart.entry.make()).run(episodes: 20, firstSeed: 1_000) { policy.act($0, into: &$1) }
print("return \(result.mean) ± \(result.standardDeviation) of at most 100 over \(result.episodes) fresh episodes")
