// MuJoCoLibrary.swift — the functions of libmujoco that are used, opened at run time.
//
// MuJoCo's batch interface (`mjb_…`, mjbatch.h) has opaque handles and gives every field by name, so no header is needed, and it
// returns errors instead of ending the process. In this target only this file, MuJoCoBatch.swift and MuJoCoRays.swift have unsafe
// code.

import Environments
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The opened library.
@safe struct MuJoCoLibrary: Sendable {
  /// Other versions lay out their data, and move their robots, differently.
  static let pinnedVersion = "4.0.0"

  let folder: MuJoCoFolder
  /// What the library says it is: `mj_versionString()`.
  let version: String
  let functions: Functions

  /// The library of this process, opened at the first use.
  static let shared = Result { () throws(MuJoCoUnavailable) in try MuJoCoLibrary(in: MuJoCoFolder.find()) }

  init(in folder: MuJoCoFolder, expecting pinned: String = pinnedVersion) throws(MuJoCoUnavailable) {
    // before its code runs, and before a file that is cut off is mapped
    if let pinned = MuJoCoPins.library {
      do { try MuJoCoPins.check(folder.library, is: pinned) } catch {
        throw MuJoCoUnavailable("MuJoCo does not open: \(error); \(folder.repair)", remedies: folder.remedies)
      }
    }
    guard let handle = unsafe dlopen(folder.library, RTLD_NOW | RTLD_LOCAL) else {
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
      throw MuJoCoUnavailable("MuJoCo does not open: \(reason); \(folder.repair)")
    }
    let symbols = unsafe Symbols(handle: handle, folder: folder)
    let versionString: @convention(c) () -> UnsafePointer<CChar> = try unsafe symbols.find("mj_versionString")
    version = unsafe String(cString: versionString())
    guard version == pinned else {
      throw MuJoCoUnavailable(
        "\(folder.library) is MuJoCo \(version), the environments are for \(pinned); \(folder.repair)")
    }
    functions = try Functions(symbols)
    self.folder = folder

    // differs: warnings are not written. MuJoCo's own handler writes them to the terminal and to MUJOCO_LOG.TXT, and
    // ends the process at an error; the counters of a batch say the same, and a batch catches its simulations' errors
    _ = unsafe functions.setLogHandler { message in
      guard let message = unsafe message, unsafe message.load(as: CInt.self) == 3 else { return }
      let subject = unsafe String(cString: message.advanced(by: 8).assumingMemoryBound(to: CChar.self))
      preconditionFailure("MuJoCo was called with invalid arguments: \(subject)")
    }
  }
}

/// Finds functions by name in an opened library.
@safe struct Symbols {
  let handle: UnsafeMutableRawPointer
  let folder: MuJoCoFolder

  func find<Function>(_ name: String, as type: Function.Type = Function.self) throws(MuJoCoUnavailable) -> Function {
    guard let symbol = unsafe dlsym(handle, name) else {
      throw MuJoCoUnavailable("\(folder.library) has no \(name); \(folder.repair)")
    }
    // a C function pointer is one word; the caller writes its type as mujoco.h and mjbatch.h do
    return unsafe unsafeBitCast(symbol, to: Function.self)
  }
}

/// Stages of the forward dynamics (`mjtStage`).
enum Stage {
  static let none: CInt = 0
  static let acceleration: CInt = 3
}

/// The bound C functions. Handles are `mjModel *`, `mjData *` or `mjBatch *`.
@safe struct Functions: Sendable {
  typealias Text = UnsafePointer<CChar>
  typealias ErrorText = UnsafeMutablePointer<CChar>
  typealias Numbers = UnsafeMutablePointer<Double>
  typealias Count = UnsafeMutablePointer<CInt>
  typealias Body = @convention(c) @Sendable (OpaquePointer?, OpaquePointer?, CInt, UnsafeMutableRawPointer?) -> Void
  typealias LogHandler = @convention(c) (UnsafeRawPointer?) -> Void

