// PolicyExport.swift — a policy written for a machine that has none of this program: which formats there are, and their files.

import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a policy can be exported as. Each holds the whole policy: normaliser, network, scaling of actions and bounds.
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

  /// What a file of it ends in; nil for a folder.
  public var fileExtension: String? {
    switch self {
    case .onnx: "onnx"
    case .c: "h"
    case .numpy: "py"
    case .swift: "swift"
    case .card: nil
    }
  }
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
  /// The content of the one file of every format but a card.
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
    }
  }

  /// Writes a file beside `path` and then gives it that name: `path` is whole, or what it was before.
  ///
  /// - Returns: its bytes.
  @discardableResult
  public static func write(
    _ policy: Policy, as format: ExportFormat, to path: String, _ options: ExportOptions
  ) throws -> Int {
    // a name that another file could have is not written over
    if let ending = format.fileExtension, !path.hasSuffix("." + ending) {
      throw ExportError("\(oneLine(path)) does not end in .\(ending), as a file of the format \(format.rawValue) does")
    }
    let bytes = try encode(policy, as: format, file: name(path), options)
    try replace(path, with: bytes)
    return bytes.count
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
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard !FileManager.default.fileExists(atPath: path) else {
      throw ExportError("\(oneLine(path)) exists already: choose another path, or remove it first")
    }
    guard !options.isStochastic else {
      throw ExportError("a card holds a policy that acts as it is evaluated, without drawing; export one file instead")
    }
    let files = try ModelCard(policy: policy, result: result, run: run, options: options).files(policyFile: policyFile)
    // beside it, under a name that nobody else has
    let partial = "\(path).partial-\(ProcessInfo.processInfo.processIdentifier)"
    do { try write(files, beside: path, as: partial) } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw (error as? DiskError).map { unwritable(path, $0) } ?? error
    }
    return files.reduce(0) { $0 + $1.bytes.count }
  }

  private static func write(
    _ files: [(name: String, bytes: [UInt8])], beside path: String, as partial: String
  ) throws {
    let folder = try Folder.make(partial)
    for (name, bytes) in files { try folder.replace(name, with: bytes.span) }
    let (from, to) = (URL(fileURLWithPath: partial), URL(fileURLWithPath: path))
    try Folder(to.deletingLastPathComponent().path).rename(from.lastPathComponent, to: to.lastPathComponent)
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
