// ZooMapping.swift — maps the keys of RL Baselines3 Zoo to hyperparameters, with Stable-Baselines3's defaults for the rest.
//
// The defaults are those of the constructors of SAC, TD3, DDPG and DQN in Stable-Baselines3 2.9, not those of this program.

import Algorithms
import Formats

/// One entry of a file, while it is turned into settings.
struct ZooMapping {
  private(set) var settings: [Preset.Setting] = []
  private(set) var runSteps: Preset.Setting?
  private(set) var laneCount: Preset.Setting?
  private(set) var leftOut: [String] = []

  private var members: [String: JSONValue]
  private let algorithm: AlgorithmEntry
  private let source: String
  /// Steps of the run, if they are known: `exploration_fraction` is a share of them.
  private let (givenSteps, suggestedSteps): (Int?, Int)

  private static let defaults: [String: [String: JSONValue]] = {
    let common: [String: JSONValue] = [
      "learning_rate": .number(1e-3), "buffer_size": .number(1e6), "learning_starts": .number(100),
      "batch_size": .number(256), "tau": .number(0.005), "gamma": .number(0.99), "train_freq": .number(1),
      "gradient_steps": .number(1),
    ]
    return [
      "sac": common.merging(
        ["learning_rate": .number(3e-4), "ent_coef": .string("auto"), "target_entropy": .string("auto")]) { $1 },
      "td3": common.merging(
        ["policy_delay": .number(2), "target_policy_noise": .number(0.2), "target_noise_clip": .number(0.5)]) { $1 },
      "ddpg": common,
      "dqn": common.merging([
        "learning_rate": .number(1e-4), "batch_size": .number(32), "tau": .number(1), "train_freq": .number(4),
        "target_update_interval": .number(10_000), "exploration_fraction": .number(0.1),
        "exploration_initial_eps": .number(1), "exploration_final_eps": .number(0.05), "max_grad_norm": .number(10),
      ]) { $1 },
    ]
  }()

  /// Default units of the hidden layers.
  private static let sizes: [String: [Double]] = [
    "sac": [256, 256], "td3": [400, 300], "ddpg": [400, 300], "dqn": [64, 64],
  ]

  /// Keys that change nothing if they have this value.
  private static let idle: [String: JSONValue] = [
    "policy": .string("MlpPolicy"), "use_sde": .bool(false), "normalize": .bool(false), "frame_stack": .number(1),
    "optimize_memory_usage": .bool(false), "replay_buffer_kwargs": .object([:]), "noise_type": .null,
    "goal_selection_strategy": .string("future"), "action_noise": .null,
  ]

  init(
    _ members: [String: JSONValue], algorithm: AlgorithmEntry, source: String, steps: Int?, suggestedSteps: Int
  ) throws {
    guard let defaults = Self.defaults[algorithm.name] else {
      throw PresetError(
        "\(algorithm.name) cannot use a file of RL Baselines3 Zoo: only \(Self.defaults.keys.sorted().joined(separator: ", ")) can"
      )
    }
    self.members = defaults.merging(members) { $1 }
    (self.algorithm, self.source, givenSteps, self.suggestedSteps) = (algorithm, source, steps, suggestedSteps)
  }

  /// Takes one key after the other; the keys that are left at the end have no counterpart.
  mutating func read() throws {
    if let value = members.removeValue(forKey: "policy") {
      guard let name = value.asText, ["MlpPolicy", "MultiInputPolicy"].contains(name) else {
        throw PresetError("\(source): policy is \(value.settingText), but this program has multilayer perceptrons only")
      }
    }
    runSteps = try whole("n_timesteps").map { setting("steps", .number($0)) }
    laneCount = try whole("n_envs").map { setting("environments", .number($0)) }
    try readRates()
    try readNumbers()
    try readFrequencies()
    try readTargets()
    try readExploration()
    try readPolicyArguments()
    try readNormalization()
    try readReplay()
    for (key, value) in members.sorted(by: { $0.key < $1.key }) where Self.idle[key] != value {
      leftOut.append("\(key)=\(value.settingText)")
    }
  }

  // MARK: groups of keys

  /// One rate for all networks: 0.001, or lin_0.001 that falls to 0 over the run.
  private mutating func readRates() throws {
    guard let value = members.removeValue(forKey: "learning_rate") else { return }
    var rate = value.asNumber
    if let text = value.asText, text.hasPrefix("lin_"), let first = Double(text.dropFirst("lin_".count)) {
      rate = first
      add("learningRateSchedule", .string("linear"))
    }
    guard let rate else { throw unreadable("learning_rate", value) }
    for name in names where name.hasSuffix("LearningRate") { add(name, .number(rate)) }
  }