  let setLogHandler: @convention(c) @Sendable (LogHandler?) -> UnsafeRawPointer?
  let loadXML: @convention(c) @Sendable (Text, OpaquePointer?, ErrorText?, CInt) -> OpaquePointer?
  let deleteModel: @convention(c) @Sendable (OpaquePointer?) -> Void
  let indexOfName: @convention(c) @Sendable (OpaquePointer, CInt, Text) -> CInt
  /// `void mj_rnePostConstraint(const mjModel*, mjData*)`, called as the function of `mjb_apply`: the C calling
  /// conventions of x86-64 and arm64 let a callee ignore the last arguments, so no Swift frame is between MuJoCo's.
  let rnePostConstraint: Body
  let makeBatch: @convention(c) @Sendable (OpaquePointer, CInt, UnsafeRawPointer?, ErrorText?, CInt) -> OpaquePointer?
  let deleteBatch: @convention(c) @Sendable (OpaquePointer?) -> Void
  let model: @convention(c) @Sendable (OpaquePointer) -> OpaquePointer
  let stateCount: @convention(c) @Sendable (OpaquePointer) -> CInt
  let state: @convention(c) @Sendable (OpaquePointer) -> Numbers
  let stateComponent: @convention(c) @Sendable (OpaquePointer, CInt, Count?) -> Numbers?
  let output: @convention(c) @Sendable (OpaquePointer, Text, Count?, Count?) -> UnsafeMutableRawPointer?
  let expand: @convention(c) @Sendable (OpaquePointer, Text, Count?, Count?) -> UnsafeMutableRawPointer?
  let warning: @convention(c) @Sendable (OpaquePointer) -> Count
  let error: @convention(c) @Sendable (OpaquePointer, CInt) -> Text
  let reset: @convention(c) @Sendable (OpaquePointer, UnsafePointer<CInt>?, CInt, UnsafePointer<CInt>?, CInt) -> CInt
  let forward: @convention(c) @Sendable (OpaquePointer, UnsafePointer<CInt>?, CInt, CInt) -> CInt
  let step: @convention(c) @Sendable (OpaquePointer, UnsafePointer<CInt>?, CInt, CInt, CInt) -> CInt
  let apply:
    @convention(c) @Sendable (
      OpaquePointer, UnsafePointer<CInt>?, CInt, Body, UnsafeMutableRawPointer?, CInt
    ) -> CInt
  // pictures: MuJoCoRays.swift
  let makeData: @convention(c) @Sendable (OpaquePointer) -> OpaquePointer?
  let deleteData: @convention(c) @Sendable (OpaquePointer?) -> Void
  let copyData: @convention(c) @Sendable (OpaquePointer, CInt, OpaquePointer) -> Void
  let castRays:
    @convention(c) @Sendable (
      OpaquePointer, OpaquePointer, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<UInt8>?, Bool, CInt,
      UnsafeMutablePointer<CInt>?, Numbers, Numbers?, CInt, Double
    ) -> Void

  init(_ symbols: Symbols) throws(MuJoCoUnavailable) {
    unsafe setLogHandler = try symbols.find("mju_setLogHandler")
    unsafe loadXML = try symbols.find("mj_loadXML")
    unsafe deleteModel = try symbols.find("mj_deleteModel")
    unsafe indexOfName = try symbols.find("mj_name2id")
    unsafe rnePostConstraint = try symbols.find("mj_rnePostConstraint")
    unsafe makeBatch = try symbols.find("mjb_makeBatch")
    unsafe deleteBatch = try symbols.find("mjb_deleteBatch")
    unsafe model = try symbols.find("mjb_model")
    unsafe stateCount = try symbols.find("mjb_nstate")
    unsafe state = try symbols.find("mjb_state")
    unsafe stateComponent = try symbols.find("mjb_stateComponent")
    unsafe output = try symbols.find("mjb_output")
    unsafe expand = try symbols.find("mjb_expand")
    unsafe warning = try symbols.find("mjb_warning")
    unsafe error = try symbols.find("mjb_error")
    unsafe reset = try symbols.find("mjb_reset")
    unsafe forward = try symbols.find("mjb_forward")
    unsafe step = try symbols.find("mjb_step")
    unsafe apply = try symbols.find("mjb_apply")
    unsafe makeData = try symbols.find("mj_makeData")
    unsafe deleteData = try symbols.find("mj_deleteData")
    unsafe copyData = try symbols.find("mjb_getData")
    unsafe castRays = try symbols.find("mj_multiRay")
  }
}

/// An MJCF file.
struct ModelFile: Sendable {
  let path: String
  /// What messages call it.
  let name: String
  /// What to do when it does not load.
  let remedy: String
  /// What else helps then.
  private let remedies: [Remedy]
  /// Its SHA-256; nil where it may be any.
  private let pinned: String?

  init(path: String) {
    (self.path, name, remedy, remedies, pinned) = (path, path, "check the path and the file", [], nil)
  }

  /// A model that comes with the library.
  fileprivate init(_ name: String, in folder: MuJoCoFolder) {
    (path, self.name) = (folder.model(name), name)
    (remedy, remedies, pinned) = (folder.modelRepair, folder.remedies, MuJoCoPins.models[name])
  }

  /// Throws when it is not the model that its environment is made for.
  func check() throws(MuJoCoUnavailable) {
    guard let pinned else { return }
    do { try MuJoCoPins.check(path, is: pinned) } catch {
      throw MuJoCoUnavailable("the model \(path) does not load: \(error); \(remedy)", remedies: remedies)
    }
  }
}

extension MuJoCoLibrary {
  /// `models/<name>.xml` of the library's folder.
  func model(_ name: String) -> ModelFile {
    ModelFile(name, in: folder)
  }
}
