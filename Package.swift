// swift-tools-version: 6.2
import PackageDescription

// The vector kernels are one set of source files, compiled twice on x86-64: `Vector` for AVX2 and FMA, which every
// processor since 2013 has, and `Vector512` (links to the same files, and the matrix unit) for AVX-512. `Kernels` picks one at start.
// The flags steer Swift's own code generation. On arm64 the baseline already has fused multiply-add.
#if arch(x86_64)
  let baseline: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mfma"])]
  let wide: [SwiftSetting] = [
    .unsafeFlags([
      "-Xcc", "-mavx512f", "-Xcc", "-mavx512vl", "-Xcc", "-mavx512dq", "-Xcc", "-mavx512bw", "-Xcc", "-mfma",
    ]),
    .define("WIDE"),
  ]
#else
  let baseline: [SwiftSetting] = []
  let wide: [SwiftSetting] = []
#endif

/// Memory safety is checked everywhere; `unsafe` is written only in the kernels and where a C library is called.
let safe: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatWarning("StrictMemorySafety", as: .error),
]

/// A sanitizer replaces `malloc` itself, so the program cannot: see Tests/Faults/sanitize.
let countsAllocations = Context.environment["OFFPOLICY_SANITIZE"] == nil

// SwiftPM does not rebuild a target when a transitive dependency changes. So each target lists all its dependencies,
// transitive ones included. Scripts/check-sources.py holds it.
let belowKernels: [Target.Dependency] = ["Intrinsics", "Vector", "Vector512", "Platform"]
let belowNetworks = belowKernels + ["Kernels"]
let belowReplay = belowNetworks + ["Environments", "Formats"]
let belowAlgorithms = belowReplay + ["Networks", "Replay"]
let belowTraining = belowAlgorithms + ["Algorithms"]
let belowOffline = belowTraining + ["Training"]
let belowFilm = belowOffline + ["MuJoCoTasks", "Pictures"]
let belowOffPolicy = belowFilm + ["Offline", "PythonBridge", "Export", "Film"]
let belowProgram = belowOffPolicy + ["OffPolicy"]
let belowSweeps = belowOffline + ["Presets"]
let belowCommands = belowProgram + ["Report", "Presets", "Sweeps"]

