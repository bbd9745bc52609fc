import Environments
import Platform
import Testing

@Suite struct GoalEnvironmentTests {
  @Test func `an observation is other values, the goal that was reached, the goal that is asked for`() {
    let layout = GoalLayout(observationSize: 10, goalSize: 3)
    #expect(layout.count == 16 && layout.achieved == 10..<13 && layout.desired == 13..<16)
    #expect(GoalLayout(observationSize: 0, goalSize: 1).desired == 1..<2)
  }

  @Test func `a task with goals is still known as one within a time limit and a guard`() throws {
    let task = PointReach()
    let wrapped = ContractGuard(TimeLimit(task, maximumEpisodeSteps: 50), name: "PointReach-v0")
    #expect(wrapped.goals === task && task.goals === task)
    let lanes = try EnvironmentLanes(count: 2, workers: WorkerPool(count: 1)) {
      TimeLimit(task, maximumEpisodeSteps: 50)
    }
    #expect(lanes.goals === task)
    #expect(ContractGuard(TimeLimit(Pendulum(), maximumEpisodeSteps: 200), name: "Pendulum-v1").goals == nil)
  }

  @Test(arguments: EnvironmentRegistry.builtIn.entries.map(\.id))
  func `an entry tells where the goals of its task are`(id: String) throws {
    let entry = try EnvironmentRegistry.builtIn.entry(id)
    #expect(try entry.make().goals?.goalLayout == entry.goals)
    if let goals = entry.goals { #expect(goals.count == entry.observationSize) }
    #expect((entry.goals != nil) == id.hasPrefix("PointReach"))
  }

  @Test func `misuse traps`() async {
    await #expect(processExitsWith: .failure) { _ = GoalLayout(observationSize: 3, goalSize: 0) }
  }
}
