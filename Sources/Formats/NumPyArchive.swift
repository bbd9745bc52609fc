// NumPyArchive.swift — NumPy's .npz: named arrays in a zip file.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Named arrays of numbers, as `numpy.savez` and `numpy.savez_compressed` write them.
public struct NumPyArchive: Sendable {
  /// One array in the order of its rows.
  public struct Array: Sendable {
    /// The sizes of its dimensions; empty for a single number.
    public let shape: [Int]
    /// NumPy's name of the elements' type, such as `<f4`.
    public let type: String
    fileprivate let data: Data
  }

  private let path: String
  private var arrays: [String: Array] = [:]
  /// Of all arrays in the file, those too that were not read.
  public let names: [String]

  /// Reads a file.
  ///
  /// - Parameter wanted: the arrays to read; others, which may be objects or dates, are passed over. Nil: all.
  public init(contentsOf path: String, only wanted: Set<String>? = nil) throws {
    self.path = path
    let archive = try ZIPArchive(contentsOf: path)
    let members = archive.names.filter { $0.hasSuffix(".npy") }
    names = members.map { String($0.dropLast(4)) }
    for (name, member) in zip(names, members) where wanted?.contains(name) ?? true {
      guard let data = try archive.contents(member) else { continue }
      arrays[name] = try Self.parse(data, path: path, name: member)
    }
  }

  /// The array of a name; nil where there is none, or it was not read.
  public subscript(name: String) -> Array? { arrays[name] }

  /// An array's elements as numbers; booleans are 0 and 1.
  public func floats(_ name: String) throws(DataFileError) -> [Float] {
    guard let array = arrays[name] else {
      throw DataFileError(path, "has no array \(name): it holds \(names.joined(separator: ", "))")
    }
    switch array.type {
    case "<f4": return array.data.words32 { Float(bitPattern: $0) }
    case "<f8": return array.data.words64 { Float(Double(bitPattern: $0)) }
    case "<i4": return array.data.words32 { Float(Int32(bitPattern: $0)) }
    case "<i8": return array.data.words64 { Float(Int64(bitPattern: $0)) }
    case "|b1", "|u1": return array.data.map { Float($0) }
    case "|i1": return array.data.map { Float(Int8(bitPattern: $0)) }
    default:
      throw DataFileError(
        path, "has \(name) of type \(array.type): float32, float64, int32, int64, int8, uint8 and bool can be read")
    }
  }

  /// An array's text, if it is one: `numpy.array("HalfCheetah-v5")`.
  public func text(_ name: String) -> String? {
    guard let array = arrays[name], array.type.hasPrefix("<U"), array.shape.reduce(1, *) == 1 else { return nil }
    let scalars = array.data.words32 { $0 }.prefix { $0 != 0 }.compactMap { Unicode.Scalar($0) }
    return String(String.UnicodeScalarView(scalars))
  }

