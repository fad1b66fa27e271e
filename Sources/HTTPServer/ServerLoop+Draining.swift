// The end of a loop's server. Waiting stands here, apart from what the connections share.
internal import Net

extension ServerLoop {
  /// Accepts no more, closes what is idle, and returns when the last exchange is over, also one
  /// whose client has left.
  func drain(on loop: isolated EventLoop) async {
    beginDraining(on: loop)
    await withCheckedContinuation { whenDrained($0) }
    service.drained()
  }
}