  private mutating func readNumbers() throws {
    for (key, name) in [
      ("buffer_size", "bufferCapacity"), ("learning_starts", "randomSteps"), ("batch_size", "batchSize"),
      ("gamma", "discount"), ("n_steps", "nSteps"), ("max_grad_norm", "maximumGradientNorm"),
      ("policy_delay", "policyDelay"), ("target_policy_noise", "targetNoise"), ("target_noise_clip", "targetNoiseClip"),
    ] where names.contains(name) {
      if let number = try number(key) { add(name, .number(number)) }
    }
    // Huber's loss with δ = 1 and one network for choice and value
    if algorithm.name == "dqn" {
      add("huberThreshold", .number(1))
      add("doubleQ", .bool(false))
    }
  }

  /// Rounds of updates: `gradient_steps` after `train_freq` steps of each environment; −1 means as many as steps.
  private mutating func readFrequencies() throws {
    let lanes = laneCount?.value.asNumber ?? 1
    guard let updates = try number("gradient_steps") else { return }
    guard let frequency = members["train_freq"]?.asNumber else {
      // rounds at the ends of episodes have no counterpart: one update per step instead
      if let value = members.removeValue(forKey: "train_freq") { leftOut.append("train_freq=\(value.settingText)") }
      add("updatesPerStep", .number(1))
      if updates >= 0 { leftOut.append("gradient_steps=\(JSONValue.number(updates).text())") }
      return
    }
    members["train_freq"] = nil
    guard frequency >= 1 else {
      leftOut.append("train_freq=\(JSONValue.number(frequency).text())")
      return add("updatesPerStep", .number(1))
    }
    add("updateEvery", .number(frequency * lanes))
    add("updatesPerStep", .number(updates < 0 ? 1 : updates / (frequency * lanes)))
  }

  private mutating func readTargets() throws {
    let rate = try number("tau") ?? 0.005
    let interval = try number("target_update_interval")
    guard algorithm.name == "dqn", rate == 1, let interval else {
      add("targetTracking.soft.rate", .number(rate))
      if let interval, interval != 1 { leftOut.append("target_update_interval=\(JSONValue.number(interval).text())") }
      return
    }
    // differs: counted in updates, as all targets are here; Stable-Baselines3 counts steps
    let ratio = settings.last { $0.name == "updatesPerStep" }?.value.asNumber ?? 1
    add("targetTracking.hard.every", .number(max(1, (interval * ratio).rounded())))
  }

  private mutating func readExploration() throws {
    if let value = members.removeValue(forKey: "ent_coef") { add("temperature", try temperature(value)) }
    if let value = members.removeValue(forKey: "target_entropy") {
      guard value == .string("auto") || value.asNumber != nil else { throw unreadable("target_entropy", value) }
      add("targetEntropy", value.asNumber == nil ? .null : value)
    }
    if names.contains("explorationNoise") {
      let deviation = try number("noise_std") ?? 0
      switch members.removeValue(forKey: "noise_type") {
      case nil, .null?: add("explorationNoise.gaussian.standardDeviation", .number(0))
      case .string("normal")?: add("explorationNoise.gaussian.standardDeviation", .number(deviation))
      case .string("ornstein-uhlenbeck")?:
        // Stable-Baselines3's theta and dt
        add(
          "explorationNoise.ornsteinUhlenbeck",
          .object(["stiffness": .number(0.15), "standardDeviation": .number(deviation), "timestep": .number(0.01)]))
      case let value?: throw unreadable("noise_type", value)
      }
    }
    guard let share = try number("exploration_fraction"), names.contains("epsilonSteps") else { return }
    let (first, last) = (try number("exploration_initial_eps") ?? 1, try number("exploration_final_eps") ?? 0.05)
    let total = Double(givenSteps ?? runSteps?.value.whole(1...1_000_000_000_000_000) ?? suggestedSteps)
    let random = settings.last { $0.name == "randomSteps" }?.value.asNumber ?? 0
    // there ε falls from the first step on; here the random steps come before the schedule
    let span = max(0, (share * total).rounded() - random)
    let begin = share * total > random ? first + (last - first) * random / (share * total) : last
    add("initialEpsilon", .number(begin))
    add("finalEpsilon", .number(last))
    add("epsilonSteps", .number(span))
  }

  /// auto, auto_0.1, or a number.
  private func temperature(_ value: JSONValue) throws -> JSONValue {
    func learned(_ initial: Double) -> JSONValue { .object(["learned": .object(["initial": .number(initial)])]) }
    if let number = value.asNumber { return .object(["fixed": .object(["value": .number(number)])]) }
    if value == .string("auto") { return learned(1) }
    if let text = value.asText, text.hasPrefix("auto_"), let initial = Double(text.dropFirst("auto_".count)) {
      return learned(initial)
    }
    throw unreadable("ent_coef", value)
  }

