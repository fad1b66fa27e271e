import Foundation
import Glibc
import Testing

/// A file system that stalls and fails when a test says so: a folder behind FUSE, served by a
/// Python program.
final class FaultyDisk {
  let path: String
  private let server: Child

  /// Why there can be none here; `nil` when there can.
  static let obstacle: Comment? = {
    do {
      let scratch = try Scratch()
      _ = try FaultyDisk(scratch)
      return nil
    } catch {
      return "no FUSE here (root, /dev/fuse and python3 are needed): \(error)"
    }
  }()

  /// Mounts it in `scratch`.
  init(_ scratch: Scratch) throws {
    path = scratch.path + "/disk"
    for name in ["disk", "behind"] {
      try FileManager.default.createDirectory(
        atPath: scratch.path + "/" + name, withIntermediateDirectories: true)
    }
    let script = try scratch.file("disk.py", Data(Self.script.utf8))
    server = try Child(
      "/usr/bin/env", ["python3", script, scratch.path + "/behind", path], takesInput: true,
      output: .pipe)
    try expect("mounted")
  }

  deinit {
    // Without its server every call on it fails, also one that waits.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
    _ = try? run("/bin/umount", ["-l", path])
  }

  /// Calls on paths that hold `name` wait from now on; all calls, without a name.
  func stall(_ name: String) throws { try order("stall \(name)") }

  /// Calls that write or make something fail from now on.
  func fail(_ code: Int32) throws { try order("fail \(code)") }

  /// No file can be made any more, says the file system when it is asked for its room.
  func exhaustFiles() throws { try order("files") }

  /// All is well again.
  func heal() throws { try order("go") }

  private func order(_ text: String) throws {
    try server.write(Data((text + "\n").utf8))
    try expect("done")
  }

  private func expect(_ word: String) throws {
    var answer = ""
    while !answer.hasSuffix("\n") {
      let more = server.availableData()
      if more.isEmpty { break }
      answer += String(decoding: more, as: UTF8.self)
    }
    struct Refusal: Error { let answer: String }
    guard answer == word + "\n" else { throw Refusal(answer: answer) }
  }
}

extension FaultyDisk {
  fileprivate static let script = #"""
    """A folder as a file system of its own (FUSE), which stalls or fails when it is told to.

        disk.py FOLDER MOUNTPOINT

    Says "mounted". Then each line of standard input is an order, answered by "done":

        stall NAME      calls on paths that hold NAME wait (of all paths, without a name)
        fail ERRNO      calls that write or make something fail
        files           no inode is left, as statfs(2) tells
        go              none of these
    """

    import ctypes
    import os
    import stat
    import struct
    import sys
    import threading

    SOURCE, TARGET = sys.argv[1:3]
    # The calls, and their structures below: linux/fuse.h.
    LOOKUP, FORGET, GETATTR, SETATTR, MKNOD, MKDIR, UNLINK, RMDIR = 1, 2, 3, 4, 8, 9, 10, 11
    RENAME, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, INIT = 12, 14, 15, 16, 17, 18, 20, 26
    OPENDIR, READDIR, RELEASEDIR, FSYNCDIR, CREATE, INTERRUPT = 27, 28, 29, 30, 35, 36
    BATCH_FORGET, FALLOCATE, RENAME2 = 42, 43, 45
    WRITING = {
        MKNOD, MKDIR, UNLINK, RMDIR, RENAME, RENAME2, WRITE, CREATE, FALLOCATE, FSYNC, SETATTR}
    KEEP_CACHE = 2
    YEAR = 1 << 25

    libc = ctypes.CDLL(None, use_errno=True)
    lock = threading.Lock()
    gate = threading.Condition()
    stalled = None
    failing = 0
    exhausted = False
    paths = {1: SOURCE}
    nodes = {}
    device = os.open("/dev/fuse", os.O_RDWR)


