internal import HTTPServer

/// `GET /openapi.json`: the contract for machines, built into the program.
enum OpenAPIDocument {
  static var response: Response {
    var response = Response(status: 200, json: PackageResources.openapi_json)
    response.add("Cache-Control", "max-age=3600")
    return response
  }
}
