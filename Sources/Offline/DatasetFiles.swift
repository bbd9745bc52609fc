// DatasetFiles.swift — which layout a path has, and data read from it or written to it.

import Algorithms
import Environments
import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a reader must be told where the file does not say it.
public struct DatasetReading: Sendable {
  /// How the ends of episodes are told where the file has no time-outs.
  public var timeouts = TimeoutReading.stored
  /// The environment whose bounds the actions are scaled by.
  public var environment: EnvironmentEntry?
  /// Bounds from elsewhere, such as a policy's; the file's own go before them.
  public var bounds: (low: [Float], high: [Float])?
  /// How many choices a discrete action has, from elsewhere such as a policy; for files that say neither this nor bounds.
  public var choices: Int?
  /// Of observations that are dictionaries the parts to join, in this order; nil: all of them, by name.
  public var observations: [String]?
  /// Where nobody says the bounds, the actions' own range will do: to look at data, not to learn from them.
  public var acceptsUnknownBounds = false

  /// What the file says itself, unless given.
  public init(
    timeouts: TimeoutReading = .stored, environment: EnvironmentEntry? = nil,
    bounds: (low: [Float], high: [Float])? = nil
  ) {
    (self.timeouts, self.environment, self.bounds) = (timeouts, environment, bounds)
  }
}

/// How data lie on the disk.
public enum DatasetLayout: String, CaseIterable, Sendable {
  /// Frames as a run's replay buffer has them.
  case folder
  /// NumPy's `.npz`, with D4RL's names.
  case npz
  /// HDF5 with D4RL's names.
  case d4rl
  /// Minari's folder.
  case minari

  /// What a path's extension says.
  init(path: String) throws {
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "": self = .folder
    case "npz": self = .npz
    case "hdf5", "h5": self = .d4rl
    default: throw DatasetFiles.unknown(path, "; or say the layout", remedies: [.layout])
    }
  }
}

/// Data on the disk, in every layout that is known.
public enum DatasetFiles {
  /// Reads data: a run's folder, a folder of this program or of Minari, `.npz`, or `.hdf5`.
  public static func read(_ path: String, _ reading: DatasetReading = DatasetReading()) throws -> Dataset {
    let url = URL(fileURLWithPath: path)
    guard FileManager.default.fileExists(atPath: path) else {
      throw DatasetError(path, "does not exist: give a run's folder, or data that were collected or converted")
    }
    func has(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
    }
    if reading.observations != nil && !has("data/main_data.hdf5") {
      throw DatasetError(
        path, "has observations in one piece: parts of them can be named for Minari's dictionaries only")
    }
    if FileAccess.isFolder(path) {
      if reading.timeouts != .stored && (has(DatasetFolder.description) || has("run.json")) {
        throw saysItsTimeouts(path, reading.timeouts)
      }
      if has(DatasetFolder.description) {
        let dataset = try DatasetFolder.read(path)
        if let task = reading.environment { try check(dataset.description, of: task, path: path) }
        return dataset
      }
      if has("run.json") {
        let dataset = try DatasetFolder.readRun(path, reading)
        if let task = reading.environment { try check(dataset.description, of: task, path: path) }
        return dataset
      }
      if has("data/main_data.hdf5") { return try MinariDataset.read(path, reading) }
      throw DatasetError(
        path, "is no data: it has neither \(DatasetFolder.description) nor run.json nor data/main_data.hdf5")
    }
    switch (layout(ofFile: url), url.pathExtension.lowercased()) {
    case (.npz, _), (nil, "npz"): return try NumPyDataset.read(path, reading)
    case (.d4rl, _), (nil, "hdf5"), (nil, "h5"): return try D4RLDataset.read(path, reading)
    default: throw unknown(path)
    }
  }

  /// What a file's first bytes say, whatever its name is; nil where they say nothing.
  private static func layout(ofFile url: URL) -> DatasetLayout? {
    guard FileAccess.isRegular(url.path),
      let start = try? Data(contentsOf: url, options: .alwaysMapped).prefix(4)
    else { return nil }
    if start.elementsEqual([0x50, 0x4b, 3, 4]) { return .npz }
    return start.elementsEqual([0x89, 0x48, 0x44, 0x46]) ? .d4rl : nil
  }

  /// Writes data in a layout, or in the one that the extension says: `.npz`, `.hdf5` (D4RL), or none for a folder of
  /// this program.
  public static func write(_ dataset: borrowing Dataset, to path: String, as layout: DatasetLayout? = nil) throws {
    try refuseUnwritable(path, as: layout)
    let path = withoutSlash(path)
    switch try layout ?? DatasetLayout(path: path) {
    case .folder: try DatasetFolder.write(dataset, to: path)
    case .npz: try NumPyDataset.write(dataset, to: path)
    case .d4rl: try D4RLDataset.write(dataset, to: path)
    case .minari: try MinariDataset.write(dataset, to: path)
    }
  }

  /// What exists is never written over; asked before long work too.
  public static func refuseUnwritable(_ path: String, as layout: DatasetLayout? = nil) throws {
    do { try NewPath(withoutSlash(path)).check() } catch {
      if error.isTaken { throw DatasetError(path, "exists already: choose another path, or remove it first") }
      throw DatasetError(path, "cannot be written: \(error.path): \(error.reason)")
    }
    let layout = try layout ?? DatasetLayout(path: path)
    // not only after the steps are taken
    if layout == .d4rl || layout == .minari { try HDF5File.checkAvailable() }
  }

