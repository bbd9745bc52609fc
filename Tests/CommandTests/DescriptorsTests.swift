// DescriptorsTests.swift — the program where its standard streams are closed, full, or read by somebody who goes away.

import Foundation
import OffPolicy
import Testing

@Suite struct DescriptorsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// What a shell makes of a command line; `$0` is the program.
  @discardableResult
  func shell(_ line: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", line, Program.path]
    process.currentDirectoryURL = folder.url
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle(forWritingAtPath: "/dev/null")
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (
      process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus, text
    )
  }

  /// A short run, but for what `more` says: an option given twice would be told.
  func arguments(_ name: String, _ more: String = "") -> String {
    let usual = [
      "--steps 1500", "--seed 3", "--evaluate-every 500", "--evaluation-episodes 2", "--checkpoint-every 100",
      "--threads 1",
    ].filter { !more.contains($0.prefix { $0 != " " }) }
    return "train td3 Pendulum-v1 --run-directory \(name) --set hiddenSizes=16,16 --set batchSize=32 "
      + "--set randomSteps=200 \(usual.joined(separator: " ")) \(more)"
  }

  static let closings = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]

  @Test func `no message lands in a file of the run, whichever of the standard streams are closed`() throws {
    func rows(_ name: String) throws -> [[String]] {
      try ["episodes.csv", "evaluations.csv", "metrics.csv"].map { log in
        try String(contentsOfFile: folder.path("\(name)/\(log)"), encoding: .utf8).split(separator: "\n")
          .map { String($0[..<($0.lastIndex(of: ",") ?? $0.endIndex)]) }
      }
    }
    #expect(try shell("\"$0\" \(arguments("whole"))").status == 0)
    let expected = try rows("whole")
    let policy = try Data(contentsOf: URL(fileURLWithPath: folder.path("whole/policy.safetensors")))
    for (n, closing) in Self.closings.enumerated() {
      #expect(try shell("\"$0\" \(arguments("run\(n)")) \(closing)").status == 0, "\(closing)")
      #expect(try rows("run\(n)") == expected, "\(closing)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("run\(n)/policy.safetensors"))) == policy)
      #expect(try shell("\"$0\" inspect run\(n)").status == 0)
      #expect(try shell("\"$0\" collect random Pendulum-v1 --steps 50 --out d\(n).npz \(closing)").status == 0)
      #expect(try shell("\"$0\" dataset info d\(n).npz").status == 0)
    }
  }

  #if os(Linux)
    @Test(arguments: ["list", "list --json", "doctor --json", "environment check Pendulum-v1"])
    func `output onto a full disk is an error, text as JSON`(command: String) throws {
      #expect(try shell("\"$0\" \(command) >/dev/full").status == 1)
      let message = try shell("\"$0\" \(command) 2>&1 >/dev/full").output
      #expect(message == "Error: standard output cannot be written to: the disk is full; free some space\n")
    }
  #endif

  static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

  @Test(
    .enabled(if: hasPython, "python3 makes the terminal"),
    arguments: [("xterm", 80, true), ("xterm", 40, false), ("dumb", 80, false)])
  func `narrow and dumb terminals get plain lines`(type: String, columns: Int, isLive: Bool) throws {
    let inner = "stty cols \(columns); exec \"$0\" \(arguments("run", "--steps 20000"))"
    let python = "import pty, sys; pty.spawn(['bash', '-c', sys.argv[1], sys.argv[2]])"
    let result = try shell("TERM=\(type) /usr/bin/python3 -c \"\(python)\" '\(inner)' \"$0\" </dev/null")
    #expect(result.output.contains("done: 20,000 steps"))
    #expect(result.output.contains("\u{1b}[2K") == isLive, "\(result.output)")
  }

  @Test func `a reader that has read enough ends a command without a message`() throws {
    let result = try shell("{ \"$0\" list 2>messages; echo $? >status; } | head -1")
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(try String(contentsOfFile: folder.path("messages"), encoding: .utf8).isEmpty)
  }

  @Test func `a reader of the messages that goes away stops a run, which saves itself`() throws {
    try shell("{ \"$0\" \(arguments("run", "--steps 100000000")) 2>&1; echo $? >status; } | head -2")
    #expect(try String(contentsOfFile: folder.path("status"), encoding: .utf8) == "141\n")
    let step = try Program.run("inspect", folder.path("run"), "--json").json()["step"]?.number ?? 0
    let rows = try String(contentsOfFile: folder.path("run/episodes.csv"), encoding: .utf8).split(separator: "\n").count
    #expect(step >= Double(200 * (rows - 1)) && step > 0)
  }

  @Test func `Ctrl-C in an evaluation gives the episodes that have ended`() throws {
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 300)).status == 0)
    for json in [false, true] {
      let start = ContinuousClock.now
      let result = try Program.run(
        ["evaluate", folder.path("run"), "--episodes", "100000000"] + (json ? ["--json"] : []),
        signal: (SIGINT, { ContinuousClock.now - start > .seconds(1) }))
      #expect(result.status == 130 && result.seconds < 2)
      #expect(result.errors.contains("stopped after") && result.errors.contains("of 100,000,000 episodes"))
      if json {
        let report = try result.json()
        #expect((report["episodes"]?.number ?? 0) > 0)
        #expect(report["returns"]?.array.count == Int(report["episodes"]?.number ?? 0))
      } else {
        #expect(result.output.contains("return "))
      }
    }
  }

  @Test func `Ctrl-C while data are collected keeps the steps that were taken`() throws {
    let start = ContinuousClock.now
    let result = try Program.run(
      ["collect", "random", "Pendulum-v1", "--steps", "30000000", "--out", folder.path("d.npz"), "--json"],
      signal: (SIGINT, { ContinuousClock.now - start > .seconds(1) }))
    #expect(result.status == 130)
    let data = try Program.run("dataset", "info", folder.path("d.npz"), "--json").json()
    let count = data["statistics"]?["transitions"]?.number ?? 0
    #expect(count > 0 && count < 30_000_000)
    #expect(result.errors.contains("stopped after"))
  }

  @Test func `SIGHUP saves like SIGTERM, but not where nohup has it ignored`() throws {
    func start(_ name: String, _ prefix: String) throws -> (status: Int32, output: String) {
      try shell(
        """
        \(prefix) "$0" \(arguments(name, "--steps 4000")) 2>\(name).err & child=$!
        while [ ! -s \(name)/evaluations.csv ] || [ $(wc -l <\(name)/evaluations.csv) -lt 2 ]; do sleep 0.02; done
        kill -HUP $child; wait $child; echo $?
        """)
    }
    #expect(try start("saved", "").output == "129\n")
    let message = try String(contentsOfFile: folder.path("saved.err"), encoding: .utf8)
    #expect(message.contains("everything saved; go on with: offpolicy resume saved"))
    #expect(try start("ignored", "nohup").output == "0\n")
  }

  @Test func `Ctrl-backslash ends the program at once`() throws {
    let log = folder.path("run/evaluations.csv")
    let result = try Program.run(
      shortRun("td3", into: folder.path("run"), steps: 100_000_000),
      signal: (SIGQUIT, { ((try? Data(contentsOf: URL(fileURLWithPath: log)))?.count ?? 0) > 90 }))
    #expect(result.status == 128 + SIGQUIT && result.seconds < 2)
    #expect(!result.errors.contains("Thread") && !result.errors.contains("crashed"))
  }

  @Test func `what cannot be written is refused before the steps are taken`() throws {
    for (path, words) in [("none/x.npz", "none: no such file or folder"), ("file/x", "a part of the path is a file")] {
      try Data().write(to: URL(fileURLWithPath: folder.path("file")))
      let result = try Program.run(
        ["collect", "random", "Pendulum-v1", "--steps", "1000000000", "--out", folder.path(path)])
      #expect(result.status == 1 && result.errors.contains(words) && result.errorLines.count == 1, "\(result.errors)")
    }
  }

  #if os(Linux)
    @Test func `too little memory for the threads is one line, not a hang and not a crash`() throws {
      let result = try shell("ulimit -v 700000; timeout 60 \"$0\" \(arguments("run", "--threads 256")) 2>&1")
      #expect(result.status == 1, "\(result)")
      #expect(result.output.split(separator: "\n").count == 1 && result.output.hasPrefix("Error: "), "\(result.output)")
    }
  #endif
}