let package = Package(
  name: "swift-offpolicy",
  platforms: [.macOS(.v26)],
  products: [
    // the inner targets too, so that what uses the library is built anew when one of them has changed
    .library(
      name: "OffPolicy",
      targets: [
        "OffPolicy", "Export", "Film", "Pictures", "Offline", "MuJoCoTasks", "PythonBridge", "Training", "Algorithms",
        "Replay", "Networks", "Environments", "Formats", "Kernels", "Platform",
      ]),
    // the program as a library, for packages with environments and algorithms of their own
    .library(name: "OffPolicyProgram", targets: ["OffPolicyProgram"]),
    .executable(name: "offpolicy", targets: ["Main"]),
    // the library for other languages: Sources/CInterface/offpolicy.h
    .library(name: "OffPolicyC", type: .dynamic, targets: ["CInterface"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // reads presets and sweeps; only the program needs it
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "Intrinsics"),
    .target(name: "Vector", dependencies: ["Intrinsics"], swiftSettings: baseline),
    .target(name: "Vector512", dependencies: ["Intrinsics"], swiftSettings: wide),
    // disk, memory and threads; not named System, because the SDK of macOS has a module of that name
    .target(name: "Platform"),
    .target(name: "Kernels", dependencies: belowKernels),
    .target(name: "Formats", dependencies: ["Platform"], swiftSettings: safe),
    .target(name: "Environments", dependencies: ["Platform"], swiftSettings: safe),
    .target(
      name: "MuJoCoTasks", dependencies: ["Platform", "Environments"],
      // a link to the script, which a program carries along
      resources: [.embedInCode("fetch-dependencies")], swiftSettings: safe),
    .target(
      name: "PythonBridge", dependencies: ["Platform", "Environments"],
      // all but the worker are links to files of the Python package: observations become rows in one way
      resources: ["worker.py", "errors.py", "spaces.py", "flatten.py"].map { .embedInCode($0) }, swiftSettings: safe),
    .target(name: "Networks", dependencies: belowNetworks, swiftSettings: safe),
    .target(name: "Replay", dependencies: belowReplay, swiftSettings: safe),
    .target(name: "Algorithms", dependencies: belowAlgorithms, swiftSettings: safe),
    .target(name: "Training", dependencies: belowTraining, swiftSettings: safe),
    .target(name: "Offline", dependencies: belowOffline, swiftSettings: safe),
    .target(name: "Export", dependencies: belowOffline, swiftSettings: safe),
    // pictures in memory and their files, without a graphics library
    .target(name: "Pictures", swiftSettings: safe),
    .target(name: "Film", dependencies: belowFilm, swiftSettings: safe),
    .target(name: "OffPolicy", dependencies: belowOffPolicy, swiftSettings: safe),
    // pages and pictures of runs
    .target(name: "Report", dependencies: belowOffline + ["Pictures"], swiftSettings: safe),
    // settings that suit an environment, read from YAML
    .target(
      name: "Presets", dependencies: belowOffline + [.product(name: "Yams", package: "Yams")],
      resources: [
        .embedInCode("crossq.yaml"), .embedInCode("ddpg.yaml"), .embedInCode("dqn.yaml"),
        .embedInCode("sac-discrete.yaml"), .embedInCode("sac.yaml"), .embedInCode("td3.yaml"),
      ], swiftSettings: safe),
    // many runs as one: which ones, where, and in which state each is
    .target(name: "Sweeps", dependencies: belowSweeps, swiftSettings: safe),
    .target(
      name: "OffPolicyProgram",
      dependencies: belowCommands + [.product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: safe),
    .target(name: "CInterface", dependencies: belowProgram, exclude: ["offpolicy.h"]),
    .target(name: "AllocationCount"),
    .executableTarget(
      name: "Main",
      dependencies: belowCommands + ["OffPolicyProgram", "AllocationCount"],
      swiftSettings: safe,
      // the program's allocations are counted, see AllocationCount.swift
      linkerSettings: [
        .unsafeFlags(
          (countsAllocations ? ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"] : []).flatMap {
            ["-Xlinker", "--defsym=\($0)=offpolicy_\($0)"]
          }, .when(platforms: [.linux], configuration: .release))
      ]),

    .testTarget(name: "PlatformTests", dependencies: belowNetworks),
    .testTarget(
      name: "KernelsTests", dependencies: belowNetworks + ["Formats"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "NetworksTests", dependencies: belowNetworks + ["Networks", "Formats"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ReplayTests", dependencies: belowReplay + ["Replay"], resources: [.copy("Fixtures")]),
    .testTarget(name: "AlgorithmsTests", dependencies: belowTraining),
    .testTarget(
      name: "EnvironmentsTests", dependencies: ["Environments", "Formats", "Platform"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "MuJoCoTasksTests", dependencies: ["MuJoCoTasks", "Environments", "Formats", "Platform"],
      resources: [.copy("Fixtures")]
    ),
    .testTarget(name: "PythonBridgeTests", dependencies: ["PythonBridge", "Environments", "Platform"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Platform"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "TrainingTests", dependencies: belowProgram, resources: [.copy("Fixtures")]),
    .testTarget(name: "ExportTests", dependencies: belowProgram, resources: [.copy("Fixtures")]),
    .testTarget(name: "OfflineTests", dependencies: belowProgram, resources: [.copy("Fixtures")]),
    .testTarget(
      name: "ReportTests", dependencies: belowOffline + ["Pictures", "Report"], resources: [.copy("Fixtures")]),
    .testTarget(name: "PicturesTests", dependencies: ["Pictures", "Formats", "Platform"]),
    .testTarget(name: "FilmTests", dependencies: belowFilm + ["Film"], resources: [.copy("Fixtures")]),
    .testTarget(name: "PresetsTests", dependencies: belowOffline + ["Presets"], resources: [.copy("Fixtures")]),
    .testTarget(name: "SweepsTests", dependencies: belowSweeps + ["Sweeps"]),
    .testTarget(
      name: "CommandTests", dependencies: belowCommands + ["OffPolicyProgram", "Main", "AllocationCount"],
      resources: [.copy("Fixtures")]),
  ],
  swiftLanguageModes: [.v6]
)

// libFuzzer brings its own `main`: see Tests/Faults/fuzz
if Context.environment["OFFPOLICY_FUZZ"] != nil {
  package.products.append(.executable(name: "Fuzz", targets: ["Fuzz"]))
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: belowCommands, path: "Tests/Faults/Fuzz"))
}
