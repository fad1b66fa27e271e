// Answers that are wrong, or mean harm.

extension FixtureAnswer {
  static let hostile = [
    FixtureAnswer(
      name: "hostile/bad-base64.json", holds: ["!"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "@@@not-base64@@@"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/base64-unpadded.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR42mO8I\#
        yfHwMDAxMDAwMDAAAAOCAEc4R2zdQAAAABJRU5ErkJggg"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/base64-urlsafe.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "\#(image("a.png"))"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/base64-with-newlines.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "iVBORw0KGgoAAAANSUhE\nUgAAAAIAAAACCAIAAAD9\n1JpzAAAAFklEQVR42\#
        mO8\nIyfHwMDAxMDAwMDAAAAO\nCAEc4R2zdQAAAABJRU5E\nrkJggg==\n"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/created-as-string-and-float.json", holds: ["a.png"],
      text: #"""
        {
          "created": "1763683200",
          "data": [
            {
              "b64_json": "\#(image("a.png"))"
            }
          ],
          "usage": {
            "input_tokens": 12.0,
            "output_tokens": "272",
            "total_tokens": null
          }
        }
        """#),
    FixtureAnswer(
      name: "hostile/data-url-in-url.json", holds: ["a.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "url": "data:image/png;base64,\#(image("a.png"))"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/data-url-params.json", holds: ["a.webp"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "data:image/webp;charset=utf-8;name=x.webp;base64,\#(image("a.webp"))"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/empty-data.json", holds: [],
      text: #"""
        {
          "created": 1763683200,
          "data": []
        }
        """#),
    FixtureAnswer(
      name: "hostile/empty-strings.json", holds: [""],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "",
              "url": ""
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/html-in-base64.json", holds: ["~"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "PGh0bWw+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0PjwvaHRtbD4="
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/mime-lies.json", holds: ["a.webp"],
      text: #"""
        {
          "created": 1763683200,
          "output_format": "png",
          "data": [
            {
              "b64_json": "\#(image("a.webp"))"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/no-data.json", holds: [],
      text: #"""
        {
          "created": 1763683200
        }
        """#),
    FixtureAnswer(
      name: "hostile/svg-in-base64.json", holds: ["~"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoP\#
        SIyIiBoZWlnaHQ9IjIiPjxzY3JpcHQ+MTwvc2NyaXB0Pjwvc3ZnPg=="
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/truncated-png.json", holds: ["~"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "b64_json": "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD9"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/url-file-scheme.json", holds: ["file:///etc/hosts"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "url": "file:///etc/hosts"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/url-loopback.json", holds: ["https://127.0.0.1:1/x.png"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "url": "https://127.0.0.1:1/x.png"
            }
          ]
        }
        """#),
    FixtureAnswer(
      name: "hostile/url-metadata-address.json",
      holds: ["http://169.254.169.254/latest/meta-data/"],
      text: #"""
        {
          "created": 1763683200,
          "data": [
            {
              "url": "http://169.254.169.254/latest/meta-data/"
            }
          ]
        }
        """#),
  ]
}
