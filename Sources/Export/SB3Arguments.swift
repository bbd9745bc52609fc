// SB3Arguments.swift — the entry `data` of a model file of Stable-Baselines3: the arguments of its constructor, and counters.

import Formats
import Platform

struct SB3Arguments {
  private let model: SB3Model
  private let configuration: JSONValue

  init(_ model: SB3Model) { (self.model, configuration) = (model, model.configuration) }

  private func number(_ name: String, _ usual: Double) -> Double { configuration[name]?.double ?? usual }
  private func whole(_ name: String, _ usual: Int) -> Int { configuration[name]?.whole ?? usual }

  var json: JSONValue {
    var data = common
    for (name, value) in counters { data[name] = .number(value) }
    for (name, value) in numbers { data[name] = .number(value) }
    for (name, value) in ownArguments { data[name] = value }
    return .object(data)
  }

  /// What every algorithm has, but for numbers.
  private var common: [String: JSONValue] {
    var data: [String: JSONValue] = [
      "policy_class": policyClass, "policy_kwargs": policyArguments, "use_sde": .bool(false),
      "use_sde_at_warmup": .bool(false), "observation_space": model.observations.entry,
      "action_space": model.actions.entry, "optimize_memory_usage": .bool(false), "tensorboard_log": .null,
      "action_noise": noise, "seed": .null,
    ]
    // NumPy takes seeds of 32 bits
    if let seed = UInt32(exactly: model.run.seed) { data["seed"] = .number(Double(seed)) }
    return data
  }

  private var counters: [String: Double] {
    let (step, episodes) = (Double(model.state.step), Double(model.state.episodes))
    return [
      "num_timesteps": step, "_total_timesteps": step, "_num_timesteps_at_start": 0, "_episode_num": episodes,
      "_n_updates": Double(model.state.updates), "_current_progress_remaining": 0,
    ]
  }

  private var numbers: [String: Double] {
    let (frequency, updates) = cadence
    let rate = number(model.algorithm == "dqn" ? "criticLearningRate" : "policyLearningRate", 3e-4)
    return [
      "learning_rate": rate, "buffer_size": number("bufferCapacity", 1e6), "learning_starts": number("randomSteps", 0),
      "batch_size": number("batchSize", 256), "gamma": number("discount", 0.99), "tau": tracking.rate,
      "train_freq": Double(frequency), "gradient_steps": Double(updates), "n_steps": number("nSteps", 1), "n_envs": 1,
      "verbose": 0, "_stats_window_size": 100, "sde_sample_freq": -1,
    ]
  }

  /// Those of one algorithm alone.
  private var ownArguments: [String: JSONValue] {
    switch model.algorithm {
    case "sac":
      let fixed = configuration["temperature"]?["fixed"]?["value"]
      let initial = configuration["temperature"]?["learned"]?["initial"]?.double ?? 1
      return [
        "ent_coef": fixed ?? .string(initial == 1 ? "auto" : "auto_\(initial)"),
        "target_entropy": .number(configuration["targetEntropy"]?.double ?? -Double(model.actions.count)),
        "target_update_interval": .number(Double(tracking.every)),
      ]
    case "td3":
      return [
        "policy_delay": .number(number("policyDelay", 2)), "target_policy_noise": .number(number("targetNoise", 0.2)),
        "target_noise_clip": .number(number("targetNoiseClip", 0.5)),
      ]
    case "ddpg":
      // a TD3 whose parts do nothing
      return ["policy_delay": .number(1), "target_policy_noise": .number(0.1), "target_noise_clip": .number(0)]
    default:
      let (first, last) = (number("initialEpsilon", 1), number("finalEpsilon", 0.05))
      let steps = max(1, number("epsilonSteps", 1))
      let share = min(1, Double(model.state.step) / steps)
      // its targets are counted in steps
      let (frequency, updates) = cadence
      let interval = max(1, Double(tracking.every * frequency) / Double(updates))
      return [
        "exploration_initial_eps": .number(first), "exploration_final_eps": .number(last),
        "exploration_fraction": .number(min(1, steps / Double(max(1, model.run.steps)))),
        "exploration_rate": .number((1 - share) * first + share * last),
        "target_update_interval": .number(interval.rounded()), "_n_calls": .number(Double(model.state.step)),
        // it has no way to say that none is meant
        "max_grad_norm": .number(number("maximumGradientNorm", 1e9)),
      ]
    }
  }

  /// The module of the algorithm's policies: DDPG has TD3's.
  private var module: String { "stable_baselines3.\(model.algorithm == "ddpg" ? "td3" : model.algorithm).policies" }

