// Doctor.swift — `offpolicy doctor`: which program, processor and libraries a run would use, and whether they are whole.

import ArgumentParser
import OffPolicy

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show which libraries are loaded from where, and whether they are the published ones.")

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
      print("MuJoCo     " + (report.mujoco.library.map { "\(report.mujoco.version ?? ""), \($0)" } ?? "none"))
      for fault in report.mujoco.faults { print("           \(fault)") }
      print("HDF5       " + (report.hdf5.library ?? "none"))
      for fault in report.hdf5.faults { print("           \(fault)") }
    }
    if !report.mujoco.faults.isEmpty { throw ExitCode(1) }
  }

  private struct Report: Encodable {
    let version = programVersion
    let swift = swiftVersion
    /// The file of the program.
    let program = ExecutablePath.current
    let processor = Processor.summary
    let mujoco = Library.mujoco()
    let hdf5 = Library.hdf5()
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
      } catch { return Library(faults: ["\(error)"]) }
    }

    static func hdf5() -> Library {
      do { return Library(library: try HDF5File.libraryPath()) } catch { return Library(faults: ["\(error)"]) }
    }
  }
}
