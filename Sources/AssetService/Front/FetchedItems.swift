/// What fetches that run side by side on one loop bring.
final class FetchedItems {
  var items: [Int: IntakeItem] = [:]
}
