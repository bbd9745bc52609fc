// PolicyExport.swift — a policy written for a machine that has none of this program: which formats there are, and their files.

import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a policy or its run can be exported as. Each format of a policy holds the whole of it: normaliser, network, scaling of
/// actions and bounds.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// An ONNX graph.
  case onnx
  /// One C99 header.
  case c
  /// One Python file that needs NumPy alone.
  case numpy
  /// One Swift file.
  case swift
  /// A folder for a model hub: a model card, the policy in three formats, an example that runs.
  case card
  /// A model file of Stable-Baselines3, with critics, targets and optimisers.
  case sb3
  /// A folder with a run's logs as Stable-Baselines3 writes its own.
  case sb3Logs = "sb3-logs"

  /// What a file of it ends in; nil for a folder.
  public var fileExtension: String? {
    switch self {
    case .onnx: "onnx"
    case .c: "h"
    case .numpy: "py"
    case .swift: "swift"
    case .sb3: "zip"
    case .card, .sb3Logs: nil
    }
  }

  /// Whether a policy alone is not enough.
  public var needsRun: Bool { self == .sb3 || self == .sb3Logs }
}

/// How a policy is exported.
public struct ExportOptions: Sendable {
  /// It draws its actions from noise that the caller gives; else it acts as `Policy.act` does.
  public var isStochastic = false
  /// The version of ONNX's operators, 17 to 28.
  public var opset = 17
  /// The program's version, which the files tell.
  public var version: String

  /// A policy that acts without noise, for opset 17.
  public init(version: String) { self.version = version }
}

/// Exports of policies.
///
/// ```swift
/// let policy = try PolicyFile.load("policy.safetensors")
/// try PolicyExport.write(policy, as: .c, to: "policy.h", ExportOptions(version: "1"))
/// ```
public enum PolicyExport {
  /// The content of the one file of every format that is made of a policy alone, but for a card.
  ///
  /// - Parameter file: what the file is called: names in it follow.
  public static func encode(
    _ policy: Policy, as format: ExportFormat, file: String, _ options: ExportOptions
  ) throws -> [UInt8] {
    let exported = try ExportedPolicy(policy, isStochastic: options.isStochastic)
    switch format {
    case .onnx:
      guard ONNXModel.opsets.contains(options.opset) else {
        throw ExportError(
          "opset \(options.opset) is not known; choose one from \(ONNXModel.opsets.lowerBound) to "
            + "\(ONNXModel.opsets.upperBound)")
      }
      return ONNXModel(exported, opset: options.opset, version: options.version).bytes
    case .c:
      return Array(
        CHeader(policy: exported, prefix: identifier(file).lowercased(), file: plain(file), version: options.version)
          .text.utf8)
    case .numpy:
      return Array(NumPyModule(policy: exported, file: plain(file), version: options.version).text.utf8)
    case .swift:
      return Array(
        SwiftFile(policy: exported, type: typeName(file), file: plain(file), version: options.version).text.utf8)
    case .card:
      throw ExportError("a card is a folder, not a file")
    case .sb3, .sb3Logs:
      throw ExportError(
        "the format \(format.rawValue) is made of a run, not of a policy alone: give the folder of the run")
    }
  }

  /// Writes a file beside `path` and then gives it that name: `path` is whole, or what it was before.
  ///
  /// - Returns: its bytes.
  @discardableResult
  public static func write(
    _ policy: Policy, as format: ExportFormat, to path: String, _ options: ExportOptions
  ) throws -> Int {
    try checkEnding(path, format)
    let bytes = try encode(policy, as: format, file: name(path), options)
    try replace(path, with: bytes)
    return bytes.count
  }

  /// Writes a model file of Stable-Baselines3 in the same way.
  ///
  /// - Returns: its bytes.
  @discardableResult
  public static func write(_ model: SB3Model, to path: String) throws -> Int {
    try checkEnding(path, .sb3)
    let bytes = try model.encoded(path: path)
    try replace(path, with: bytes)
    return bytes.count
  }

  /// A name that another file could have is not written over.
  private static func checkEnding(_ path: String, _ format: ExportFormat) throws {
    guard let ending = format.fileExtension, !path.hasSuffix("." + ending) else { return }
    throw ExportError("\(oneLine(path)) does not end in .\(ending), as a file of the format \(format.rawValue) does")
  }

  /// Writes a card's folder beside `path` and then gives it that name: it is whole or not there.
  ///
  /// - Parameters:
  ///   - path: a folder that does not exist yet.
  ///   - policyFile: the file that the policy was read from, which goes along as it is.
  ///   - result: an evaluation of this policy, if one is known.
  ///   - run: what the policy's run was told, if it is known.
  /// - Returns: the bytes of its files.
  @discardableResult
  public static func writeCard(
    _ policy: Policy, to path: String, policyFile: SafeTensors, result: ModelCard.Result? = nil, run: JSONValue? = nil,
    _ options: ExportOptions
  ) throws -> Int {
    guard !options.isStochastic else {
      throw ExportError("a card holds a policy that acts as it is evaluated, without drawing; export one file instead")
    }
    let files = try ModelCard(policy: policy, result: result, run: run, options: options).files(policyFile: policyFile)
    return try writeFolder(files, to: path)
  }

  /// Writes a folder beside `path` and then gives it that name.
  ///
  /// - Returns: the bytes of its files.
  static func writeFolder(
    _ files: @autoclosure () throws -> [(name: String, bytes: [UInt8])], to path: String, makingParents: Bool = false
  ) throws -> Int {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard !FileManager.default.fileExists(atPath: path) else {
      throw ExportError("\(oneLine(path)) exists already: choose another path, or remove it first")
    }
    let files = try files()
    do {
      if makingParents { try Folder.makePath(URL(fileURLWithPath: path).deletingLastPathComponent().path) }
      try NewPath(path).writeWhole { partial in
        let folder = try Folder.make(partial)
        for (name, bytes) in files { try folder.replace(name, with: bytes.span) }
      }
    } catch { throw (error as? DiskError).map { unwritable(path, $0) } ?? error }
    return files.reduce(0) { $0 + $1.bytes.count }
  }

  // MARK: names

  private static func replace(_ path: String, with bytes: [UInt8]) throws {
    do { try DiskFile.replace(path, with: bytes.span) } catch { throw unwritable(path, error) }
  }

  private static func unwritable(_ path: String, _ error: DiskError) -> ExportError {
    ExportError("\(oneLine(path)) cannot be written: \(error.reason)")
  }

  private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The file's name without its extension, as C and Python spell one: letters, digits and underscores.
  static func identifier(_ file: String) -> String {
    let stem = file.split(separator: ".").first.map(String.init) ?? file
    let letters = stem.unicodeScalars.map { scalar -> Character in
      let isLetter = scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
      return isLetter ? Character(scalar) : "_"
    }
    let text = String(letters)
    return text.first.map { $0.isNumber || $0 == "_" } ?? true ? "policy" + text : text
  }

  /// The same as Swift spells a type: `my-cart` is `MyCart`.
  static func typeName(_ file: String) -> String {
    identifier(file).split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}