  /// Reads one `.npy`: a magic word, a Python dictionary in text, the elements.
  private static func parse(_ data: Data, path: String, name: String) throws(DataFileError) -> Array {
    func fail(_ reason: String) -> DataFileError { DataFileError(path, "has \(name), which \(reason)") }
    let bytes = [UInt8](data.prefix(12))
    guard bytes.count >= 12, bytes[0] == 0x93, bytes[1...5].elementsEqual("NUMPY".utf8) else {
      throw fail("is no NumPy array; write it with numpy.savez")
    }
    let wide = bytes[6] > 1
    let start = wide ? 12 : 10
    let length =
      Int(bytes[8]) | Int(bytes[9]) << 8 | (wide ? Int(bytes[10]) << 16 | Int(bytes[11]) << 24 : 0)
    guard start + length <= data.count else { throw fail("is cut off; copy it again") }
    let header = String(
      decoding: data[(data.startIndex + start)..<(data.startIndex + start + length)], as: UTF8.self)
    func value(_ key: String) -> Substring? {
      guard let at = header.firstRange(of: "'\(key)':") else { return nil }
      return header[at.upperBound...].drop { $0 == " " }
    }
    guard let type = value("descr")?.split(separator: "'").first.map(String.init), let shapeText = value("shape"),
      let open = shapeText.firstIndex(of: "("), let close = shapeText.firstIndex(of: ")"), open < close
    else { throw fail("has a header that cannot be read; write it with numpy.savez") }
    guard value("fortran_order")?.hasPrefix("False") == true else {
      throw fail("is stored column by column; write numpy.ascontiguousarray of it")
    }
    let shape = shapeText[shapeText.index(after: open)..<close].split(separator: ",").map {
      Int($0.filter { $0 != " " }) ?? -1
    }
    let (count, overflow) = shape.reduce((1, false)) { result, size in
      let (product, overflow) = result.0.multipliedReportingOverflow(by: size)
      return (product, result.1 || overflow)
    }
    let elements = data[(data.startIndex + start + length)...]
    let units = Int(type.dropFirst(2)).flatMap { 1...1 << 18 ~= $0 ? $0 : nil } ?? 0
    let size = type.dropFirst().first == "U" ? 4 * units : units
    guard !overflow, shape.allSatisfy({ $0 >= 0 }), size > 0, count <= elements.count,
      elements.count == count * size
    else { throw fail("has \(elements.count) bytes for the shape \(shape) of \(type); copy it again") }
    return Array(shape: shape, type: type, data: elements)
  }

  // MARK: writing

  /// Arrays to be written.
  public struct Writer {
    private var members: [(name: String, data: Data)] = []

    /// No arrays yet.
    public init() {}

    /// Adds an array of float32 numbers, in the order of its rows.
    public mutating func add(_ name: String, floats: [Float], shape: [Int]) {
      add(name, "<f4", shape, Data(words32: floats) { $0.bitPattern })
    }

    /// Adds an array of float64 numbers, in the order of its rows.
    public mutating func add(_ name: String, doubles: [Double], shape: [Int]) {
      add(name, "<f8", shape, Data(words64: doubles) { $0.bitPattern })
    }

    /// Adds an array of whole numbers, int64, in the order of its rows.
    public mutating func add(_ name: String, integers: [Int], shape: [Int]) {
      add(name, "<i8", shape, Data(words64: integers) { UInt64(bitPattern: Int64($0)) })
    }

    /// Adds an array of booleans, each 0 or 1.
    public mutating func add(_ name: String, booleans: [UInt8], shape: [Int]) {
      add(name, "|b1", shape, Data(booleans))
    }

    /// Adds a text.
    public mutating func add(_ name: String, text: String) {
      let scalars = text.unicodeScalars.map(\.value)
      add(name, "<U\(max(1, scalars.count))", [], Data(words32: scalars.isEmpty ? [0] : scalars) { $0 })
    }

    private mutating func add(_ name: String, _ type: String, _ shape: [Int], _ data: Data) {
      let sizes = shape.map { "\($0)," }.joined(separator: " ")
      var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
      // the elements begin at a multiple of 64
      header += String(repeating: " ", count: (64 - (11 + header.utf8.count) % 64) % 64) + "\n"
      var file = Data([0x93] + "NUMPY".utf8 + [1, 0])
      file.append(UInt8(truncatingIfNeeded: header.utf8.count))
      file.append(UInt8(truncatingIfNeeded: header.utf8.count >> 8))
      file.append(contentsOf: header.utf8)
      file.append(data)
      members.append((name + ".npy", file))
    }

    /// The file's bytes.
    ///
    /// - Parameter path: what messages call it.
    public func encoded(path: String) throws(DataFileError) -> Data { try ZIPArchive.encode(members, path: path) }

    /// Writes the file beside `path` first and renames it: it is whole or not there.
    public func write(to path: String) throws {
      let data = try encoded(path: path)
      do { try data.write(to: URL(filePath: path), options: .atomic) } catch {
        throw DataFileError(path, "cannot be written: \(FileAccess.reason(of: error))")
      }
    }
  }
}
