import Foundation
import Testing

@testable import Sweeps

@Suite struct SlurmScriptTests {
  /// Runs a script with bash, and tells its exit code and what it printed.
  private func bash(_ arguments: [String], number: Int = 0) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["SLURM_ARRAY_TASK_ID": "\(number)"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  private func write(_ command: [String], jobs: Int? = nil) throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("slurm-\(UUID().uuidString).sh").path
    let script = SlurmScript(name: "s", count: 6, jobs: jobs, threads: 2, command: command)
    try script.text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test func `a job makes the run of its number, and ends as that run does`() throws {
    let path = try write(["echo", "run"])
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try bash(["-n", path]).0 == 0)
    let (status, output) = try bash([path], number: 4)
    #expect(status == 0 && output == "run --only 4\n")
    let failing = try write(["sh", "-c", "'exit 7'"])
    defer { try? FileManager.default.removeItem(atPath: failing) }
    #expect(try bash([failing]).0 == 7)
  }

  static let hasPython =
    FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
    || ProcessInfo.processInfo
      .environment["PATH"]?.split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/python3")
      } == true

  @Test(.enabled(if: hasPython, "Python takes the block of signals back"))
  func `a job that is ended hands the signal on and waits until its run is saved`() throws {
    let marker = FileManager.default.temporaryDirectory.appendingPathComponent("saved-\(UUID().uuidString)").path
    let program = try write([
      "bash", "-c", "'trap \"sleep 0.3; echo saved > \(marker); exit 143\" TERM; while :; do sleep 0.05; done'", "x",
    ])
    defer {
      try? FileManager.default.removeItem(atPath: program)
      try? FileManager.default.removeItem(atPath: marker)
    }
    // a test's thread blocks signals and hands that down: Python takes it back
    let unblocked =
      "import os, signal; signal.pthread_sigmask(signal.SIG_SETMASK, []); "
      + "os.execvp('timeout', ['timeout', '-s', 'KILL', '60', 'bash', '-c', "
      + "'bash \(program) >/dev/null & job=$!; sleep 2; kill -TERM $job; wait $job; echo $?'])"
    let (_, output) = try bash(["-c", "exec python3 -c \"$1\"", "x", unblocked])
    #expect(output == "143\n")
    #expect((try? String(contentsOfFile: marker, encoding: .utf8)) == "saved\n")
  }

  @Test func `the array has a job for each run, and no more at a time than was said`() throws {
    let script = SlurmScript(name: "s", count: 6, jobs: 3, threads: 2, command: ["x"]).text
    #expect(script.contains("#SBATCH --array=0-5%3\n") && script.contains("#SBATCH --cpus-per-task=2\n"))
    #expect(script.contains("#SBATCH --requeue\n") && script.contains("#SBATCH --signal=B:TERM@120\n"))
  }
}
