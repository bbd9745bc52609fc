// RecordTests.swift — `offpolicy record` and the pictures of `plot`, as a person calls them.

import Foundation
import OffPolicy
import Testing

@Suite struct RecordTests {
  let folder: TemporaryFolder
  let run: String

  init() throws {
    folder = try TemporaryFolder()
    run = folder.path("run")
    #expect(try Program.run(shortRun("sac", into: run, steps: 300)).status == 0)
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path(name))))
  }
  private var small: [String] { ["--width", "64", "--height", "48"] }

  @Test func `a film is a GIF or an animated PNG as its name ends, the same each time`() throws {
    for (name, head) in [("film.gif", Array("GIF89a".utf8)), ("film.png", [0x89, 0x50, 0x4e, 0x47])] {
      let call = ["record", run, "--episodes", "2", "--every", "20", "--out", folder.path(name)] + small
      let result = try Program.run(call + ["--json"])
      let json = try result.json()
      #expect(result.status == 0 && json["frames"]?.number == 22)
      let first = try bytes(name)
      #expect(first.starts(with: head) && json["bytes"]?.number == Double(first.count))
      #expect(try Program.run(call).status == 0)
      #expect(try bytes(name) == first)
      // the episodes are those of `evaluate`
      let evaluation = try Program.run("evaluate", run, "--episodes", "2", "--json").json()
      #expect(json["returns"] == evaluation["returns"])
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["film.gif", "film.png", "run"])
  }

  @Test func `a still is one picture of the step that was asked for`() throws {
    let out = folder.path("still.png")
    let result = try Program.run(["record", run, "--still", "50", "--out", out] + small)
    #expect(result.status == 0 && result.output.contains("1 picture, "))
    let picture = try bytes("still.png")
    #expect(!picture.isEmpty && !String(decoding: picture, as: UTF8.self).contains("acTL"))
  }

  @Test func `without ffmpeg an MP4 becomes a GIF, and a line says so`() throws {
    let result = try Program.run(
      ["record", run, "--episodes", "1", "--every", "50", "--out", folder.path("film.mp4")] + small, in: folder.url,
      environment: ["PATH": "/nowhere"])
    #expect(result.status == 0)
    #expect(
      result.errors.contains(
        "there is no ffmpeg on the PATH: writing \(folder.path("film.gif")) instead of \(folder.path("film.mp4"))"))
    #expect(try bytes("film.gif").starts(with: Array("GIF89a".utf8)))
  }

  @Test func `an ffmpeg that fails leaves no file, and its last line is told`() throws {
    let script = folder.path("ffmpeg")
    try "#!/bin/sh\necho the encoder is on strike >&2\nexit 3\n".write(
      toFile: script, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    let result = try Program.run(
      ["record", run, "--episodes", "1", "--out", folder.path("film.mp4")] + small, in: folder.url,
      environment: ["PATH": folder.url.path + ":/usr/bin:/bin"])
    #expect(result.status == 1 && result.errorLines.count == 1, "\(result.errors)")
    #expect(result.errors.contains("ffmpeg did not make \(folder.path("film.mp4")): the encoder is on strike"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["ffmpeg", "run"])
  }

  @Test(arguments: ["long.gif", "long.mp4"]) func `Ctrl-C keeps the film so far, and leaves nothing else`(name: String)
    throws
  {
    guard name.hasSuffix("gif") || FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg") else { return }
    let start = ContinuousClock.now
    let result = try Program.run(
      ["record", run, "--episodes", "1000000", "--every", "20", "--out", folder.path(name)] + small, in: folder.url,
      signal: (SIGINT, { ContinuousClock.now - start > .seconds(2) }))
    #expect(result.status == 130 && result.output.contains(" pictures, "), "\(result.errors)")
    #expect(try !bytes(name).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [name, "run"])
  }

  @Test func `what cannot be recorded is refused in one line, and nothing is written`() throws {
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted()
    func refused(_ arguments: [String], _ words: String) throws {
      // with ffmpeg, where this machine has it, and without
      for environment in [[:], ["PATH": folder.url.path]] {
        let result = try Program.run(["record"] + arguments, in: folder.url, environment: environment)
        #expect(result.status != 0 && result.errorLines.count == 1, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
      }
    }
    try refused([run, "--out", folder.path("film.avi")], "--out must end in .mp4, .gif or .png, not")
    try refused([run, "--out", folder.path("none/film.gif")], "there is no folder")
    try refused([run, "--still", "3", "--out", folder.path("still.gif")], "--still writes PNG")
    try refused([run, "--still", "3", "--fps", "5"], "--still writes one picture")
    try refused([run, "--environment", "MountainCarContinuous-v0"], "takes 3 observations and gives 1 actions")
    try refused([run, "--environment", "gym:Pendulum-v1"], "gym:Pendulum-v1 runs in Python")
    try refused([folder.path("nothing")], "does not exist")
    try refused([run, "--live"], "--live needs a terminal")
    try refused([run, "--width", "4"], "--width must be 16 to 4,096, not 4")
    try refused([run, "--fps", "1000"], "--fps must be 1 to 120")
    try refused([run, "--out", run], "--out must end in")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted() == before)
  }

  @Test func `plot writes every figure as SVG and PNG, or one of them`() throws {
    for (format, endings) in [("both", ["png", "svg"]), ("svg", ["svg"]), ("png", ["png"])] {
      let out = folder.path("plots-\(format)")
      #expect(try Program.run("plot", run, "--out", out, "--format", format).status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: out)
      #expect(Set(names.map { String($0.suffix(3)) }).sorted() == endings)
      let stems = Dictionary(grouping: names) { $0.dropLast(4) }
      #expect(stems.count > 1 && stems.values.allSatisfy { $0.count == endings.count })
    }
  }
}
