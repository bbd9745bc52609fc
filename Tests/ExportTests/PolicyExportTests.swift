import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct PolicyExportTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func refusal(_ path: String, _ format: ExportFormat = .c) throws -> String {
    let before = folder.contents
    let error = #expect(throws: ExportError.self) {
      try PolicyExport.write(makePolicy(.deterministic), as: format, to: path, exportOptions)
    }
    #expect(folder.contents == before)
    return error?.description ?? ""
  }

  @Test func `names of functions and types follow the file's name`() {
    for (file, identifier, type) in [
      ("policy.h", "policy", "Policy"), ("my-cart.swift", "my_cart", "MyCart"), ("2nd.h", "policy2nd", "Policy2nd"),
      ("_x.h", "policy_x", "PolicyX"), ("Größe.v2.h", "Gr__e", "GrE"), (".h", "h", "H"),
    ] {
      #expect(PolicyExport.identifier(file) == identifier && PolicyExport.typeName(file) == type, "\(file)")
    }
  }

  @Test func `an export takes the place of an older one and leaves nothing beside it`() throws {
    for format in ExportFormat.allCases {
      guard let ending = format.fileExtension, !format.needsRun else { continue }
      let path = folder.path("policy.\(ending)")
      for kind in [PolicyForm.Kind.deterministic, .choosing] {
        let count = try PolicyExport.write(makePolicy(kind), as: format, to: path, exportOptions)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == count)
      }
    }
    #expect(folder.contents == ["policy.h", "policy.onnx", "policy.py", "policy.swift"])
  }

  @Test func `a path that ends otherwise is refused: it may be another file`() throws {
    let path = folder.path("policy.safetensors")
    #expect(try refusal(path) == "\(path) does not end in .h, as a file of the format c does")
    #expect(try refusal(folder.path("h"), .onnx).contains("does not end in .onnx"))
  }

  @Test func `what is made of a run is not made of a policy alone`() throws {
    for format in ExportFormat.allCases where format.needsRun {
      let error = #expect(throws: ExportError.self) {
        try PolicyExport.encode(makePolicy(.deterministic), as: format, file: "model.zip", exportOptions)
      }
      #expect(error?.description.contains("give the folder of the run") == true)
    }
  }

  @Test func `a place that cannot be written to is told in one line, and nothing is left there`() throws {
    let missing = folder.path("missing/policy.h")
    #expect(try refusal(missing) == "\(missing) cannot be written: no such file or folder; check the path")
    try FileManager.default.createDirectory(atPath: folder.path("policy.h"), withIntermediateDirectories: true)
    #expect(try refusal(folder.path("policy.h")).contains("policy.h cannot be written: "))
  }
}
