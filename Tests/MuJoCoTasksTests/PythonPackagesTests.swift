// PythonPackagesTests.swift — folders of packages are found in the order in which a person would expect, each once.

import Testing

@testable import MuJoCoTasks

@Suite struct PythonPackagesTests {
  @Test func `what is named comes first, then what is active, the PATH, the user's and the system's`() throws {
    let root = try TemporaryFolder()
    for place in ["named", "active", "home/.local", "system"] {
      try root.create("\(place)/lib/python3.11/site-packages/x")
    }
    try root.create("system/lib/python3/dist-packages/x")
    try root.create("system/lib/python2.7/site-packages/x")
    let found = PythonPackages.installed(
      [
        "OFFPOLICY_PYTHON": root.path + "/named/bin/python3", "VIRTUAL_ENV": root.path + "/active",
        "CONDA_PREFIX": root.path + "/active", "HOME": root.path + "/home", "PATH": "bin:.:/",
      ], system: [root.path + "/system"])
    #expect(
      found.map { String($0.path.dropFirst(root.path.count + 1)) } == [
        "named/lib/python3.11/site-packages", "active/lib/python3.11/site-packages",
        "home/.local/lib/python3.11/site-packages", "system/lib/python3/dist-packages",
        "system/lib/python3.11/site-packages",
      ])
    #expect(found.first?.install == "run \(root.path)/named/bin/python3 -m pip install")
  }

  @Test func `an interpreter without a folder, and no variable at all, name nothing`() {
    #expect(PythonPackages.installed(["OFFPOLICY_PYTHON": "python3"], system: []) == [])
    #expect(PythonPackages.installed([:], system: ["relative"]) == [])
  }
}
