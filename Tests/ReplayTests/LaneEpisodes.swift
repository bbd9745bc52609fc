import Kernels
import Platform
import Replay
import Testing

/// Random episodes in several lanes, kept in plain lists beside the buffer that they are added to.
///
/// The first value of every observation is a number that no other has, so each row of a batch can be found again.
struct LaneEpisodes {
  enum Ending: CaseIterable { case terminated, truncated, both, abandoned, broken }

  struct Episode {
    var observations: [[Float]]
    var actions: [[Float]] = []
    var rewards: [Float] = []
    /// nil while it runs.
    var ending: Ending?

    var steps: Int { rewards.count }
    func isTerminated(after step: Int) -> Bool {
      step == steps && (ending == .terminated || ending == .both)
    }
  }

  /// A step of an episode: transition t is from observation t to t + 1.
  struct Place: Hashable {
    var lane: Int
    var episode: Int
    var step: Int
  }

  let observationSize: Int
  private(set) var lanes: [[Episode]]
  private(set) var places: [Float: Place] = [:]
  private var left: [Int]
  private var stream: RandomStream
  private var counter: Float = 0
  private let endings: [Ending]

  init(lanes: Int, observationSize: Int = 2, seed: UInt64, endings: [Ending] = Ending.allCases) {
    self.lanes = Array(repeating: [], count: lanes)
    left = Array(repeating: 0, count: lanes)
    self.observationSize = observationSize
    self.endings = endings
    stream = RandomStream(seed: seed, purpose: "episodes")
  }

  private mutating func observation() -> [Float] {
    counter += 1
    return [counter] + (1..<observationSize).map { Float($0) + stream.uniform() }
  }

  /// One step in a lane; an episode has up to `longest` steps, some of them none.
  mutating func step(_ buffer: inout ReplayBuffer, lane: Int, longest: Int = 12) {
    if left[lane] == 0 {
      left[lane] = 1 + stream.index(below: longest)
      let first = observation()
      lanes[lane].append(Episode(observations: [first]))
      buffer.beginEpisode(first.span, lane: lane)
    }
    let episode = lanes[lane].count - 1
    left[lane] -= 1
    let ending = left[lane] == 0 ? endings[stream.index(below: endings.count)] : nil
    if ending == .abandoned || ending == .broken {
      if ending == .broken { buffer.breakOff(lane: lane) } else { buffer.abandonEpisode(lane: lane) }
      lanes[lane][episode].ending = ending
      return
    }
    let (action, next, reward) = ([stream.uniform()], observation(), 2 * stream.uniform() - 1)
    let waiting = lanes[lane][episode].observations[lanes[lane][episode].steps]
    places[waiting[0]] = Place(lane: lane, episode: episode, step: lanes[lane][episode].steps)
    buffer.add(
      lane: lane, action: action.span, reward: reward, terminated: ending == .terminated || ending == .both,
      truncated: ending == .truncated || ending == .both, next: next.span)
    lanes[lane][episode].observations.append(next)
    lanes[lane][episode].actions.append(action)
    lanes[lane][episode].rewards.append(reward)
    lanes[lane][episode].ending = ending
  }

  /// Steps in all lanes, in a random order.
  mutating func steps(_ count: Int, _ buffer: inout ReplayBuffer, longest: Int = 12) {
    for _ in 0..<count { step(&buffer, lane: stream.index(below: lanes.count), longest: longest) }
  }

  /// Breaks off what runs.
  mutating func abandonAll(_ buffer: inout ReplayBuffer) {
    for lane in lanes.indices where left[lane] > 0 {
      buffer.abandonEpisode(lane: lane)
      lanes[lane][lanes[lane].count - 1].ending = .abandoned
      left[lane] = 0
    }
  }

  func episode(_ place: Place) -> Episode { lanes[place.lane][place.episode] }

  /// The observation that waits for its action.
  func waiting(_ lane: Int) -> [Float]? { left[lane] > 0 ? lanes[lane].last?.observations.last : nil }

  /// The last `count` transitions of a lane.
  func latest(_ count: Int, lane: Int) -> Set<Place> {
    let all = lanes[lane].enumerated().flatMap { episode in
      (0..<episode.element.steps).map { Place(lane: lane, episode: episode.offset, step: $0) }
    }
    return Set(all.suffix(count))
  }
}

extension Matrix {
  func row(_ row: Int) -> [Float] { (0..<columns).map { self[row, $0] } }
}

extension ReplayBuffer {
  /// Replaces everything by the frames of another buffer, as a buffer that is loaded from a file does.
  mutating func replaceAll(by other: borrowing ReplayBuffer) {
    removeAll()
    for lane in 0..<laneCount {
      let range = other.frameRange(lane: lane)
      let values = other.frameValues(range, lane: lane)
      for (i, n) in range.enumerated() {
        restoreFrame(n, values.span.extracting(i * frameWidth..<(i + 1) * frameWidth), lane: lane)
      }
    }
  }

  /// A buffer of the same size with the same frames, restored one by one as a checkpoint does it.
  func restored(capacity: Int, waiting: (Int) -> [Float]?) throws -> ReplayBuffer {
    var copy = try ReplayBuffer(
      capacity: capacity, observationSize: observationSize, actionSize: actionSize, lanes: laneCount)
    for lane in 0..<laneCount {
      let range = frameRange(lane: lane)
      let values = frameValues(range, lane: lane)
      for (i, n) in range.enumerated() {
        copy.restoreFrame(n, values.span.extracting(i * frameWidth..<(i + 1) * frameWidth), lane: lane)
      }
      if let observation = waiting(lane) { copy.resumeEpisode(observation.span, lane: lane) }
    }
    return copy
  }
}

/// χ² of counts against what is expected of each, and a bound that chance passes in fewer than 1 of 10,000 cases.
func chiSquare(_ counts: [Double], expected: [Double]) -> (value: Double, bound: Double) {
  let value = zip(counts, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1 }
  let degrees = Double(counts.count - 1)
  return (value, degrees + 5 * (2 * degrees).squareRoot() + 10)
}
