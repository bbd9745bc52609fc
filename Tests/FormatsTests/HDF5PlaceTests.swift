import Testing

@testable import Formats

@Suite struct HDF5PlaceTests {
  @Test func `libhdf5 is loaded by absolute paths alone, whatever the variables say`() throws {
    for variables in [[:], ["LD_LIBRARY_PATH": ":"], ["LD_LIBRARY_PATH": "here::./there:/opt/own"]] {
      let place = try HDF5Place.find(environment: variables)
      #expect(!place.isGiven && !place.paths.isEmpty && place.paths.allSatisfy { $0.hasPrefix("/") })
    }
    let own = try HDF5Place.find(environment: ["LD_LIBRARY_PATH": "here::./there:/opt/own"])
    #expect(own.paths.first == "/opt/own/libhdf5.so")
  }

  @Test func `the variable's path is taken alone, and a relative one is refused`() throws {
    let given = try HDF5Place.find(environment: ["OFFPOLICY_HDF5": "/opt/libhdf5.so", "LD_LIBRARY_PATH": "/usr/lib"])
    #expect(given == HDF5Place(paths: ["/opt/libhdf5.so"], isGiven: true))
    for path in ["libhdf5.so", "./libhdf5.so", "a/libhdf5.so"] {
      let error = #expect(throws: HDF5Unavailable.self) { try HDF5Place.find(environment: ["OFFPOLICY_HDF5": path]) }
      #expect(error?.description.contains("OFFPOLICY_HDF5 is \(path), which is no absolute path") == true)
    }
  }
}
