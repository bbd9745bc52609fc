// HDF5File.swift — arrays of numbers and texts in an HDF5 file, read and written through libhdf5.
//
// Every number that libhdf5 is told comes from an array whose length was checked against the data's shape, and every handle
// is closed by the object that opened it.

import Platform

/// One open HDF5 file: arrays of numbers by their path, such as `episode_0/rewards`.
public final class HDF5File {
  private let path: String
  private let library: HDF5Library
  private let file: Int64
  private var isOpen = true
  private var functions: HDF5Library.Functions { library.functions }

  /// Whether libhdf5 is found.
  public static var isAvailable: Bool { (try? checkAvailable()) != nil }

  /// Says why there is no libhdf5, if there is none.
  public static func checkAvailable() throws { _ = try HDF5Library.shared.get() }

  /// The file of libhdf5 that this process has opened.
  public static func libraryPath() throws -> String { try HDF5Library.shared.get().path }

  /// Opens a file for reading.
  public convenience init(reading path: String) throws {
    let library = try HDF5Library.shared.get()
    // to open a pipe is to wait for its writer
    guard FileAccess.isRegular(path) else { throw DataFileError(path, "is not a regular file") }
    let file = unsafe library.functions.openFile(path, 0, 0)
    guard file >= 0 else { throw DataFileError(path, "is no HDF5 file, or is damaged: copy it again") }
    self.init(path, library, file)
  }

  /// Makes a file, for writing; one that exists is emptied.
  public convenience init(writing path: String) throws {
    let library = try HDF5Library.shared.get()
    let file = unsafe library.functions.createFile(path, 2, 0, 0)
    guard file >= 0 else { throw DataFileError(path, "cannot be written: check the folder and the space on the disk") }
    self.init(path, library, file)
  }

  private init(_ path: String, _ library: HDF5Library, _ file: Int64) {
    (self.path, self.library, self.file) = (path, library, file)
  }

  deinit { if isOpen { _ = functions.closeFile(file) } }

  /// Ends writing: what is still in memory goes to the disk, which may be full.
  public func close() throws(DataFileError) {
    isOpen = false
    if functions.closeFile(file) < 0 {
      throw DataFileError(path, "cannot be written to its end: check the space on the disk")
    }
  }

  // MARK: reading

  /// Does with a file what will be done with it, in a child process first: libhdf5 itself may crash on a damaged one.
  ///
  /// - Throws: `DataFileError` when it does.
  public static func tryInChild(_ path: String, _ body: () throws -> Void) throws {
    _ = try HDF5Library.shared.get()
    switch ChildProcess.outcome(of: { _ = try? body() }) {
    case .ended: return
    case .crashed(let signal):
      throw DataFileError(path, "is damaged: libhdf5 crashes on it, with signal \(signal); copy it again")
    }
  }

  /// Whether there is a group or an array at a path.
  public func contains(_ name: String) -> Bool {
    // each part before the last must exist before the next may be asked for
    var sofar = ""
    for part in name.split(separator: "/") {
      sofar += sofar.isEmpty ? String(part) : "/\(part)"
      guard unsafe functions.exists(file, sofar, 0) > 0, isHard(sofar) else { return false }
    }
    return true
  }

  /// Whether a link is to something in this file by its place: others may lead into other files.
  private func isHard(_ link: String) -> Bool {
    var info = [Int64](repeating: -1, count: 16)
    let kind = unsafe info.withUnsafeMutableBytes { bytes -> CInt in
      guard let base = bytes.baseAddress, unsafe functions.linkInfo(file, link, base, 0) >= 0 else { return -1 }
      return unsafe bytes.load(as: CInt.self)
    }
    return kind == HDF5Library.LinkKind.hard
  }

  /// Members of the file's root.
  public var groupCount: Int {
    var info = [UInt64](repeating: 0, count: 16)
    let status = unsafe info.withUnsafeMutableBytes { bytes -> CInt in
      guard let base = bytes.baseAddress else { return -1 }
      return unsafe functions.groupInfo(file, "/", base, 0)
    }
    return status < 0 ? 0 : Int(clamping: info[1])
  }

  /// The sizes of an array's dimensions.
  public func shape(_ name: String) throws(DataFileError) -> [Int] {
    try withData(name) { data throws(DataFileError) in try shape(of: data, name) }
  }

