// HDF5Library.swift — the functions of libhdf5 that are used, opened at run time and made safe.
//
// No header is needed: handles are 64-bit numbers since version 1.10, and the types of numbers are variables of the library,
// read by name. HDF5File.swift calls what is bound here; no other file of this target has unsafe code.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// libhdf5 is missing or another one than is needed.
public struct HDF5Unavailable: Error, CustomStringConvertible {
  /// What is missing, and what to do, in one line.
  public let description: String

  init(_ reason: String) {
    description =
      "HDF5 files need libhdf5, version 1.10 or later: \(reason); install it (Debian: libhdf5-103-1, macOS: brew install "
      + "hdf5), or name the library in OFFPOLICY_HDF5, or convert the file to .npz"
  }
}

/// The opened library.
@safe struct HDF5Library: Sendable {
  let functions: Functions
  let types: Types
  /// The file that was opened.
  let path: String

  /// The library of this process, opened at the first use.
  static let shared = Result { () throws(HDF5Unavailable) in try HDF5Library() }

  private init() throws(HDF5Unavailable) {
    let places = try HDF5Place.find()
    var opened: UnsafeMutableRawPointer?
    var openedPath = ""
    for name in places.paths where unsafe opened == nil {
      unsafe opened = dlopen(name, RTLD_NOW | RTLD_LOCAL)
      openedPath = name
    }
    guard let handle = unsafe opened else {
      throw HDF5Unavailable(places.isGiven ? "\(places.paths.joined()) does not open" : "none was found")
    }
    path = openedPath
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

  /// The first of some functions that there is.
  func find<Function>(
    anyOf names: [String], as type: Function.Type = Function.self
  ) throws(HDF5Unavailable) -> Function {
    for name in names.dropLast() { if let found = try? find(name, as: type) { return found } }
    return try find(names.last ?? "", as: type)
  }

  /// A variable of type `hid_t`.
  func number(_ name: String) throws(HDF5Unavailable) -> Int64 {
    guard let symbol = unsafe dlsym(handle, name) else { throw HDF5Unavailable("this one has no \(name)") }
    return unsafe symbol.load(as: Int64.self)
  }
}

extension HDF5Library {
  /// The library's types of numbers.
  struct Types: Sendable {
    let float: Int64
    let storedFloat: Int64
    let byte: Int64
    let integer: Int64
    let text: Int64

    fileprivate init(_ symbols: Symbols) throws(HDF5Unavailable) {
      float = try symbols.number("H5T_NATIVE_FLOAT_g")
      storedFloat = try symbols.number("H5T_IEEE_F32LE_g")
      byte = try symbols.number("H5T_STD_I8LE_g")
      integer = try symbols.number("H5T_NATIVE_INT64_g")
      text = try symbols.number("H5T_C_S1_g")
    }
  }

  /// What a link is (`H5L_type_t`).
  enum LinkKind {
    static let hard: CInt = 0
  }

  /// Where an array's elements are (`H5D_layout_t`).
  enum Layout {
    static let virtual: CInt = 3
  }

  /// Filters that belong to libhdf5 itself (`H5Z_filter_t`): deflate, shuffle, Fletcher's checksum, szip, n-bit, scale-offset.
  static let filters: ClosedRange<CInt> = 1...6

  /// What a type is of (`H5T_class_t`).
  enum TypeClass {
    static let integer: CInt = 0
    static let float: CInt = 1
    static let text: CInt = 3
    static let enumeration: CInt = 8
  }

  /// The bound C functions. Handles are `hid_t`.
  @safe struct Functions: Sendable {
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
    let dimensions:
      @convention(c) @Sendable (Int64, UnsafeMutablePointer<UInt64>?, UnsafeMutablePointer<UInt64>?) -> CInt
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
    let layout: @convention(c) @Sendable (Int64) -> CInt
    let externalCount: @convention(c) @Sendable (Int64) -> CInt
    let storageSize: @convention(c) @Sendable (Int64) -> UInt64
    /// `H5L_info1_t` or `H5L_info2_t`: both begin with the link's kind.
    let linkInfo: @convention(c) @Sendable (Int64, Text, UnsafeMutableRawPointer, Int64) -> CInt
    /// `H5G_info_t`: the number of members is its second word.
    let groupInfo: @convention(c) @Sendable (Int64, Text, UnsafeMutableRawPointer, Int64) -> CInt

    fileprivate init(_ symbols: Symbols) throws(HDF5Unavailable) {
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
      layout = try symbols.find("H5Pget_layout")
      externalCount = try symbols.find("H5Pget_external_count")
      storageSize = try symbols.find("H5Dget_storage_size")
      // its name has changed with the version of the library
      unsafe linkInfo = try symbols.find(anyOf: ["H5Lget_info2", "H5Lget_info1", "H5Lget_info"])
      unsafe groupInfo = try symbols.find("H5Gget_info_by_name")
    }
  }
}
