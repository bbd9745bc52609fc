// MachineFacts.swift — finds the facts that `doctor` shows: the speed of the disk, and which Python there is.

import Foundation
import OffPolicy

/// The disk of the current folder.
struct DiskFacts: Encodable {
  let path: String
  /// Bytes that may still be written; nil where the system does not say.
  var free: Int?
  /// Bytes written and synced in a second, over 10⁶.
  var megabytesPerSecond: Double?
  /// What is wrong, a line each.
  var faults: [String] = []

  /// Bytes that the measurement writes.
  static let amount = 32_000_000

  /// Measures by a file whose name is removed before the first byte is written: nothing is left, however the program ends.
  init(at path: String = FileManager.default.currentDirectoryPath) {
    self.path = path
    free = DiskSpace.available(at: path)
    let name = "\(path)/.offpolicy-doctor-\(ProcessInfo.processInfo.processIdentifier)"
    guard FileManager.default.createFile(atPath: name, contents: nil),
      let file = FileHandle(forWritingAtPath: name)
    else {
      faults.append("\(path) cannot be written to: give runs another folder with --run-directory")
      return
    }
    defer { try? file.close() }
    do {
      try FileManager.default.removeItem(atPath: name)
      let block = Data(repeating: 0x5a, count: 1_000_000)
      let began = ContinuousClock.now
      for _ in 0..<(Self.amount / block.count) { try file.write(contentsOf: block) }
      try file.synchronize()
      let duration = (ContinuousClock.now - began) / .seconds(1)
      megabytesPerSecond = Double(Self.amount) / 1e6 / max(duration, 1e-9)
    } catch {
      faults.append("\(path) cannot be written to: \(error.localizedDescription)")
    }
  }
}

/// The Python that environments named `gym:ID` and `python:FILE:FUNCTION` would run in.
struct PythonFacts: Encodable {
  /// The interpreter's own file.
  var interpreter: String?
  var version: String?
  /// Gymnasium's version; nil where it is missing.
  var gymnasium: String?
  /// What is wrong, a line each. None of it matters to built-in environments.
  var faults: [String] = []

  /// Seconds to wait for an interpreter's answer.
  private static let limit = 20.0
  // the current folder is not looked in for modules
  private static let question = """
    import sys
    sys.path = [place for place in sys.path if place]
    import platform
    try:
        import gymnasium
        gymnasium = gymnasium.__version__
    except Exception:
        gymnasium = ""
    print(sys.executable, platform.python_version(), gymnasium, sep="\\n")
    """

  init(_ settings: PythonSettings) {
    let named = settings.interpreterPath
    let process = Process()
    let (answer, ended) = (Pipe(), DispatchSemaphore(value: 0))
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [named, "-c", Self.question]
    process.standardOutput = answer
    process.standardError = FileHandle.nullDevice
    process.terminationHandler = { _ in ended.signal() }
    do { try process.run() } catch {
      faults.append("\(named) cannot be started: \(error.localizedDescription)")
      return
    }
    guard ended.wait(timeout: .now() + Self.limit) == .success else {
      process.terminate()
      faults.append(
        "\(named) does not answer within \(Int(Self.limit)) seconds: name another interpreter in OFFPOLICY_PYTHON")
      return
    }
    let text = String(decoding: (try? answer.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard process.terminationStatus == 0, lines.count >= 3 else {
      faults.append(
        "\(named) does not run as Python: install Python 3.9 or later, or name an interpreter in OFFPOLICY_PYTHON")
      return
    }
    (interpreter, version) = (lines[0], lines[1])
    if lines[2].isEmpty {
      faults.append("it has no Gymnasium, which gym:ID environments need: \(lines[0]) -m pip install gymnasium")
    } else {
      gymnasium = lines[2]
    }
  }
}
