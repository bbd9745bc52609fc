// HDF5Library.swift — the functions of libhdf5 that are used, opened at run time and made safe.
//
// The only file of this target with unsafe code. Every number that libhdf5 is told comes from an array whose length was
// checked against the data's shape, and every handle is closed by the object that opened it. No header is needed: handles
// are 64-bit numbers since version 1.10, and the types of numbers are variables of the library, read by name.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// libhdf5 is missing or another one than is needed.
public struct HDF5Unavailable: Error, CustomStringConvertible {
  public let description: String

  init(_ reason: String) {
    description =
      "HDF5 files need libhdf5, version 1.10 or later: \(reason); install it (Debian: libhdf5-103-1, macOS: brew install "
      + "hdf5), or name the library in OFFPOLICY_HDF5, or convert the file to .npz"
  }
}

/// The opened library.
@safe struct HDF5Library: Sendable {
  fileprivate let functions: Functions
  fileprivate let types: Types

  /// The library of this process, opened at the first use.
  static let shared = Result { () throws(HDF5Unavailable) in try HDF5Library() }

  private static let names = [
    "libhdf5.so", "libhdf5_serial.so", "libhdf5.so.320", "libhdf5.so.310", "libhdf5.so.200", "libhdf5.so.103",
    "libhdf5_serial.so.310", "libhdf5_serial.so.103", "libhdf5_serial.so.100", "libhdf5.dylib",
    "/opt/homebrew/lib/libhdf5.dylib", "/usr/local/lib/libhdf5.dylib",
  ]

  private init() throws(HDF5Unavailable) {
    // set and empty is as good as not set
    let given = unsafe getenv("OFFPOLICY_HDF5").map { unsafe String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    var opened: UnsafeMutableRawPointer?
    for name in given.map({ [$0] }) ?? Self.names where unsafe opened == nil {
      unsafe opened = dlopen(name, RTLD_NOW | RTLD_LOCAL)
    }
    guard let handle = unsafe opened else {
      throw HDF5Unavailable(given.map { "\($0) does not open" } ?? "none was found")
    }
    let symbols = unsafe Symbols(handle: handle)
    functions = try Functions(symbols)
    var (major, minor, release): (CUnsignedInt, CUnsignedInt, CUnsignedInt) = (0, 0, 0)
    let status = unsafe functions.version(&major, &minor, &release)
    guard status >= 0, major > 1 || minor >= 10 else {
      throw HDF5Unavailable("this one is \(major).\(minor).\(release)")
    }
    guard functions.open() >= 0 else { throw HDF5Unavailable("it does not start") }
    // errors are thrown, not printed
    _ = functions.setErrorPrinter(0, nil, nil)
    types = try Types(symbols)
  }
}

/// Finds functions and variables by name in an opened library.
@safe private struct Symbols {
  let handle: UnsafeMutableRawPointer

  func find<Function>(_ name: String, as type: Function.Type = Function.self) throws(HDF5Unavailable) -> Function {
    guard let symbol = unsafe dlsym(handle, name) else { throw HDF5Unavailable("this one has no \(name)") }
    // a C function pointer is one word; the caller writes its type as hdf5.h does
    return unsafe unsafeBitCast(symbol, to: Function.self)
  }

  /// A variable of type `hid_t`.
  func number(_ name: String) throws(HDF5Unavailable) -> Int64 {
    guard let symbol = unsafe dlsym(handle, name) else { throw HDF5Unavailable("this one has no \(name)") }
    return unsafe symbol.load(as: Int64.self)
  }
}

/// The library's types of numbers.
private struct Types: Sendable {
  let float: Int64
  let storedFloat: Int64
  let byte: Int64
  let integer: Int64
  let text: Int64

  init(_ symbols: Symbols) throws(HDF5Unavailable) {
    float = try symbols.number("H5T_NATIVE_FLOAT_g")
    storedFloat = try symbols.number("H5T_IEEE_F32LE_g")
    byte = try symbols.number("H5T_STD_I8LE_g")
    integer = try symbols.number("H5T_NATIVE_INT64_g")
    text = try symbols.number("H5T_C_S1_g")
  }
}

/// The bound C functions. Handles are `hid_t`.
@safe private struct Functions: Sendable {
  typealias Text = UnsafePointer<CChar>
  typealias Printer = @convention(c) (Int64, UnsafeMutableRawPointer?) -> CInt
  typealias Number = UnsafeMutablePointer<CUnsignedInt>

