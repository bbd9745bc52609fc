import Kernels
import Networks
import Platform
import Testing

@Suite struct LayoutTests {
  static let layouts = [
    Layout(inputs: 7, gradientInputs: 0, hidden: [5], outputs: [(nil, 3)], scalar: false),
    Layout(inputs: 23, gradientInputs: 6, hidden: [256, 256], outputs: [(nil, 1)], scalar: true),
    Layout(
      inputs: 17, gradientInputs: 0, hidden: [17, 33, 16], outputs: [("mean", 6), ("log_std", 6)], scalar: false),
  ]

  @Test(arguments: layouts)
  func `every element of every tensor has a place of its own, inside its layer`(layout: Layout) {
    var seen: Set<Int> = []
    for view in layout.tensors {
      var count = 0
      view.forEachIndex { element, index in
        #expect(element == count)
        count += 1
        #expect(seen.insert(index).inserted, "\(view.name): \(index) twice")
        #expect(index >= view.layer.offset && index < view.layer.offset + view.layer.parameterCount)
      }
      #expect(count == view.shape.reduce(1, *))
    }
    #expect(layout.layers.reduce(0) { $0 + $1.outputs * ($1.inputs + 1) } == seen.count)
  }

  @Test(arguments: layouts)
  func `layers and their transposed weights follow each other without gap or overlap, in whole vectors`(
    layout: Layout
  ) {
    var (offset, transposedOffset) = (0, 0)
    for layer in layout.layers {
      #expect(layer.offset == offset && layer.transposedOffset == transposedOffset)
      offset += layer.parameterCount
      transposedOffset += layer.transposedCount
      #expect(offset % 16 == 0 && transposedOffset % 16 == 0)
    }
    #expect(layout.parameterCount == offset && layout.transposedCount == transposedOffset)
    #expect(layout.hidden.count == layout.layers.count - 1)
  }

  @Test(arguments: layouts)
  func `the panels of all layers cover every parameter once`(layout: Layout) {
    let visits = Block(count: layout.parameterCount)
    for layer in layout.layers {
      for panel in 0..<layer.panels { for index in layer.range(ofPanels: panel..<(panel + 1)) { visits[index] += 1 } }
      #expect(layer.range(ofPanels: 0..<0).isEmpty)
    }
    #expect(visits.values.allSatisfy { $0 == 1 })
    #expect(layout.panelCount == layout.layers.reduce(0) { $0 + $1.panels })
  }

  @Test(arguments: layouts)
  func `the shares of any number of workers cover every parameter once`(layout: Layout) {
    for workers in 1...5 {
      let visits = Block(count: layout.parameterCount)
      WorkerPool(count: workers).forEachShare { share in
        for layer in layout.layers { for index in layer.range(of: share) { visits[index] += 1 } }
      }
      #expect(visits.values.allSatisfy { $0 == 1 }, "\(workers) workers")
    }
  }
}