  /// An array's elements as numbers; booleans are 0 and 1.
  public func floats(_ name: String) throws(DataFileError) -> [Float] {
    try withData(name) { data throws(DataFileError) in
      let count = try shape(of: data, name).reduce(1, *)
      let type = functions.typeOfData(data)
      let kind = functions.classOfType(type)
      _ = functions.closeType(type)
      guard
        [HDF5Library.TypeClass.integer, HDF5Library.TypeClass.float, HDF5Library.TypeClass.enumeration].contains(kind)
      else {
        throw DataFileError(path, "has \(name), which holds no numbers")
      }
      guard count > 0 else { return [] }
      try check(data, name, count: count)
      var values = [Float](repeating: 0, count: count)
      let status = unsafe values.withUnsafeMutableBytes { bytes in
        unsafe functions.read(data, library.types.float, 0, 0, 0, bytes.baseAddress)
      }
      guard status >= 0 else { throw unreadable(data, name) }
      return values
    }
  }

  /// A text of fixed length; nil where there is none.
  public func text(_ name: String) -> String? {
    guard contains(name) else { return nil }
    return try? withData(name) { data throws(DataFileError) in
      let type = functions.typeOfData(data)
      defer { _ = functions.closeType(type) }
      let isText = functions.classOfType(type) == HDF5Library.TypeClass.text && functions.isVariableText(type) == 0
      let size = functions.sizeOfType(type)
      guard isText, size > 0, size < 1 << 16, try shape(of: data, name).reduce(1, *) == 1 else {
        throw DataFileError(path, "has no text \(name)")
      }
      var bytes = [UInt8](repeating: 0, count: size)
      try check(data, name, count: 1)
      let status = unsafe bytes.withUnsafeMutableBytes { unsafe functions.read(data, type, 0, 0, 0, $0.baseAddress) }
      guard status >= 0 else { throw DataFileError(path, "has no text \(name)") }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private func withData<T>(
    _ name: String, _ body: (Int64) throws(DataFileError) -> T
  ) throws(DataFileError) -> T {
    guard contains(name) else { throw DataFileError(path, "has no array \(name)") }
    let data = unsafe functions.openData(file, name, 0)
    guard data >= 0 else { throw DataFileError(path, "has \(name), which is no array but a group of them") }
    defer { _ = functions.closeData(data) }
    return try body(data)
  }

  private func shape(of data: Int64, _ name: String) throws(DataFileError) -> [Int] {
    let space = functions.spaceOfData(data)
    defer { _ = functions.closeSpace(space) }
    let rank = functions.dimensionCount(space)
    guard rank >= 0, rank <= 32 else { throw DataFileError(path, "has \(name) of an impossible shape") }
    var sizes = [UInt64](repeating: 0, count: Int(rank))
    if rank > 0 { _ = unsafe functions.dimensions(space, &sizes, nil) }
    // 4 bytes each must fit into memory
    guard sizes.allSatisfy({ $0 < 1 << 40 }), sizes.reduce(1.0, { $0 * Double($1) }) < 1e11 else {
      throw DataFileError(path, "has \(name) of \(sizes) numbers")
    }
    return sizes.map { Int($0) }
  }

  /// Throws before memory is taken for an array that the file does not hold itself, or not in that size.
  private func check(_ data: Int64, _ name: String, count: Int) throws(DataFileError) {
    let properties = functions.propertiesOfData(data)
    defer { _ = functions.closeProperties(properties) }
    guard functions.layout(properties) != HDF5Library.Layout.virtual, functions.externalCount(properties) == 0 else {
      throw DataFileError(path, "has \(name) in other files: write all into one")
    }
    for index in 0..<max(0, functions.filterCount(properties)) {
      let filter = functions.filter(properties, CUnsignedInt(index), nil, nil, nil, 0, nil, nil)
      // one of somebody else's would be loaded as code
      guard HDF5Library.filters.contains(filter), functions.hasFilter(filter) > 0 else {
        throw DataFileError(
          path, "has \(name) compressed by filter \(filter), which this libhdf5 lacks: write it with gzip")
      }
    }
    // deflate makes nothing more than 1032 times smaller, and an element may be a byte in the file
    let stored = Double(functions.storageSize(data))
    guard Double(count) <= 1100 * (stored + 16) else {
      throw DataFileError(
        path,
        "announces \(count) numbers of \(name) and holds \(Int(stored)) bytes of them: it was not written to its end")
    }
    do { try Memory.check(count.clampedProduct(4), for: "\(name) of \(path)", hint: "fewer transitions") } catch {
      throw DataFileError("\(error)")
    }
  }

  /// Why an array could not be read.
  private func unreadable(_ data: Int64, _ name: String) -> DataFileError {
    DataFileError(path, "has \(name), which cannot be read: copy the file again")
  }

  // MARK: writing

  /// Makes a group; names of its arrays begin with `name/`.
  public func makeGroup(_ name: String) throws(DataFileError) {
    let group = unsafe functions.createGroup(file, name, 0, 0, 0)
    guard group >= 0 else { throw unwritable(name) }
    _ = functions.closeGroup(group)
  }

  /// Gives a group a whole number by name.
  public func write(attribute: String, of group: String, _ number: Int64) throws(DataFileError) {
    let space = functions.createSpace(0, nil, nil)
    defer { _ = functions.closeSpace(space) }
    let handle = unsafe functions.createAttribute(file, group, attribute, library.types.integer, space, 0, 0, 0)
    guard handle >= 0 else { throw unwritable("\(group)'s \(attribute)") }
    defer { _ = functions.closeAttribute(handle) }
    let status = unsafe withUnsafePointer(to: number) { pointer in
      unsafe functions.writeAttribute(handle, library.types.integer, UnsafeRawPointer(pointer))
    }
    guard status >= 0 else { throw unwritable("\(group)'s \(attribute)") }
  }

  /// Writes float32 numbers.
  ///
  /// - Precondition: the product of `shape` is their number.
  public func write(_ name: String, floats: [Float], shape: [Int]) throws(DataFileError) {
    precondition(shape.reduce(1, *) == floats.count, "\(floats.count) numbers of shape \(shape)")
    try create(name, type: library.types.storedFloat, shape: shape) { data in
      unsafe floats.withUnsafeBytes { unsafe functions.write(data, library.types.float, 0, 0, 0, $0.baseAddress) }
    }
  }

  /// Writes whole numbers.
  public func write(_ name: String, wholes: [Int64]) throws(DataFileError) {
    try create(name, type: library.types.integer, shape: [wholes.count]) { data in
      unsafe wholes.withUnsafeBytes { unsafe functions.write(data, library.types.integer, 0, 0, 0, $0.baseAddress) }
    }
  }

  /// Writes booleans as h5py does: an enumeration of FALSE and TRUE.
  public func write(_ name: String, booleans: [Bool]) throws(DataFileError) {
    let type = functions.createEnumeration(library.types.byte)
    defer { _ = functions.closeType(type) }
    for (label, number) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
      let status = unsafe withUnsafeBytes(of: number) { bytes -> CInt in
        guard let base = bytes.baseAddress else { return -1 }
        return unsafe functions.insertIntoEnumeration(type, label, base)
      }
      guard status >= 0 else { throw unwritable(name) }
    }
    let bytes = booleans.map { $0 ? Int8(1) : 0 }
    try create(name, type: type, shape: [bytes.count]) { data in
      unsafe bytes.withUnsafeBytes { unsafe functions.write(data, type, 0, 0, 0, $0.baseAddress) }
    }
  }

  /// Writes a text of fixed length.
  public func write(_ name: String, text: String) throws(DataFileError) {
    let bytes = Array(text.utf8) + [0]
    let type = functions.copyType(library.types.text)
    defer { _ = functions.closeType(type) }
    guard functions.setSizeOfType(type, bytes.count) >= 0 else { throw unwritable(name) }
    try create(name, type: type, shape: [1]) { data in
      unsafe bytes.withUnsafeBytes { unsafe functions.write(data, type, 0, 0, 0, $0.baseAddress) }
    }
  }

  private func create(
    _ name: String, type: Int64, shape: [Int], _ write: (Int64) -> CInt
  ) throws(DataFileError) {
    let sizes = shape.map { UInt64($0) }
    let space = unsafe functions.createSpace(CInt(shape.count), sizes, nil)
    defer { _ = functions.closeSpace(space) }
    let data = unsafe functions.createData(file, name, type, space, 0, 0, 0)
    guard data >= 0 else { throw unwritable(name) }
    defer { _ = functions.closeData(data) }
    guard write(data) >= 0 else { throw unwritable(name) }
  }

  private func unwritable(_ name: String) -> DataFileError {
    DataFileError(path, "cannot take \(name): check the space on the disk")
  }
}
