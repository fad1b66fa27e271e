/// Every limit of the server, by name. Times are nanoseconds, sizes are bytes.
public struct ServerLimits: Sendable {
  /// Connections at once, over all loops.
  public var connections = 16_384
  /// Connections at once from one address; loopback and trusted proxies are exempt.
  public var connectionsPerAddress = 256
  /// From a connection's start, or a request's first byte, to the end of its head.
  public var headerTimeout: Int64 = 10_000_000_000
  /// Between requests of one connection.
  public var idleTimeout: Int64 = 75_000_000_000
  /// How often the pace of a slow body or a slow reader is looked at.
  public var paceInterval: Int64 = 10_000_000_000
  /// What a body or a reader must move in one `paceInterval` to be waited for: 500 B/s.
  public var paceBytes: Int64 = 5_000
  /// How far ahead of that pace a reader may be, for what its kernel takes at once: it announces
  /// room in steps of at least a segment, which has 64 KiB on loopback (131 s at 500 B/s).
  public var paceCredit: Int64 = 65_536
  /// How long a closing connection may be silent before it ends its half.
  public var lingerTimeout: Int64 = 2_000_000_000
  /// How long a closing connection may go on sending what we no longer want, in all.
  public var lingerLimit: Int64 = 10_000_000_000
  /// What a loop reads at once: a request head with what came behind it; at least the longest head.
  public var readBufferBytes = 65_536
  /// What a loop sends at once; an answer that is larger costs an allocation.
  public var writeBufferBytes = 65_536
  /// What one connection may send, or a handler read or write, before others have their turn.
  public var sendFileBytesPerTurn = 2 << 20
  /// How long a handler may read or write without waiting before others have their turn.
  public var turnTime: Int64 = 1_000_000
  /// How long room for more of a file is waited for before it is looked whether the file has ended.
  public var fileEndTime: Int64 = 1_000_000_000
  /// So many answers wait for their readers before those that follow get less of the kernel's
  /// memory: left to itself it holds some 2.3 MB of a large file for every slow reader, and a
  /// thousand of them used up what all TCP connections of the machine may have (tcp_mem, tcp(7)).
  public var crowdedReaders = 128
  /// What the kernel then holds of an answer beyond the reader's window (TCP_NOTSENT_LOWAT). Not
  /// always: at 1.5 MB it cost a fifth more processor time.
  public var crowdedUnsentBytes = 128 << 10
  /// Requests of one connection that one turn answers; the rest waits for the others' turn.
  public var pipelinedPerTurn = 16
  /// An unread rest of a body up to this is read and dropped, to keep the connection.
  public var drainBytes = 65_536

  /// The defaults of the configuration.
  public init() {}
}
