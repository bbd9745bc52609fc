import Environments
import Foundation
import Testing

@Suite struct EnvironmentsGuideTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func `an environment of a user can be registered, made and checked`() throws {
    let registry = EnvironmentRegistry(EnvironmentRegistry.builtIn.entries + [DoubleIntegrator.entry])
    let task = Stepper(try registry.make("DoubleIntegrator-v0"))
    try task.reset(seed: 3)
    let start = task.observation[0]
    let outcome = try task.step(-1)
    let (position, velocity) = (task.observation[0], task.observation[1])
    #expect(abs(position - (start - 0.01)) < 1e-6 && velocity == -0.1)
    #expect(abs(outcome.reward + Double(position * position)) < 1e-6 && !outcome.endsEpisode)
    #expect(EnvironmentChecker.check(DoubleIntegrator.entry).findings == [])
  }

  @Test func `the guide names every environment, every rule and every deviation`() throws {
    let guide = try Self.text("Guides/Environments.md")
    for entry in EnvironmentRegistry.builtIn.entries { #expect(guide.contains("| `\(entry.id)` |")) }
    for rule in EnvironmentReport.Rule.allCases { #expect(guide.contains("| `\(rule.rawValue)` |")) }
    let folder = Self.root.appendingPathComponent("Sources/Environments").path
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
      let count = try Self.text("Sources/Environments/\(file)").components(separatedBy: "// differs:").count - 1
      #expect(guide.components(separatedBy: "| `\(file)` |").count - 1 == count, "\(file)")
    }
  }
}
