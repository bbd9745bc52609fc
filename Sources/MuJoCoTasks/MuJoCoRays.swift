// MuJoCoRays.swift — what rays meet in a posed model: MuJoCo's own ray casts.
//
// With MuJoCoLibrary.swift the only file of this target with unsafe code.

import Environments

/// A shape of a model, as far as pictures need it.
package struct SceneGeom: Sendable {
  /// Infinite or bounded and flat: a floor.
  package let isPlane: Bool
  /// Red, green, blue and opacity, 0 to 1.
  package let colour: SIMD4<Double>
}

/// What rays met first, by ray.
package struct RayHits: Sendable {
  /// Which shape; −1: none.
  package fileprivate(set) var geoms: [CInt]  // (n)
  /// In lengths of the ray's direction; −1: none.
  package fileprivate(set) var distances: [Double]  // (n)
  fileprivate var normalValues: [Double]  // (n × 3)

  fileprivate init(count: Int) {
    geoms = [CInt](repeating: -1, count: count)
    distances = [Double](repeating: -1, count: count)
    normalValues = [Double](repeating: 0, count: 3 * count)
  }

  /// The surface's normal, of length 1.
  package func normal(_ ray: Int) -> SIMD3<Double> {
    SIMD3(normalValues[3 * ray], normalValues[3 * ray + 1], normalValues[3 * ray + 2])
  }
}

/// A model to look at: posed by positions and asked by rays. It has memory of its own, so it changes no simulation.
@safe
package final class RayScene {
  private let batch: Batch
  private let data: OpaquePointer
  private let positions: Field  // q (nq)
  private let massCentres: Field  // of each body with all that hangs on it, m (bodies × 3)
  private let places: Field  // of the shapes, m (geoms × 3)
  /// Of a sphere around each shape; 0 of a plane.
  private let radii: [Double]  // m (geoms)
  package let geoms: [SceneGeom]
  /// Whether the first body of the model moves freely along the ground, so that a camera has to follow it.
  package let travels: Bool

  init(_ library: MuJoCoLibrary, _ model: ModelFile) throws(MuJoCoUnavailable) {
    let specimen = try Batch(library, model)
    geoms = try Self.geoms(specimen)
    radii = try specimen.constant("geom_rbound")
    // joints of the first body: a free one (0), or slides (2) that nothing bounds
    let kinds = try specimen.wholeConstant("jnt_type")
    let bodies = try specimen.wholeConstant("jnt_bodyid")
    let ranges = try specimen.constant("jnt_range")
    travels = zip(kinds, bodies).enumerated().contains { index, joint in
      joint.1 == 1 && (joint.0 == 0 || joint.0 == 2 && ranges[2 * index] == ranges[2 * index + 1])
    }
    batch = try Batch(library, model)
    positions = batch.state(.positions)
    massCentres = try batch.output("subtree_com")
    places = try batch.output("geom_xpos")
    let functions = batch.functions
    guard let data = unsafe functions.makeData(functions.model(batch.handle)) else {
      throw MuJoCoUnavailable("the model \(model.path) cannot be drawn: there is no memory for it")
    }
    unsafe self.data = data
  }

  deinit { unsafe batch.functions.deleteData(data) }

  private static func geoms(_ specimen: Batch) throws(MuJoCoUnavailable) -> [SceneGeom] {
    let kinds = try specimen.wholeConstant("geom_type")
    let materials = try specimen.wholeConstant("geom_matid")
    let colours = try specimen.singleConstant("geom_rgba")
    let hasMaterials = materials.contains { $0 >= 0 }
    let materialColours = hasMaterials ? try specimen.singleConstant("mat_rgba") : []
    return kinds.indices.map { geom in
      var rgba = Array(colours[4 * geom..<4 * geom + 4])
      // the colour of a material counts where the shape has none of its own, as in MuJoCo's pictures
      if materials[geom] >= 0, rgba == [0.5, 0.5, 0.5, 1] {
        rgba = Array(materialColours[4 * materials[geom]..<4 * materials[geom] + 4])
      }
      return SceneGeom(
        isPlane: kinds[geom] == 0,
        colour: SIMD4(Double(rgba[0]), Double(rgba[1]), Double(rgba[2]), Double(rgba[3])))
    }
  }

  /// Takes a pose (nq).
  ///
  /// - Precondition: it has as many positions as the model.
  package func pose(_ newPositions: Field) throws(SimulatorFault) {
    precondition(newPositions.count == positions.count, "\(newPositions.count) positions for \(positions.count)")
    for i in 0..<positions.count { positions[i] = newPositions[i] }
    try batch.forward()
    unsafe batch.functions.copyData(batch.handle, 0, data)
  }

  /// The centre of mass of the first body with all that hangs on it, in the pose.
  package var massCentre: SIMD3<Double> { massCentres.point(1) }

  /// The box around all shapes but planes, in the pose; nil where there are none.
  package var bounds: (low: SIMD3<Double>, high: SIMD3<Double>)? {
    var (low, high) = (SIMD3<Double>(repeating: .infinity), SIMD3<Double>(repeating: -.infinity))
    for geom in geoms.indices where !geoms[geom].isPlane && geoms[geom].colour.w > 0 {
      low = pointwiseMin(low, places.point(geom) - radii[geom])
      high = pointwiseMax(high, places.point(geom) + radii[geom])
    }
    return low.x <= high.x ? (low, high) : nil
  }

  /// Sends rays from a point.
  ///
  /// - Parameter directions: of length 1 (n × 3).
  package func cast(from origin: SIMD3<Double>, _ directions: [Double]) -> RayHits {
    precondition(directions.count % 3 == 0, "\(directions.count) numbers for rays")
    let count = directions.count / 3
    var hits = RayHits(count: count)
    guard count > 0 else { return hits }
    let start = [origin.x, origin.y, origin.z]
    // what MuJoCo's viewer shows at first: groups 0, 1 and 2
    let groups: [UInt8] = [1, 1, 1, 0, 0, 0]
    let functions = batch.functions
    // every array is as long as MuJoCo takes it to be: 3, 3n, 6, n, n and 3n
    unsafe functions.castRays(
      functions.model(batch.handle), data, start, directions, groups, true, -1, &hits.geoms, &hits.distances,
      &hits.normalValues, CInt(count), 1e10)
    return hits
  }
}
