import OffPolicy
import Testing

@Suite struct ListTests {
  @Test func `every algorithm is listed with every hyperparameter, its default, range and source`() throws {
    let result = try Program.run("list", "--json")
    #expect(result.status == 0 && result.errors.isEmpty)
    let algorithms = try result.json()["algorithms"]?.array ?? []
    #expect(
      algorithms.compactMap { $0["name"]?.string }
        == [
          "ddpg", "td3", "sac", "tqc", "redq", "crossq", "xqc", "dqn", "sac-discrete", "td3-bc", "fqe", "fqe-discrete",
        ])
    for algorithm in algorithms {
      let entry = try AlgorithmRegistry.entry(algorithm["name"]?.string ?? "")
      let listed = algorithm["hyperparameters"]?.array ?? []
      // every property that the configuration has, not only those that somebody remembered
      #expect(Set(listed.compactMap { $0["name"]?.string }) == entry.defaults.values.keys)
      for parameter in listed {
        let name = parameter["name"]?.string ?? ""
        #expect(parameter["default"] == entry.defaults.values[name], "\(name)")
        for key in ["range", "source", "summary"] {
          #expect(parameter[key]?.string?.isEmpty == false, "\(name): \(key)")
        }
      }
    }
    for algorithm in algorithms {
      let entry = try AlgorithmRegistry.entry(algorithm["name"]?.string ?? "")
      let metrics = algorithm["metrics"]?.array ?? []
      #expect(metrics.compactMap { $0["name"]?.string } == entry.metrics.map(\.name))
      #expect(metrics.allSatisfy { $0["formula"]?.string?.isEmpty == false && $0["unit"]?.string != nil })
    }
    let discrete = algorithms.filter { $0["actions"]?.string == "discrete" }.compactMap { $0["name"]?.string }
    #expect(discrete == ["dqn", "sac-discrete", "fqe-discrete"])
    #expect(algorithms.count { $0["actions"]?.string == "continuous" } == algorithms.count - discrete.count)
    let sac = algorithms.first { $0["name"]?.string == "sac" }?["hyperparameters"]?.array ?? []
    let find = { (name: String) in sac.first { $0["name"]?.string == name } }
    #expect(find("discount")?["default"]?.number == 0.99 && find("discount")?["range"]?.string == "[0, 1]")
    #expect(find("batchSize")?["default"]?.number == 256)
    #expect(find("targetEntropy")?["default"] == .null)
    #expect(find("targetTracking")?["default"]?["soft"]?["rate"]?.number == 0.005)
    #expect(find("temperature")?["default"]?["learned"]?["initial"]?.number == 1)
  }

  @Test func `all nineteen tasks are listed with their sizes`() throws {
    let tasks = try Program.run("list", "--json").json()["environments"]?.array ?? []
    #expect(tasks.count == 19)
    let sizes = Dictionary(
      uniqueKeysWithValues: tasks.map { ($0["id"]?.string ?? "", $0["observationSize"]?.number ?? 0) })
    #expect(
      sizes == [
        "Acrobot-v1": 6, "CartPole-v1": 4, "MountainCar-v0": 2, "MountainCarContinuous-v0": 2, "MultiGoal-v0": 2,
        "Pendulum-v1": 3, "PointReach-v0": 12, "PointReachOnce-v0": 12,
        "Ant-v5": 105, "HalfCheetah-v5": 17,
        "Hopper-v5": 11, "Humanoid-v5": 348, "HumanoidStandup-v5": 348, "InvertedDoublePendulum-v5": 9,
        "InvertedPendulum-v5": 4, "Pusher-v5": 23, "Reacher-v5": 10, "Swimmer-v5": 8, "Walker2d-v5": 17,
      ])
  }

  @Test func `without the simulator everything is listed all the same`() throws {
    let result = try Program.run(["list"], environment: ["OFFPOLICY_MUJOCO": "/nonexistent"])
    #expect(result.status == 0 && result.output.contains("Humanoid-v5") && result.output.contains("policyDelay"))
  }

  @Test func `one name lists one thing`() throws {
    let algorithm = try Program.run("list", "TD3", "--json").json()
    #expect(algorithm["algorithms"]?.array.count == 1 && algorithm["environments"]?.array.isEmpty == true)
    let task = try Program.run("list", "Hopper", "--json").json()
    #expect(task["environments"]?.array.first?["id"]?.string == "Hopper-v5")
    #expect(task["algorithms"]?.array.isEmpty == true)
  }

  @Test func `a name that is neither an algorithm nor an environment is told, with the nearest of both`() throws {
    let algorithm = try Program.run("list", "sacc")
    #expect(algorithm.status != 0 && algorithm.errors.contains("did you mean sac?"))
    let environment = try Program.run("list", "Hoper")
    #expect(environment.status != 0 && environment.errors.contains("Hopper"))
  }

  @Test func `presets of one algorithm or one environment are shown alone`() throws {
    let all = try Program.run("list", "presets", "--json").json()["presets"]?.array ?? []
    for filter in ["td3", "Swimmer-v5"] {
      let some = try Program.run("list", "presets", filter, "--json").json()["presets"]?.array ?? []
      #expect(!some.isEmpty && some.count < all.count)
      for preset in some {
        #expect(
          preset["algorithm"]?.string == filter
            || preset["environments"]?.array.contains { $0.string == filter } == true)
      }
    }
    #expect(try Program.run("list", "presets", "nothing").errors.contains("no preset is for nothing"))
    #expect(try Program.run("list", "sac", "td3").status != 0)
  }
}
