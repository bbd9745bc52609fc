// HDF5Place.swift — where libhdf5 may be loaded from: the folders of installed libraries, or the path that a variable gives.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Files that may be libhdf5, absolute paths all: a bare name would be looked for in the current folder where
/// LD_LIBRARY_PATH has an empty element.
struct HDF5Place: Equatable {
  let paths: [String]
  /// `OFFPOLICY_HDF5` says so.
  let isGiven: Bool

  static let variable = "OFFPOLICY_HDF5"

  private static let folders = [
    "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/opt/homebrew/lib", "/opt/local/lib",
  ]

  private static let names = [
    "libhdf5.so", "libhdf5_serial.so", "hdf5/serial/libhdf5.so", "libhdf5.so.320", "libhdf5.so.310", "libhdf5.so.200",
    "libhdf5.so.103", "libhdf5_serial.so.310", "libhdf5_serial.so.103", "libhdf5_serial.so.100", "libhdf5.dylib",
  ]

  /// - Throws: `HDF5Unavailable` when the variable gives a path that depends on the current folder.
  static func find(environment: [String: String] = ProcessInfo.processInfo.environment) throws(HDF5Unavailable)
    -> HDF5Place
  {
    // set and empty is as good as not set
    if let given = environment[variable], !given.isEmpty {
      guard given.hasPrefix("/") else {
        throw HDF5Unavailable("\(variable) is \(given), which is no absolute path")
      }
      return HDF5Place(paths: [given], isGiven: true)
    }
    let own = (environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    return HDF5Place(paths: (own + folders).flatMap { folder in names.map { "\(folder)/\($0)" } }, isGiven: false)
  }
}
