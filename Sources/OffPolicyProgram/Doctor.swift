// Doctor.swift — `offpolicy doctor`: the program, processor, disk and libraries that a run would use, and what is missing.

import ArgumentParser
import OffPolicy

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show what a run would use: processor, memory, disk, MuJoCo, HDF5, Python; and how to get what is missing.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let report = Report()
    if json {
      try Output.json(report)
    } else {
      print("program    \(Program.name) \(report.version), Swift \(report.swift)")
      print("           \(report.program ?? "the system does not say where it is")")
      print("processor  \(report.processor)")
      print(
        "memory     " + (report.memoryAvailable.map { "\(Memory.text($0)) available" } ?? "the system does not say"))
      print(
        "disk       \(report.disk.path), \(report.disk.free.map { Memory.text($0) + " free" } ?? "free space unknown")"
          + (report.disk.megabytesPerSecond.map { ", writes \(Int($0.rounded())) MB/s" } ?? ""))
      for fault in report.disk.faults { print("           \(fault)") }
      print("MuJoCo     " + (report.mujoco.library.map { "\(report.mujoco.version ?? ""), \($0)" } ?? "none"))
      for fault in report.mujoco.faults { print("           \(fault)") }
      print("HDF5       " + (report.hdf5.library ?? "none"))
      for fault in report.hdf5.faults { print("           \(fault)") }
      print(
        "Python     " + (report.python.interpreter.map { "\(report.python.version ?? ""), \($0)" } ?? "none")
          + (report.python.gymnasium.map { ", Gymnasium \($0)" } ?? ""))
      for fault in report.python.faults { print("           \(fault)") }
    }
    if !report.mujoco.faults.isEmpty { throw ExitCode(1) }
  }

  private struct Report: Encodable {
    let version = programVersion
    let swift = swiftVersion
    /// The file of the program.
    let program = ExecutablePath.current
    let processor = Processor.summary
    /// Bytes of memory that are available.
    let memoryAvailable = Memory.available
    let disk = DiskFacts()
    let mujoco = Library.mujoco()
    let hdf5 = Library.hdf5()
    let python = PythonFacts(Program.python)
  }

  private struct Library: Encodable {
    var library: String?
    var version: String?
    /// What is wrong, a line each.
    var faults: [String] = []

    static func mujoco() -> Library {
      do {
        return Library(
          library: try MuJoCoTasks.libraryPath(), version: try MuJoCoTasks.simulatorVersion(),
          faults: try MuJoCoTasks.damagedModels())
      } catch { return Library(faults: [AdvisedError(error, in: nil)?.description ?? "\(error)"]) }
    }

    static func hdf5() -> Library {
      do { return Library(library: try HDF5File.libraryPath()) } catch { return Library(faults: ["\(error)"]) }
    }
  }
}
