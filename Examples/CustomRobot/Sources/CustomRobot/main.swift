// main.swift — checks the robot's environment, trains SAC on it, saves the policy and runs it.
//
//   swift run -c release CustomRobot          ten seconds; 6,000 steps. Needs libmujoco: Scripts/fetch-dependencies
//   swift run -c release CustomRobot 2000     fewer steps

import OffPolicy

let report = EnvironmentChecker.check(Balancer.entry)
for finding in report.findings { print(finding) }
precondition(report.isValid, "the environment breaks the contract")

let configuration = try AlgorithmRegistry.entry("sac").defaults
  .setting(["hiddenSizes=64,64", "randomSteps=500", "policyLearningRate=1e-3", "criticLearningRate=1e-3"])
let run = RunConfiguration(
  algorithm: "sac", environment: Balancer.entry.id, configuration: configuration.values,
  steps: CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 6_000, seed: 0, threads: 1,
  evaluateEvery: 1_000, evaluationEpisodes: 5, checkpointEvery: nil)
let trainer = try Trainer(run, workers: WorkerPool(count: run.threads)) { try Balancer.entry.make() }
trainer.observer.evaluated = { print("step \($0.step): return \($0.evaluation.mean)") }
try trainer.train()

try trainer.policyFile().write(to: "balancer.safetensors")
let policy = try PolicyFile.load("balancer.safetensors")
let result = try Evaluator(Balancer.entry.make()).run(episodes: 20, firstSeed: 1_000) { policy.act($0, into: &$1) }
print("return \(result.mean) ± \(result.standardDeviation) of at most 250 over \(result.episodes) fresh episodes")

// an option of one's own works as Gymnasium's do: a shorter way to fall
let strict = try Balancer.entry.configured(["healthy_angle_range": [-0.1, 0.1]])
let harder = try Evaluator(strict.make()).run(episodes: 20, firstSeed: 1_000) { policy.act($0, into: &$1) }
print("return \(harder.mean) where 0.1 rad is a fall already")