  /// Throws when data of so many steps do not fit on the disk of `path`: before the steps are taken.
  public static func checkSpace(steps: Int, observationSize: Int, actionSize: Int, at path: String, available: Int?)
    throws
  {
    // next observations are written too
    let (bytes, overflow) = steps.multipliedReportingOverflow(by: 4 * (2 * observationSize + actionSize + 2))
    try DiskSpace.check(
      overflow ? .max : bytes, for: "a data set of \(steps) steps", at: path, available: available,
      hint: "take fewer steps")
  }

  /// What is written beside its place must not be written into it.
  private static func withoutSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// Has something written beside its place, and then renames it: it is whole or not there.
  static func writeWhole(_ path: String, _ write: (_ partial: String) throws -> Void) throws {
    do { try NewPath(path).writeWhole(write) } catch let error as DiskError {
      throw DatasetError(path, "cannot be written: \(error.reason)")
    }
  }

  fileprivate static func unknown(_ path: String, _ more: String = "", remedies: [Remedy] = []) -> DatasetError {
    DatasetError(
      path, "has an unknown extension: data are .npz, .hdf5, or a folder without an extension" + more,
      remedies: remedies)
  }

  /// Throws when data that know their sizes and bounds cannot be of an environment.
  private static func check(_ own: DatasetDescription, of task: EnvironmentEntry, path: String) throws {
    let scaling = try ActionScaling(task.actionSpace, of: task.id)
    guard own.observationSize == task.observationSize, own.actionLow == scaling.low, own.actionHigh == scaling.high,
      own.choices == scaling.choices
    else {
      throw DatasetError(
        path,
        "has \(own.observationSize) observations and actions in \(own.actionLow) to \(own.actionHigh); \(task.id) has "
          + "\(task.observationSize) and \(scaling.low) to \(scaling.high): give the environment that the data are of")
    }
  }

  /// For data that mark their time-outs, where they were to be read otherwise.
  static func saysItsTimeouts(_ path: String, _ reading: TimeoutReading) -> DatasetError {
    DatasetError(
      path, "marks its time-outs: they cannot be read as \(reading.text ?? "said") beside that; leave it out")
  }

  // MARK: what files share

  /// The bounds to scale actions by: the file's, the environment's, or those from elsewhere.
  static func description(
    _ columns: TransitionColumns, environment: String?, bounds own: (low: [Float], high: [Float])?, choices: Int?,
    path: String, _ reading: DatasetReading
  ) throws -> DatasetDescription {
    // Minari writes infinities where there are none
    let unbounded = own.map { !($0.low + $0.high).allSatisfy(\.isFinite) } ?? false
    var bounds = (unbounded && reading.acceptsUnknownBounds ? nil : own) ?? reading.bounds
    var choices = choices ?? (own == nil ? reading.choices : nil)
    if let task = reading.environment {
      let space = try ActionScaling(task.actionSpace, of: task.id)
      guard columns.observationSize == task.observationSize, columns.actionSize == space.count,
        choices == nil || choices == space.choices
      else {
        throw DatasetError(
          path,
          "has \(columns.observationSize) observations and \(choices.map { "\($0) choices" } ?? "\(columns.actionSize) actions"); \(task.id) has "
            + "\(task.observationSize) and \(space.choices.map { "\($0) choices" } ?? "\(space.count)"): give the environment that the data are of"
        )
      }
      (bounds, choices) = ((space.low, space.high), space.choices)
    } else if let choices {
      guard choices > 0, choices <= 1 << 20, columns.actionSize == 1 else {
        throw DatasetError(
          path, "has \(columns.actionSize) actions in a row, but says that there are \(choices) choices")
      }
      bounds = ([0], [Float(choices - 1)])
    }
    let isKnown = bounds != nil
    guard let bounds = bounds ?? (reading.acceptsUnknownBounds ? columns.actionRange : nil) else {
      throw DatasetError(
        path, "does not say the bounds of its actions: name the environment, so that they can be scaled",
        remedies: [.environment])
    }
    guard bounds.low.count == columns.actionSize, bounds.high.count == columns.actionSize else {
      throw DatasetError(path, "has \(columns.actionSize) actions, but bounds for \(bounds.low.count)")
    }
    guard choices != nil || zip(bounds.low, bounds.high).allSatisfy({ $0.isFinite && $1.isFinite && $0 < $1 }) else {
      throw DatasetError(path, "has actions without finite bounds: they cannot be scaled to [−1, 1]")
    }
    var description = DatasetDescription(
      environment: reading.environment?.id ?? environment, observationSize: columns.observationSize,
      actionLow: bounds.low, actionHigh: bounds.high, choices: choices,
      source: URL(fileURLWithPath: path).lastPathComponent)
    if !isKnown { description.boundsAreOfData = true }
    return description
  }

  static func dataset(
    _ columns: TransitionColumns, environment: String?, bounds: (low: [Float], high: [Float])?, choices: Int? = nil,
    path: String, _ reading: DatasetReading
  ) throws -> Dataset {
    let description = try description(
      columns, environment: environment, bounds: bounds, choices: choices, path: path, reading)
    var (columns, timeouts) = (columns, reading.timeouts)
    // a column that marks nothing says nothing
    if timeouts != .stored, let stored = columns.timeouts {
      if stored.contains(true) { throw saysItsTimeouts(path, timeouts) }
      columns.timeouts = nil
    } else if columns.timeouts != nil {
      timeouts = .stored
    }
    let buffer = try columns.makeBuffer(timeouts, scaling: description.scaling, path: path)
    return try Dataset(description, buffer: buffer, path: path)
  }
}
