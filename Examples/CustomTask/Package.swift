// swift-tools-version: 6.2
import PackageDescription

let offPolicy = Target.Dependency.product(name: "OffPolicy", package: "swift-offpolicy")

let package = Package(
  name: "CustomTask",
  platforms: [.macOS(.v26)],
  dependencies: [
    // elsewhere: .package(url: "https://github.com/OWNER/swift-offpolicy", from: "0.1.0")
    .package(name: "swift-offpolicy", path: "../..")
  ],
  targets: [
    .target(name: "CartTask", dependencies: [offPolicy]),
    // the whole program, which knows Cart-v0: swift run -c release CustomTask train sac Cart-v0
    .executableTarget(
      name: "CustomTask",
      dependencies: ["CartTask", .product(name: "OffPolicyProgram", package: "swift-offpolicy")]),
    // the library alone: swift run -c release SmallLoop
    .executableTarget(name: "SmallLoop", dependencies: ["CartTask", offPolicy]),
  ]
)