  let open: @convention(c) @Sendable () -> CInt
  let version: @convention(c) @Sendable (Number, Number, Number) -> CInt
  let setErrorPrinter: @convention(c) @Sendable (Int64, Printer?, UnsafeMutableRawPointer?) -> CInt
  let openFile: @convention(c) @Sendable (Text, CUnsignedInt, Int64) -> Int64
  let createFile: @convention(c) @Sendable (Text, CUnsignedInt, Int64, Int64) -> Int64
  let closeFile: @convention(c) @Sendable (Int64) -> CInt
  let exists: @convention(c) @Sendable (Int64, Text, Int64) -> CInt
  let createGroup: @convention(c) @Sendable (Int64, Text, Int64, Int64, Int64) -> Int64
  let closeGroup: @convention(c) @Sendable (Int64) -> CInt
  let createAttribute: @convention(c) @Sendable (Int64, Text, Text, Int64, Int64, Int64, Int64, Int64) -> Int64
  let writeAttribute: @convention(c) @Sendable (Int64, Int64, UnsafeRawPointer) -> CInt
  let closeAttribute: @convention(c) @Sendable (Int64) -> CInt
  let openData: @convention(c) @Sendable (Int64, Text, Int64) -> Int64
  let createData: @convention(c) @Sendable (Int64, Text, Int64, Int64, Int64, Int64, Int64) -> Int64
  let closeData: @convention(c) @Sendable (Int64) -> CInt
  let read: @convention(c) @Sendable (Int64, Int64, Int64, Int64, Int64, UnsafeMutableRawPointer?) -> CInt
  let write: @convention(c) @Sendable (Int64, Int64, Int64, Int64, Int64, UnsafeRawPointer?) -> CInt
  let typeOfData: @convention(c) @Sendable (Int64) -> Int64
  let spaceOfData: @convention(c) @Sendable (Int64) -> Int64
  let dimensionCount: @convention(c) @Sendable (Int64) -> CInt
  let dimensions: @convention(c) @Sendable (Int64, UnsafeMutablePointer<UInt64>?, UnsafeMutablePointer<UInt64>?) -> CInt
  let createSpace: @convention(c) @Sendable (CInt, UnsafePointer<UInt64>?, UnsafePointer<UInt64>?) -> Int64
  let closeSpace: @convention(c) @Sendable (Int64) -> CInt
  let classOfType: @convention(c) @Sendable (Int64) -> CInt
  let sizeOfType: @convention(c) @Sendable (Int64) -> Int
  let isVariableText: @convention(c) @Sendable (Int64) -> CInt
  let copyType: @convention(c) @Sendable (Int64) -> Int64
  let setSizeOfType: @convention(c) @Sendable (Int64, Int) -> CInt
  let createEnumeration: @convention(c) @Sendable (Int64) -> Int64
  let insertIntoEnumeration: @convention(c) @Sendable (Int64, Text, UnsafeRawPointer) -> CInt
  let closeType: @convention(c) @Sendable (Int64) -> CInt
  let propertiesOfData: @convention(c) @Sendable (Int64) -> Int64
  let filterCount: @convention(c) @Sendable (Int64) -> CInt
  let filter:
    @convention(c) @Sendable (
      Int64, CUnsignedInt, Number?, UnsafeMutablePointer<Int>?, Number?, Int, UnsafeMutablePointer<CChar>?, Number?
    ) -> CInt
  let hasFilter: @convention(c) @Sendable (CInt) -> CInt
  let closeProperties: @convention(c) @Sendable (Int64) -> CInt

