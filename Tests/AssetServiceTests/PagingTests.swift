import Dispatch
import Store
import Testing
import Wire

@testable import AssetService

// Paging through GET /v1/assets (API.md §4) while assets go.

@Suite struct PagingTests {
  private static let keys = "auth: { mode: \"keys\", bootstrap_key_env: \"BOOTSTRAP\" }"

  /// What a clean-up script does: read a page, delete what is on it, go on behind it.
  @Test func whoDeletesAPageFindsTheNext() async throws {
    try await withService { service in
      for seed in 0..<7 {
        let query = seed % 4 < 2 ? "?ttl=1h" : "?retention=permanent"
        #expect(try service.host(TestImages.png(seed: UInt8(seed)), query).status == 201)
      }
      var (after, seen) = ("", Set<String>())
      repeat {
        let page = try service.ask("GET", "/v1/assets?limit=2\(after)")
        #expect(page.status == 200, "\(page.text)")
        let ids = (page.json["data"]?.array ?? []).compactMap { $0["id"]?.string }
        for id in ids {
          #expect(seen.insert(id).inserted)
          #expect(try service.ask("DELETE", "/v1/assets/\(id)").status == 204)
        }
        #expect(page.json["last_id"]?.string == ids.last)
        after = page.json["has_more"]?.bool == true ? "&after=\(ids.last ?? "")" : ""
      } while !after.isEmpty
      #expect(seen.count == 7)
    }
  }

  /// What a client may page on from after a restart: all that the catalogue still knows. Of a place
  /// that is gone with an expired asset it is told so, as of one that never was; never an empty
  /// page, nor the first one again.
  @Test func placesAfterARestart() async throws {
    let root = TestService.newRoot()
    defer { try? removeFolder(root) }
    let query = ["?retention=permanent", "?ttl=1h", "?ttl=1h", "?ttl=1s", "?retention=permanent"]
    let ids = try await withService(root: root) { service in
      var ids: [String] = []
      for (seed, query) in query.enumerated() {
        let asset = try service.host(TestImages.png(seed: UInt8(seed)), query).json
        ids.append(try #require(asset["id"]?.string))
      }
      #expect(try service.ask("DELETE", "/v1/assets/\(ids[2])").status == 204)
      let page = try service.ask("GET", "/v1/assets?limit=2")
      #expect(page.json["last_id"]?.string == ids[3])
      let store = service.service.context.store
      let end = store.now() + 2
      try await until("it has expired") { store.now() >= end }
      #expect(try store.collect([Policy(.expired(grace: 0))]).results.map(\.assets) == [1])
      #expect(try service.ask("GET", "/v1/assets?after=\(ids[3])").json["data"]?.array?.count == 2)
      return ids
    }
    try await withService(root: root) { service in
      func rest(after id: String) throws -> [String] {
        let page = try service.ask("GET", "/v1/assets?after=\(id)")
        #expect(page.status == 200, "\(page.text)")
        return (page.json["data"]?.array ?? []).compactMap { $0["id"]?.string }
      }
      #expect(try rest(after: ids[4]) == [ids[1], ids[0]])
      #expect(try rest(after: ids[2]) == [ids[1], ids[0]], "a deletion leaves a tombstone")
      let gone = try service.ask("GET", "/v1/assets?after=\(ids[3])")
      let never = try service.ask(
        "GET", "/v1/assets?after=img-" + String(repeating: "0", count: 32))
      #expect(gone.status == 400 && gone.param == "after")
      #expect(gone.body == never.body)
    }
  }

  /// The largest number that there is ends no daemon.
  @Test(arguments: ["before", "after"]) func largestTimeIsAnswered(_ side: String) async throws {
    try await withService { service in
      #expect(try service.host(TestImages.png(), "").status == 201)
      let page = try service.ask("GET", "/v1/assets?created_\(side)=\(Int64.max)")
      #expect(page.status == 200, "\(page.text)")
      #expect(page.json["data"]?.array?.count == (side == "before" ? 1 : 0))
      let over = try service.ask("GET", "/v1/assets?created_\(side)=\(UInt64.max)")
      #expect(over.status == 400 && over.param == "created_\(side)")
    }
  }

  /// A4: a list is read on a thread of its own. While those are busy, the loop answers others.
  @Test func aListDoesNotHoldItsLoop() async throws {
    try await withService(loops: 1) { service in
      let store = service.service.context.store
      let gate = DispatchSemaphore(value: 0)
      for _ in 0..<2 {
        await withCheckedContinuation { started in
          Task {
            try await store.read { _ in
              started.resume()
              gate.wait()
            }
          }
        }
      }
      let clients = try ["/v1/assets", "/v1/assets?limit=1000&model=none"].map { path in
        let client = try service.client()
        try client.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return client
      }
      for _ in 0..<5 { #expect(try service.ask("GET", "/healthz").status == 200) }
      for client in clients { #expect(try client.isSilent) }
      for _ in 0..<2 { gate.signal() }
      for client in clients { #expect(try client.readAnswer().status == 200) }
    }
  }

  /// A2: another owner's removed asset is as unknown as one that never was.
  @Test func anotherOwnersRemovedAssetIsNoCursor() async throws {
    try await withService(Self.keys) { service in
      let (one, two) = (
        try service.key("{\"name\":\"one\"}"), try service.key("{\"name\":\"two\"}")
      )
      func bearer(_ key: String) -> [(String, String)] { [("Authorization", "Bearer \(key)")] }
      let id = try #require(try service.host(TestImages.png(), "", bearer(one)).json["id"]?.string)
      #expect(try service.ask("DELETE", "/v1/assets/\(id)", bearer(one)).status == 204)
      let path = "/v1/assets?after="
      let unknown = "img-" + String(repeating: "0", count: 32)
      let foreign = try service.ask("GET", path + id, bearer(two))
      let none = try service.ask("GET", path + unknown, bearer(two))
      #expect(foreign.status == 400 && foreign.param == "after")
      #expect(foreign.status == none.status && foreign.body == none.body)
      #expect(try service.ask("GET", path + id, bearer(one)).status == 200)
      #expect(try service.ask("GET", path + id, bearer(TestService.adminKey)).status == 200)
    }
  }
}