  private var policyClass: JSONValue {
    let names = ["sac": "SACPolicy", "td3": "TD3Policy", "ddpg": "TD3Policy", "dqn": "DQNPolicy"]
    return .object([
      ":type:": .string("<class 'abc.ABCMeta'>"), "__module__": .string(module),
      ":serialized:": .string(PickleValue.name(module, names[model.algorithm] ?? "").base64),
    ])
  }

  private var policyArguments: JSONValue {
    let (policy, critic) = (model.hiddenSizes("policy"), model.hiddenSizes("critic"))
    func list(_ sizes: [Int]) -> JSONValue { .array(sizes.map { .number(Double($0)) }) }
    func pickled(_ sizes: [Int]) -> PickleValue { .list(sizes.map { .whole($0) }) }
    var members: [String: JSONValue]
    var pickle: [(PickleValue, PickleValue)]
    if model.algorithm == "dqn" {
      members = ["net_arch": list(critic)]
      pickle = [(.text("net_arch"), pickled(critic))]
    } else {
      let count = Set(model.names("critic").map(\.member)).count
      members = ["net_arch": .object(["pi": list(policy), "qf": list(critic)]), "n_critics": .number(Double(count))]
      pickle = [
        (.text("net_arch"), .dictionary([(.text("pi"), pickled(policy)), (.text("qf"), pickled(critic))])),
        (.text("n_critics"), .whole(count)),
      ]
    }
    if model.algorithm == "sac" {
      members["use_sde"] = .bool(false)
      pickle.append((.text("use_sde"), .bool(false)))
    }
    guard let activation else { return .object(members) }
    // a class is no JSON: then there is a pickle of all arguments, and their text beside it
    let module = "torch.nn.modules.activation"
    pickle.append((.text("activation_fn"), .name(module, activation)))
    members["activation_fn"] = .string("<class '\(module).\(activation)'>")
    members[":type:"] = .string("<class 'dict'>")
    members[":serialized:"] = .string(PickleValue.dictionary(pickle).base64)
    return .object(members)
  }

  /// PyTorch's class of the networks' activation; nil for ReLU, which is usual.
  private var activation: String? {
    let classes = ["tanh": "Tanh", "elu": "ELU", "silu": "SiLU"]
    guard case .object(let members)? = configuration["criticActivation"], let name = members.keys.first else {
      return nil
    }
    return classes[name]
  }

  /// How targets follow: a share, and after how many updates.
  private var tracking: (rate: Double, every: Int) {
    guard let every = configuration["targetTracking"]?["hard"]?["every"]?.whole else {
      return (configuration["targetTracking"]?["soft"]?["rate"]?.double ?? 0.005, 1)
    }
    // TD3 and DDPG of Stable-Baselines3 copy at no interval: as much as that on average
    return ["td3", "ddpg"].contains(model.algorithm) ? (1 / Double(every), 1) : (1, every)
  }

  /// Steps between rounds of updates, and updates of a round.
  private var cadence: (frequency: Int, updates: Int) {
    let every = whole("updateEvery", 1)
    let updates = number("updatesPerStep", 1) * Double(every)
    if updates >= 1 || updates <= 0 { return (every, max(1, Int(clampingWhole: updates.rounded()))) }
    return (max(every, Int(clampingWhole: (Double(every) / updates).rounded())), 1)
  }

  /// A pickle of Stable-Baselines3's own noise, in units of the normalised action as here.
  private var noise: JSONValue {
    guard let noise = configuration["explorationNoise"] else { return .null }
    let module = "stable_baselines3.common.noise"
    func array(_ value: Double) -> PickleValue {
      .call(.name("numpy", "array"), [.list(Array(repeating: .number(value), count: model.actions.count))])
    }
    func text(_ value: Double) -> JSONValue {
      .string("[" + Array(repeating: "\(value)", count: model.actions.count).joined(separator: " ") + "]")
    }
    func entry(_ name: String, _ deviation: Double, _ more: [Double] = []) -> [String: JSONValue] {
      let arguments = [array(0), array(deviation)] + more.map { .number($0) }
      return [
        ":type:": .string("<class '\(module).\(name)'>"), "_mu": text(0), "_sigma": text(deviation),
        ":serialized:": .string(PickleValue.call(.name(module, name), arguments).base64),
      ]
    }
    if let deviation = noise["gaussian"]?["standardDeviation"]?.double {
      return .object(entry("NormalActionNoise", deviation))
    }
    guard let settings = noise["ornsteinUhlenbeck"], let deviation = settings["standardDeviation"]?.double,
      let stiffness = settings["stiffness"]?.double, let timestep = settings["timestep"]?.double
    else { return .null }
    var members = entry("OrnsteinUhlenbeckActionNoise", deviation, [stiffness, timestep])
    (members["_theta"], members["_dt"]) = (.number(stiffness), .number(timestep))
    return .object(members)
  }
}