  private mutating func readPolicyArguments() throws {
    var sizes: JSONValue? = Self.sizes[algorithm.name].map { .array($0.map(JSONValue.number)) }
    if let value = members.removeValue(forKey: "policy_kwargs") {
      for (key, value) in try dictionary(value, of: "policy_kwargs").sorted(by: { $0.key < $1.key }) {
        switch (key, value) {
        case ("net_arch", .array): sizes = value
        case ("net_arch", .object(let parts)) where Set(parts.keys) == ["pi", "qf"]:
          sizes = nil
          add("policyHiddenSizes", parts["pi"] ?? .null)
          add("criticHiddenSizes", parts["qf"] ?? .null)
        case ("n_critics", .number(algorithm.name == "ddpg" ? 1 : 2)): break
        case ("activation_fn", .string(let name)) where Self.activation(name) != nil:
          // both programs have ReLU where nobody says
          guard let activation = Self.activation(name), activation != "relu" else { break }
          for setting in ["policyActivation", "criticActivation"] where names.contains(setting) {
            add(setting, .string(activation))
          }
        case ("optimizer_kwargs", .object(let parts)):
          for (key, value) in parts.sorted(by: { $0.key < $1.key }) {
            switch (key, value) {
            case ("eps", .number): add("adamEpsilon", value)
            case ("betas", .array(let betas)) where betas.count == 2:
              add("adamBeta1", betas[0])
              add("adamBeta2", betas[1])
            default: leftOut.append("policy_kwargs.optimizer_kwargs.\(key)=\(value.settingText)")
            }
          }
        default: leftOut.append("policy_kwargs.\(key)=\(value.settingText)")
        }
      }
    }
    if let sizes { add("hiddenSizes", sizes) }
  }

  /// The activation of a class of `torch.nn`, such as `nn.ReLU`.
  private static func activation(_ name: String) -> String? {
    let path = name.split(separator: ".")
    guard path.count > 1, path.dropLast().last == "nn" else { return nil }
    return ["ReLU": "relu", "Tanh": "tanh", "ELU": "elu", "SiLU": "silu"][String(path[path.count - 1])]
  }

  /// true, or a dictionary of `norm_obs` and `norm_reward`.
  private mutating func readNormalization() throws {
    guard let value = members.removeValue(forKey: "normalize") else { return }
    var (observations, rewards) = (value == .bool(true), value == .bool(true))
    if case .bool = value {
    } else {
      for (key, value) in try dictionary(value, of: "normalize").sorted(by: { $0.key < $1.key }) {
        switch (key, value) {
        case ("norm_obs", .bool(let isOn)): observations = isOn
        case ("norm_reward", .bool(let isOn)): rewards = isOn
        default: leftOut.append("normalize.\(key)=\(value.settingText)")
        }
      }
    }
    if observations { add("normalizeObservations", .bool(true)) }
    if rewards { add("scaleRewards", .bool(true)) }
  }

  private mutating func readReplay() throws {
    guard members["replay_buffer_class"] == .string("HerReplayBuffer") else { return }
    members["replay_buffer_class"] = nil
    var goals = 4.0
    if let value = members.removeValue(forKey: "replay_buffer_kwargs") {
      for (key, value) in try dictionary(value, of: "replay_buffer_kwargs").sorted(by: { $0.key < $1.key }) {
        switch (key, value) {
        case ("n_sampled_goal", .number(let number)): goals = number
        case ("goal_selection_strategy", .string("future")): break
        // relabelled when they are drawn, as here
        case ("online_sampling", .bool(true)): break
        default: leftOut.append("replay_buffer_kwargs.\(key)=\(value.settingText)")
        }
      }
    }
    add("sampler.hindsight.goals", .number(goals))
  }

  // MARK: values

  private var names: [String] { algorithm.hyperparameters.map(\.name) }

  private func setting(_ name: String, _ value: JSONValue) -> Preset.Setting {
    Preset.Setting(name: name, value: value, source: source)
  }

  private mutating func add(_ name: String, _ value: JSONValue) { settings.append(setting(name, value)) }

  /// Takes a number; nil where the key is missing.
  private mutating func number(_ key: String) throws -> Double? {
    guard let value = members.removeValue(forKey: key), value != .null else { return nil }
    guard let number = value.asNumber else { throw unreadable(key, value) }
    return number
  }

  private mutating func whole(_ key: String) throws -> Double? {
    guard let value = members[key] else { return nil }
    guard value.whole(1...1_000_000_000_000_000) != nil else { throw unreadable(key, value) }
    return try number(key)
  }

  private func dictionary(_ value: JSONValue, of key: String) throws -> [String: JSONValue] {
    if case .object(let members) = value { return members }
    guard let text = value.asText, case .object(let members)? = PythonLiteral.value(text) else {
      throw unreadable(key, value)
    }
    return members
  }

  private func unreadable(_ key: String, _ value: JSONValue) -> PresetError {
    PresetError("\(source): \(key) cannot be \(value.settingText)")
  }
}