  init(_ symbols: Symbols) throws(HDF5Unavailable) {
    open = try symbols.find("H5open")
    unsafe version = try symbols.find("H5get_libversion")
    unsafe setErrorPrinter = try symbols.find("H5Eset_auto2")
    unsafe openFile = try symbols.find("H5Fopen")
    unsafe createFile = try symbols.find("H5Fcreate")
    closeFile = try symbols.find("H5Fclose")
    unsafe exists = try symbols.find("H5Lexists")
    unsafe createGroup = try symbols.find("H5Gcreate2")
    closeGroup = try symbols.find("H5Gclose")
    unsafe createAttribute = try symbols.find("H5Acreate_by_name")
    unsafe writeAttribute = try symbols.find("H5Awrite")
    closeAttribute = try symbols.find("H5Aclose")
    unsafe openData = try symbols.find("H5Dopen2")
    unsafe createData = try symbols.find("H5Dcreate2")
    closeData = try symbols.find("H5Dclose")
    unsafe read = try symbols.find("H5Dread")
    unsafe write = try symbols.find("H5Dwrite")
    typeOfData = try symbols.find("H5Dget_type")
    spaceOfData = try symbols.find("H5Dget_space")
    dimensionCount = try symbols.find("H5Sget_simple_extent_ndims")
    unsafe dimensions = try symbols.find("H5Sget_simple_extent_dims")
    unsafe createSpace = try symbols.find("H5Screate_simple")
    closeSpace = try symbols.find("H5Sclose")
    classOfType = try symbols.find("H5Tget_class")
    sizeOfType = try symbols.find("H5Tget_size")
    isVariableText = try symbols.find("H5Tis_variable_str")
    copyType = try symbols.find("H5Tcopy")
    setSizeOfType = try symbols.find("H5Tset_size")
    createEnumeration = try symbols.find("H5Tenum_create")
    unsafe insertIntoEnumeration = try symbols.find("H5Tenum_insert")
    closeType = try symbols.find("H5Tclose")
    propertiesOfData = try symbols.find("H5Dget_create_plist")
    filterCount = try symbols.find("H5Pget_nfilters")
    unsafe filter = try symbols.find("H5Pget_filter2")
    hasFilter = try symbols.find("H5Zfilter_avail")
    closeProperties = try symbols.find("H5Pclose")
  }
}

/// What a type is of (`H5T_class_t`).
private enum TypeClass {
  static let integer: CInt = 0
  static let float: CInt = 1
  static let text: CInt = 3
  static let enumeration: CInt = 8
}

/// One open HDF5 file: arrays of numbers by their path, such as `episode_0/rewards`.
public final class HDF5File {
  private let path: String
  private let library: HDF5Library
  private let file: Int64
  private var isOpen = true
  private var functions: Functions { library.functions }

  /// Whether libhdf5 is found.
  public static var isAvailable: Bool { (try? checkAvailable()) != nil }

  /// Says why there is no libhdf5, if there is none.
  public static func checkAvailable() throws { _ = try HDF5Library.shared.get() }

  /// Opens a file for reading.
  public convenience init(reading path: String) throws {
    let library = try HDF5Library.shared.get()
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

  /// Whether there is a group or an array at a path.
  public func contains(_ name: String) -> Bool {
    // each part before the last must exist before the next may be asked for
    var sofar = ""
    for part in name.split(separator: "/") {
      sofar += sofar.isEmpty ? String(part) : "/\(part)"
      guard unsafe functions.exists(file, sofar, 0) > 0 else { return false }
    }
    return true
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
      guard [TypeClass.integer, TypeClass.float, TypeClass.enumeration].contains(kind) else {
        throw DataFileError(path, "has \(name), which holds no numbers")
      }
      var values = [Float](repeating: 0, count: count)
      guard count > 0 else { return values }
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
      let isText = functions.classOfType(type) == TypeClass.text && functions.isVariableText(type) == 0
      let size = functions.sizeOfType(type)
      guard isText, size > 0, size < 1 << 16, try shape(of: data, name).reduce(1, *) == 1 else {
        throw DataFileError(path, "has no text \(name)")
      }
      var bytes = [UInt8](repeating: 0, count: size)
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

  /// Why an array could not be read: mostly a filter that the library does not have.
  private func unreadable(_ data: Int64, _ name: String) -> DataFileError {
    let properties = functions.propertiesOfData(data)
    defer { _ = functions.closeProperties(properties) }
    for index in 0..<max(0, functions.filterCount(properties)) {
      let filter = functions.filter(properties, CUnsignedInt(index), nil, nil, nil, 0, nil, nil)
      if filter > 0 && functions.hasFilter(filter) <= 0 {
        return DataFileError(
          path, "has \(name) compressed by filter \(filter), which this libhdf5 lacks: write it with gzip")
      }
    }
    return DataFileError(path, "has \(name), which cannot be read: copy the file again")
  }

  // MARK: writing

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
