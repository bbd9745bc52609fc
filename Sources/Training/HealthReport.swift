// HealthReport.swift — which of a run's numbers are out of hand, and what to do. Guides/Troubleshooting.md gives reasons.

import Algorithms

/// What `inspect` says of a run's health.
public struct HealthReport: Codable, Sendable, Equatable {
  /// "ok", "warning" or "unknown".
  public var status: String
  /// One line each: what, and what to do.
  public var findings: [String]
  /// The last row of health.csv, by column; null where not known.
  public var measures: [String: Double?]

  static let unknown = HealthReport(status: "unknown", findings: ["no checkpoint yet"], measures: [:])

  init(status: String, findings: [String], measures: [String: Double?]) {
    (self.status, self.findings, self.measures) = (status, findings, measures)
  }

  init(findings: [String], _ record: HealthRecord?) {
    self.init(
      status: findings.isEmpty ? "ok" : "warning", findings: findings,
      measures: Dictionary(
        (record?.columns ?? []).map { ($0.name, $0.value.isFinite ? $0.value : nil) },
        uniquingKeysWith: { first, _ in first }))
  }
}

/// A number of a health record with its threshold.
public struct HealthFinding: Sendable, Equatable {
  /// Stable name, the heading in the guide.
  public let name: String
  /// The finding in a sentence: what was measured, what that means, what to do.
  public let text: String
}

extension HealthRecord {
  /// Updates after which values can have reached the returns: 1 / ((1 − γ) τ) at the usual γ and τ.
  static let settling = 20_000

  /// What is out of hand.
  public var findings: [HealthFinding] {
    var findings: [HealthFinding] = []
    func find(_ name: String, when condition: Bool, _ text: @autoclosure () -> String) {
      if condition { findings.append(HealthFinding(name: name, text: text())) }
    }
    func percent(_ share: Double) -> String {
      let percent = (100 * share).rounded(.toNearestOrEven)
      return "\(Int(exactly: percent).map(String.init) ?? "\(percent)") %"
    }
    func short(_ value: Double) -> String {
      abs(value) < 0.01 ? "\(Float(value))" : "\((value * 1000).rounded() / 1000)"
    }

    let look = assessment
    /// Those of some hyperparameters that the algorithm has, in words; all of them where it is not known.
    func any(of names: String...) -> String {
      let own = settings.isEmpty ? names : names.filter(settings.contains)
      return own.joined(separator: " or ")
    }
    // a network's first outputs are some tenths: below, the rewards do not show in its values
    let isNoise = valueBound < 0.05
    find(
      "small rewards", when: isNoise,
      "rewards allow no value beyond \(short(valueBound)), less than what a new network says of any state: "
        + (any(of: "scaleRewards").isEmpty ? "scale the rewards up" : "set scaleRewards=true, or scale the rewards up"))
    find(
      "value above its bound", when: !isNoise && look.largestValue > 1.1 * valueBound,
      "|Q| is \(short(look.largestValue)), but rewards allow no more than \(short(valueBound)): the critic diverges; "
        + "lower the learning rates or the rate of target tracking")
    let relative = valueScale > 0 ? valueBias / valueScale : 0
    let isJudged = valueEpisodes >= 10 && updates >= Self.settling
    find(
      "overestimated values", when: isJudged && relative > 0.5,
      "Q at episode starts is \(short(valueBias)) above the returns that followed (\(short(valueScale)) in size): "
        + (settings.contains("doubleQ") ? "leave doubleQ=true, let the target follow more slowly" : "prefer td3 or sac")
        + ", or lower the learning rates")
    // while returns rise, values are below them: by up to 0.75 in runs that learned well
    find(
      "underestimated values", when: isJudged && relative < -0.8,
      "Q at episode starts is \(short(-valueBias)) below the returns that followed (\(short(valueScale)) in size): "
        + "the critic lags behind; train longer or track targets faster")
    find(
      "temperature", when: temperature < 1e-4,
      "the temperature fell to \(temperature): the policy hardly explores; raise \(any(of: "targetEntropy", "targetEntropyScale"))"
    )
    find(
      "temperature", when: temperature > 10,
      "the temperature rose to \(temperature): entropy outweighs reward; check the reward's scale")
    find(
      "saturated actions", when: look.saturatedActions > 0.95,
      "\(percent(look.saturatedActions)) of the policy's actions are at their bounds: check the scale of rewards and "
        + "observations, or lower \(any(of: "policyLearningRate", "criticLearningRate"))")
    for (name, share) in [("policy", look.deadPolicyUnits), ("critics", look.deadCriticUnits)] {
      find(
        "dead units", when: share > 0.5,
        "\(percent(share)) of the hidden units of the \(name) are dead: lower the learning rate or scale observations")
    }
    find(
      "quantile crossing", when: updates >= Self.settling && look.crossedQuantiles > 0.4,
      "\(percent(look.crossedQuantiles)) of neighbouring quantiles are in the wrong order, of a new network half: the critics "
        + "have not learned a distribution; lower \(any(of: "criticLearningRate")) or check the reward's scale")
    find(
      "stale batch statistics", when: updates >= Self.settling && look.statisticsLag > 0.5,
      "the means of batches are \(short(look.statisticsLag)) deviations from the running ones on average: the policy that acts is not "
        + "the one that learns; lower \(any(of: "policyLearningRate", "criticLearningRate")) or \(any(of: "batchMomentum"))"
    )
    find(
      "saturated bins", when: updates >= Self.settling && look.saturatedBins > 0.3,
      "\(percent(look.saturatedBins)) of the critics' probability is at the smallest and the largest value that a return may have: "
        + "returns beyond them look alike; widen \(any(of: "minimumValue", "maximumValue")), or set scaleRewards=true")
    find(
      "collapsed ensemble", when: updates >= Self.settling && look.criticDisagreement < 1e-3,
      "the critics' disagreement is \(short(look.criticDisagreement)) of the deviation of their mean among states: they have become one "
        + "critic, and a minimum over some of them corrects nothing; raise \(any(of: "criticDropout")), or lower "
        + any(of: "criticLearningRate", "updatesPerStep"))
    for (name, norm) in [("policy", look.policyGradientNorm), ("critics", look.criticGradientNorm)] {
      find(
        "gradient norm", when: norm > 1e5,
        "the gradient norm of the \(name) is \(short(norm)): scale rewards down or lower the learning rate")
    }
    for (name, norm) in [("policy", look.policyNorm), ("critics", look.criticNorm)] {
      find(
        "parameter norm", when: norm > 1e3,
        "the parameter norm of the \(name) is \(short(norm)): the network runs away; lower its learning rate")
    }
    find(
      "replay coverage", when: replayRatio < 0.5,
      "a stored transition was learned from \(short(replayRatio)) times on average: most are never seen; raise "
        + any(of: "updatesPerStep", "batchSize"))
    find(
      "no signal", when: idle.count >= IdleEpisodes.patience,
      "the last \(idle.count) episodes ran out of time with a reward of \(short(idle.reward)) at every step: nothing "
        + "tells good actions from bad; raise randomSteps until some episode reaches the goal, or shape the reward")
    return findings
  }

