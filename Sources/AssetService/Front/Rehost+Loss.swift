// Images that their answer brings and nothing else has: the store did not take them. Should the
// answer not arrive, the log says so; it is all that is left of them.
internal import HTTPServer
internal import Store
internal import Synchronization

extension Rehost {
  /// The same answer, which is told of when it does not arrive, or is not even sent.
  func tellingLoss(_ response: Response) -> Response {
    let failures = items.indices.compactMap { unkept($0) }
    guard !failures.isEmpty, case .stream(let length, let write) = response.body else {
      return response
    }
    let images = UndeliveredImages { [context, id] in
      for failure in failures { context.tellLost(of: id, failure) }
    }
    var response = response
    let client = call.request.body
    response.body = .stream(length: length) { writer in
      // What is sent to a client that has left does not arrive.
      let wasThere = client.isClientThere
      try await write(writer)
      if wasThere { images.arrived() }
    }
    return response
  }

  /// Why the image of an item is not in the store, if it is here all the same.
  private func unkept(_ index: Int) -> Failure? {
    switch items[index] {
    case .unstored(let failure, _): failure
    case .settled: hasRow(index) ? nil : whyUnstored(index)
    case .plain, .failed: nil
    }
  }
}

/// Images on their way to a client; those that have not arrived when this goes are lost.
private final class UndeliveredImages: Sendable {
  private let tellLost: @Sendable () -> Void
  private let haveArrived = Atomic<Bool>(false)

  init(tellLost: @escaping @Sendable () -> Void) { self.tellLost = tellLost }

  func arrived() { haveArrived.store(true, ordering: .relaxed) }

  deinit {
    if !haveArrived.load(ordering: .relaxed) { tellLost() }
  }
}

extension StoreFailure {
  /// Whether the same rows may be taken in a moment: nothing of them was, and it is not they that
  /// are refused.
  var mayPass: Bool {
    switch kind {
    case .busy, .full(.disk), .full(.store), .io, .readOnly, .sqlite: true
    default: false
    }
  }
}
