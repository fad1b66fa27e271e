// Where images come from: one protocol, one dialect per file. Whatever an upstream speaks, what
// comes out is an Images API answer of OpenAI's shape, as bytes, while it arrives.
public import HTTPClient
public import Wire

/// What is asked of an upstream: a generation. Holds no secret.
public struct UpstreamOrder: Sendable {
  /// The upstream's name of the model.
  public let model: String
  /// The request's parameters in OpenAI's names, without our own `asset`; `model` in it is
  /// replaced.
  public let parameters: JSONObject
  /// The time from the call to the last byte of the answer, attempts and pauses included.
  public let timeoutNanoseconds: Int64
  /// Whether it may be sent again when it is certain that nothing was bought; not when another
  /// upstream can be asked, or the client tries again by itself.
  public let mayRetry: Bool
  /// What `Upstream.document` makes of it, when that was done before: for a long order it takes
  /// milliseconds, which a loop has not.
  public var document: [UInt8]?

  /// An order.
  public init(
    model: String, parameters: JSONObject, timeoutNanoseconds: Int64, mayRetry: Bool = true
  ) {
    self.model = model
    self.parameters = parameters
    self.timeoutNanoseconds = timeoutNanoseconds
    self.mayRetry = mayRetry
  }
}

/// A good answer under way. Read it to its end or close it.
public protocol UpstreamAnswer: AnyObject {
  /// The upstream's own id of the call.
  var requestID: String? { get }
  /// The upstream's status, 2xx.
  var status: Int { get }
  /// How often the order was sent, the last time included.
  var attempts: Int { get }

  /// Hands the next bytes to `consume`, as many as have come; `false` at the end.
  ///
  /// Throws `UpstreamFailure`, or what `consume` throws; the answer is over then.
  func read(_ consume: (Span<UInt8>) throws -> Void) async throws -> Bool

  /// Gives up the rest.
  func close()

  /// All that is wanted has come: a moment later the rest is given up, and `read` finds the end. To
  /// be called on the loop of `read`.
  func expectEnd()
}

/// A source of images, living on one loop.
public protocol Upstream: AnyObject, SendableMetatype {
  /// Takes this upstream's secrets out of what it says.
  var scrubber: Scrubber { get }

  /// The body that an order is sent with; `nil` when none is sent.
  static func document(of order: UpstreamOrder) -> [UInt8]?

  /// Sends an order; comes back with the answer's first bytes under way.
  ///
  /// `isWanted` is asked before the order is sent once more after a pause: nothing is bought for a
  /// client that left meanwhile. A first attempt, and one that is under way, never ask.
  ///
  /// An answer may still turn out to be an error or to hold no image: when its skeleton is known,
  /// `UpstreamFailure.withoutImage` says what it was.
  func generate(
    _ order: UpstreamOrder, while isWanted: () -> Bool, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer

  /// Fetches a result that came as a URL: the image's own bytes. Only from the upstream's own
  /// origin, without credentials; `foreignURL` for any other. A URL that is not absolute is
  /// resolved against that of the answer.
  ///
  /// - Parameter deadline: when all of it must be there, in the loop's monotonic nanoseconds.
  func fetch(
    _ url: String, until deadline: Int64, on loop: isolated ClientLoop
  ) async throws(UpstreamFailure) -> any UpstreamAnswer
}
