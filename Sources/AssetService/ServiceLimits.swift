/// Every limit of the service that is no setting, by name.
struct ServiceLimits: Sendable {
  /// Calls of each kind at once, over all loops; more are answered 503 with `Retry-After`. A call
  /// counts until its answer has left. Delivery has no such limit: it holds a descriptor and no
  /// memory, and the calls can not take its connections' turns.
  ///
  /// A generation waits for its upstream with its order in memory (at most 1 MiB, mostly 1 KiB).
  var generations = 1024
  /// Uploads and conversions: about 0.1 MiB and two descriptors each, 0.8 MiB at worst beside
  /// `conversionBytes`.
  var ingests = 512
  /// Everything else but the operator's calls: mostly one read of the catalogue.
  var queries = 1024

  /// Work on files and catalogue that waits for a thread: a piece for each call that runs, so that
  /// none is refused within (an image may be paid for by then), and room for the operator's.
  var workerQueue: Int { generations + ingests + queries + 1024 }
  /// Threads that bring cold files into memory: their number is how deep the disk's queue gets.
  var coldReaders = 4
  /// Threads that look up names: a silent name server holds one of them for many seconds for each
  /// host.
  var lookups = 4
  /// Look-ups that wait for one.
  var lookupQueue = 256
  /// Assets that a loop keeps open, if the process may open that many.
  var openAssets = 4096
  /// Bytes of paid images that can not be stored and are kept in memory until their answers are
  /// out, over all orders; an image beyond is lost, and its answer says so.
  var rescueBytes: Int64 = 256 << 20
  /// How often, a second apart, the rows of paid images are tried once more when the store refuses
  /// them and their client has left.
  var publishTries = 60
  /// Bytes of the texts of entries that conversions keep in memory until their answers are out,
  /// over all conversions: of those that can not be hosted, or that no encoder would write so. What
  /// is beyond, and all above 1 MiB of one text, is in a file.
  var conversionBytes: Int64 = 64 << 20
}