  /// Columns of health.csv after the step.
  var columns: [(name: String, value: Double)] {
    [
      ("updates", Double(updates)), ("value_bias", valueBias), ("value_scale", valueScale),
      ("value_episodes", Double(valueEpisodes)),
      ("value_max", assessment.largestValue), ("value_bound", valueBound),
      ("saturated_actions", assessment.saturatedActions), ("dead_policy_units", assessment.deadPolicyUnits),
      ("dead_critic_units", assessment.deadCriticUnits), ("policy_gradient_norm", assessment.policyGradientNorm),
      ("critic_gradient_norm", assessment.criticGradientNorm), ("policy_norm", assessment.policyNorm),
      ("critic_norm", assessment.criticNorm), ("entropy", entropy), ("temperature", temperature),
      ("replay_ratio", replayRatio),
    ]
  }

  static var columnNames: String {
    (["step"] + HealthRecord(step: 0).columns.map(\.name) + ["seconds"]).joined(separator: ",")
  }

  /// From a row of health.csv; nil when it is not one.
  init?(row: [String]) {
    let values = row.dropFirst().map { Double($0) ?? .nan }
    guard let step = row.first.flatMap({ Int($0) }), values.count >= HealthRecord(step: 0).columns.count else {
      return nil
    }
    self.init(step: step)
    func count(_ value: Double) -> Int { Int(exactly: value) ?? 0 }
    (updates, valueBias, valueScale, valueEpisodes) = (count(values[0]), values[1], values[2], count(values[3]))
    (assessment.largestValue, valueBound, assessment.saturatedActions) = (values[4], values[5], values[6])
    (assessment.deadPolicyUnits, assessment.deadCriticUnits) = (values[7], values[8])
    (assessment.policyGradientNorm, assessment.criticGradientNorm) = (values[9], values[10])
    (assessment.policyNorm, assessment.criticNorm) = (values[11], values[12])
    (entropy, temperature, replayRatio) = (values[13], values[14], values[15])
  }
}
