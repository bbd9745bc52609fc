// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "CustomRobot",
  platforms: [.macOS(.v26)],
  dependencies: [
    // elsewhere: .package(url: "https://github.com/OWNER/swift-offpolicy", from: "0.1.0")
    .package(name: "swift-offpolicy", path: "../..")
  ],
  targets: [
    .executableTarget(
      name: "CustomRobot", dependencies: [.product(name: "OffPolicy", package: "swift-offpolicy")],
      resources: [.copy("balancer.xml")])
  ]
)
