// SweepFolder.swift — the folder of a sweep: its plan, its runs, and the state of each run.

import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The folder of a sweep: `sweep.json`, and a folder and a log for each run.
package struct SweepFolder: Sendable {
  package static let planName = "sweep.json"

  package let path: String

  package init(_ path: String) { self.path = URL(fileURLWithPath: path).standardizedFileURL.path }

  package func runPath(_ run: SweepPlan.Run) -> String { "\(path)/runs/\(run.name)" }
  package func logPath(_ run: SweepPlan.Run) -> String { "\(path)/logs/\(run.name).log" }

  /// The state of a run.
  package enum State: Sendable, Equatable {
    /// There is no checkpoint yet: the run begins anew.
    case absent
    /// There is a checkpoint to resume from.
    case stopped(step: Int)
    case done
    /// Another process trains it.
    case inUse
    /// It cannot be resumed.
    case broken(String)
  }

  /// The plan; nil where the folder does not exist or is empty.
  package func plan() throws -> SweepPlan? {
    guard let folder = try? Folder(path) else { return nil }
    do {
      let bytes = try folder.contents(Self.planName).bytes
      let plan = try JSONDecoder().decode(SweepPlan.self, from: Data(bytes))
      guard plan.formatVersion == SweepPlan.currentVersion else {
        throw SweepError(
          "\(path)/\(Self.planName) has format \(plan.formatVersion), this program reads \(SweepPlan.currentVersion)")
      }
      let names = plan.runs.map(\.name)
      guard !names.isEmpty else {
        throw SweepError("\(path)/\(Self.planName) has no runs: begin the sweep in another folder")
      }
      guard Set(names).count == names.count,
        names.allSatisfy({ !$0.isEmpty && !$0.contains("/") && $0 != "." && $0 != ".." })
      else { throw SweepError("\(path)/\(Self.planName) has runs with impossible or equal names") }
      return plan
    } catch let error as DiskError where error.isMissing {
      // remains of a process that was killed while it wrote the first plan
      let others = folder.names().filter { !["runs", "logs"].contains($0) && !$0.hasSuffix(".new") }
      guard others.isEmpty else {
        throw SweepError("\(path) is not a sweep and not empty: choose another folder")
      }
      return nil
    } catch let error as SweepError {
      throw error
    } catch let error as DiskError {
      throw SweepError("\(path)/\(Self.planName) cannot be read: \(error.reason)")
    } catch {
      throw SweepError("\(path)/\(Self.planName) is damaged: begin the sweep in another folder")
    }
  }

  /// Writes the plan, whole or not at all, and makes the folders beside it.
  package func write(_ plan: SweepPlan) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = try encoder.encode(plan)
    do {
      for name in ["runs", "logs"] { try Folder.makePath("\(path)/\(name)") }
      try DiskFile.replace("\(path)/\(Self.planName)", with: bytes.span)
    } catch {
      throw SweepError("\(path) cannot be written: \(error.reason)")
    }
  }

  /// Locks the sweep for this process until the result is released. Its folder is made where it is missing.
  ///
  /// - Throws: `SweepError` when another process holds it.
  package func lock() throws -> AnyObject {
    let folder: Folder
    do {
      try Folder.makePath(path)
      folder = try Folder(path)
    } catch { throw SweepError("\(path) cannot be written: \(error.reason)") }
    guard folder.lock() else { throw SweepError("another process works on the sweep \(path): wait for it or stop it") }
    return folder
  }

  /// The current state of a run.
  package func state(of run: SweepPlan.Run) -> State {
    let path = runPath(run)
    guard let folder = try? Folder(path) else { return .absent }
    // a process that was killed while it made the folder
    guard folder.mark("run.json") != nil else { return folder.lock() ? beginning(in: folder) : .inUse }
    do {
      let directory = try RunDirectory.open(path)
      do { try directory.lock() } catch { return .inUse }
      guard let (state, _) = try directory.checkpoint() else { return beginning(in: folder) }
      return state.step >= directory.description.run.steps ? .done : .stopped(step: state.step)
    } catch {
      return .broken("\(error)")
    }
  }

  /// A folder without a checkpoint: nothing that a run had learned is in it, or somebody took the checkpoints away.
  private func beginning(in folder: Folder) -> State {
    let logs = ["episodes", "metrics", "evaluations", "evaluation-episodes", "health"]
    let own = ["run.json", "lock", "checkpoint"] + logs.map { $0 + ".csv" }
    let others = folder.names().filter { name in
      !own.contains { $0 == name || $0 + ".new" == name } && !name.hasPrefix("events.out.tfevents.")
    }
    guard let first = others.sorted().first else { return .absent }
    return .broken("\(folder.path) has no checkpoint, but \(first): move the folder away, and the run begins anew")
  }
}
