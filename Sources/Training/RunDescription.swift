// RunDescription.swift — what run.json says of a run.

import Environments
import Formats
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What `run.json` holds.
public struct RunDescription: Codable, Sendable, Equatable {
  /// The version of `run.json` that this program writes.
  public static let currentVersion = 1

  /// The version of `run.json`.
  public var formatVersion = RunDescription.currentVersion
  /// What the run is.
  public var run: RunConfiguration
  /// What computes it.
  public var versions: Versions
  /// When the run began, UTC.
  public var started: String
  /// The seed of each evaluation's first episode; nil in runs of 0.1.0.
  public var evaluationSeed: UInt64?
  /// What going on from a checkpoint can promise; nil in earlier runs, where it is exact.
  public var resume: ResumePromise?
  /// What was changed since then, oldest first; nil where nothing was.
  public var changes: [RunChange]?
  /// The preset that the run began with; nil where there was none.
  public var preset: PresetUse?
  /// Where settings come from that are not the algorithm's defaults, by name; nil in runs that began before it was kept.
  public var sources: [String: String]?
  /// The run that this one began as a copy of; nil where there was none.
  public var parent: Parent?

  /// A preset, as a run keeps it.
  public struct PresetUse: Codable, Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Its file; nil where it is part of the program.
    public var path: String?
    /// What the file says and the program has no counterpart of.
    public var leftOut: [String]?

    /// A preset of a name, from a file or from the program.
    public init(name: String, path: String? = nil, leftOut: [String]? = nil) {
      (self.name, self.path, self.leftOut) = (name, path, leftOut)
    }
  }

  /// A run that another one goes on from, in a folder of its own.
  public struct Parent: Codable, Sendable, Equatable {
    /// Its folder.
    public var path: String
    /// The step that it was at.
    public var step: Int
    /// A hash of what it had learned then, as `RunInspection` has it.
    public var digest: String
    /// When it began, UTC.
    public var started: String
  }

  /// What the run was made with.
  public struct Versions: Codable, Sendable, Equatable {
    /// The program's version.
    public var program: String
    /// The compiler's version.
    public var swift: String
    /// libmujoco's own version; null where the environment needs none.
    public var mujoco: String?
    /// The processor and the instruction set in use.
    public var processor: String
    /// Whether large products ran on a matrix unit, see `Processor.usesMatrixUnit`; null in runs of version 0.1.0, where none did.
    public var matrixUnit: Bool?
    /// The file of libmujoco; null where the environment needs none, and in runs that began before it was kept.
    public var mujocoLibrary: String?

    /// Versions as they are told.
    public init(program: String, swift: String, mujoco: String?, processor: String, matrixUnit: Bool? = nil) {
      (self.program, self.swift, self.mujoco, self.processor) = (program, swift, mujoco, processor)
      self.matrixUnit = matrixUnit
    }
  }

  /// The description of a run that begins now.
  public init(run: RunConfiguration, versions: Versions) {
    self.run = run
    self.versions = versions
    evaluationSeed = run.evaluationSeed
    started = Date().formatted(.iso8601)
  }
}

extension RunDescription {
  /// Where a hyperparameter's value comes from, in words; nil: it is the algorithm's default, or nobody kept it.
  public func source(of name: String) -> String? {
    let change = changes?.last { $0.configuration?[name] != nil }
    return change.map { "changed at step \($0.step)" } ?? sources?[name]
  }
}

extension RunDirectory {
  static let descriptionName = "run.json"

  /// What `run.json` of a folder says.
  public static func describe(_ path: String) throws -> RunDescription {
    let folder: Folder
    do { folder = try Folder(URL(fileURLWithPath: path).path) } catch {
      throw RunDirectoryError(
        error.isMissing || error.isNoFolder
          ? "\(path) is no run: it has no run.json; give the folder of a run"
          : "\(path) cannot be read: \(error.reason)")
    }
    return try describe(folder, as: path)
  }

  /// - Parameter path: what messages call the folder.
  static func describe(_ folder: Folder, as path: String) throws -> RunDescription {
    let file = folder.path(descriptionName)
    do {
      let data = Data(try folder.contents(descriptionName).bytes)
      let description = try JSONDecoder().decode(RunDescription.self, from: data)
      guard description.formatVersion == RunDescription.currentVersion else {
        throw RunDirectoryError(
          "\(file) has format \(description.formatVersion), this program reads \(RunDescription.currentVersion)")
      }
      do { try description.run.check() } catch {
        throw RunDirectoryError("\(file) cannot be used: \(error)")
      }
      return description
    } catch let error as RunDirectoryError {
      throw error
    } catch let error as DiskError where error.isMissing {
      throw RunDirectoryError("\(path) is no run: it has no run.json; give the folder of a run")
    } catch {
      throw RunDirectoryError("\(file) cannot be read: \(reason(error))")
    }
  }

  /// Writes `run.json` of a new run.
  static func write(_ description: RunDescription, to folder: Folder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try folder.replace(descriptionName, with: encoder.encode(description).span)
  }
}