    def mount():
        data = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,max_read=131072"
        if libc.mount(b"disk", TARGET.encode(), b"fuse", 0, data.encode()) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))


    def attributes(s):
        return struct.pack(
            "<6Q10I", s.st_ino, s.st_size, s.st_blocks, int(s.st_atime), int(s.st_mtime),
            int(s.st_ctime), s.st_atime_ns % 10**9, s.st_mtime_ns % 10**9, s.st_ctime_ns % 10**9,
            s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_rdev, 4096, 0)


    def entry(path):
        s = os.lstat(path)
        with lock:
            # A number of the folder's file system may come back with another file.
            node = nodes.get(path)
            if node is None or paths.get(node) != path:
                node = nodes[path] = max(paths) + 1
                paths[node] = path
        return struct.pack("<4Q2I", node, 0, YEAR, YEAR, 0, 0) + attributes(s)


    def forget_name(path):
        with lock:
            nodes.pop(path, None)


    def moved(old, new):
        with lock:
            for node, path in list(paths.items()):
                if path == old or path.startswith(old + "/"):
                    paths[node] = new + path[len(old):]
                    nodes.pop(path, None)
                    nodes[paths[node]] = node


    def text(data):
        return os.fsdecode(data.split(b"\0", 1)[0])


    def change(path, body):
        valid, _, handle, size, _, at, mt, _, atn, mtn, _, mode = struct.unpack_from(
            "<2I3Q3Q4I", body)
        where = handle if valid & 64 else path
        if valid & 1:
            os.chmod(where, stat.S_IMODE(mode))
        if valid & 8:
            os.truncate(where, size)
        if valid & 0x30:
            s = os.stat(where)
            a = at * 10**9 + atn if valid & 16 else s.st_atime_ns
            m = mt * 10**9 + mtn if valid & 32 else s.st_mtime_ns
            os.utime(where, ns=(a, m))
        return struct.pack("<Q2I", YEAR, 0, 0) + attributes(os.stat(where))


    def listing(path, body):
        _, offset, size = struct.unpack_from("<2QI", body)
        out = b""
        names = [".", ".."] + sorted(os.listdir(path))
        for index, name in enumerate(names[offset:], offset + 1):
            raw = os.fsencode(name)
            item = struct.pack("<2Q2I", 1, index, len(raw), 0) + raw
            item += b"\0" * (-len(item) % 8)
            if len(out) + len(item) > size:
                break
            out += item
        return out


    def rename(path, body, size):
        target = paths[struct.unpack_from("<Q", body)[0]]
        flags = struct.unpack_from("<I", body, 8)[0] if size == 16 else 0
        old, new = body[size:].split(b"\0")[:2]
        old, new = path + "/" + os.fsdecode(old), target + "/" + os.fsdecode(new)
        if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags) != 0:
            raise OSError(ctypes.get_errno(), "rename")
        moved(old, new)
        return b""


    def serve(op, path, body):
        if op == INIT:
            minor = min(31, struct.unpack_from("<2I", body)[1])
            return struct.pack(
                "<4I2H2I2HI28x", 7, minor, 131072, 1 | 8 | 32, 64, 48, 131072, 1, 32, 0, 0)
        if op == LOOKUP:
            return entry(path + "/" + text(body))
        if op == GETATTR:
            flags, _, handle = struct.unpack_from("<2IQ", body)
            s = os.fstat(handle) if flags & 1 else os.lstat(path)
            return struct.pack("<Q2I", YEAR, 0, 0) + attributes(s)
        if op == SETATTR:
            return change(path, body)
        if op == MKNOD:
            os.mknod(path + "/" + text(body[16:]), struct.unpack_from("<I", body)[0])
            return entry(path + "/" + text(body[16:]))
        if op == MKDIR:
            os.mkdir(path + "/" + text(body[8:]), struct.unpack_from("<I", body)[0])
            return entry(path + "/" + text(body[8:]))
        if op in (UNLINK, RMDIR):
            name = path + "/" + text(body)
            (os.unlink if op == UNLINK else os.rmdir)(name)
            forget_name(name)
            return b""
        if op in (RENAME, RENAME2):
            return rename(path, body, 16 if op == RENAME2 else 8)
        if op in (OPEN, OPENDIR):
            flags = struct.unpack_from("<I", body)[0] & ~os.O_CREAT & ~os.O_EXCL
            return struct.pack("<Q2I", os.open(path, flags), KEEP_CACHE, 0)
        if op == CREATE:
            flags, mode = struct.unpack_from("<2I", body)
            name = path + "/" + text(body[16:])
            handle = os.open(name, flags | os.O_CREAT, mode)
            return entry(name) + struct.pack("<Q2I", handle, KEEP_CACHE, 0)
        if op == READDIR:
            return listing(path, body)
        if op in (READ, WRITE):
            handle, offset, size = struct.unpack_from("<2QI", body)
            if op == READ:
                return os.pread(handle, size, offset)
            return struct.pack("<2I", os.pwrite(handle, body[40:40 + size], offset), 0)
        if op == STATFS:
            s = os.statvfs(path)
            free = 0 if exhausted else max(s.f_ffree, 1)
            return struct.pack(
                "<5Q4I24x", s.f_blocks, s.f_bfree, s.f_bavail, max(s.f_files, 1), free, s.f_bsize,
                255, s.f_frsize, 0)
        handle = struct.unpack_from("<Q", body)[0] if len(body) >= 8 else 0
        if op in (RELEASE, RELEASEDIR):
            os.close(handle)
            return b""
        if op in (FSYNC, FSYNCDIR):
            os.fsync(handle)
            return b""
        if op == FALLOCATE:
            _, offset, length, mode = struct.unpack_from("<3QI", body)
            if libc.fallocate(handle, mode, ctypes.c_long(offset), ctypes.c_long(length)) != 0:
                raise OSError(ctypes.get_errno(), "fallocate")
            return b""
        raise OSError(38, "not offered")


    def holds(path, body):
        return stalled is not None and (stalled in path or stalled.encode() in body[:512])


    def work():
        while True:
            try:
                request = os.read(device, 1 << 18)
            except OSError as error:
                if error.errno in (2, 4):
                    continue
                os._exit(0)
            _, op, unique, node = struct.unpack_from("<2I2Q", request)
            if op in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            body, path = request[40:], paths.get(node, SOURCE)
            try:
                with gate:
                    while holds(path, body):
                        gate.wait()
                if failing and op in WRITING:
                    raise OSError(failing, "told to")
                code, out = 0, serve(op, path, body)
            except OSError as error:
                code, out = -(error.errno or 5), b""
            try:
                os.write(device, struct.pack("<IiQ", 16 + len(out), code, unique) + out)
            except OSError:
                pass


    mount()
    for _ in range(32):
        threading.Thread(target=work, daemon=True).start()
    print("mounted", flush=True)
    for line in sys.stdin:
        order, _, argument = line.strip().partition(" ")
        with gate:
            stalled = argument if order == "stall" else None
            failing = int(argument) if order == "fail" else 0
            exhausted = order == "files"
            gate.notify_all()
        print("done", flush=True)
    libc.umount2(TARGET.encode(), 2)
    """#
}
